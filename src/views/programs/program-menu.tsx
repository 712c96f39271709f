// SPDX-License-Identifier: Apache-2.0
import { AttachDialog } from "../../dialogs/attach/attach.tsx";
import { ReplaceDialog } from "../../dialogs/load/replace.tsx";
import { UnloadDialog } from "../../dialogs/unload.tsx";
import { attachKind, type Program } from "../../model/model.ts";
import { usePage } from "../../page.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { Kebab, MenuItem } from "../../ui/menu.tsx";

export function ProgramMenu({ program }: { program: Program }) {
    const { show } = usePage();
    return (
        <Kebab label={format(_("Actions for $0"), shown(program.name))}>
            {attachKind(program) && (
                <MenuItem key="attach" onClick={() => show(<AttachDialog program={program} />)}>
                    {_("Attach")}
                </MenuItem>
            )}
            <MenuItem key="replace" onClick={() => show(<ReplaceDialog program={program} />)}>
                {_("Replace")}
            </MenuItem>
            <MenuItem key="unload" isDanger onClick={() => show(<UnloadDialog program={program} />)}>
                {_("Unload")}
            </MenuItem>
        </Kebab>
    );
}
