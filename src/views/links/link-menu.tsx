// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from "react";
import { DetachDialog } from "../../dialogs/attach/detach.tsx";
import { UpdateLinkDialog } from "../../dialogs/attach/update-link.tsx";
import type { Link } from "../../model/model.ts";
import { usePage } from "../../page.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { hookKind } from "../../text/words.ts";
import { Kebab, MenuItem } from "../../ui/menu.tsx";

/** What can be done with one link; children are further items in front of detaching. */
export function LinkMenu({ link, children }: { link: Link; children?: ReactNode }) {
    const { show } = usePage();
    return (
        <Kebab label={format(_("Actions for $0 on $1"), shown(link.programName), shown(link.interface))}>
            {hookKind(link.kind) && (
                <MenuItem onClick={() => show(<UpdateLinkDialog link={link} />)}>{_("Change priority")}</MenuItem>
            )}
            {children}
            <MenuItem isDanger onClick={() => show(<DetachDialog link={link} />)}>
                {_("Detach")}
            </MenuItem>
        </Kebab>
    );
}
