// SPDX-License-Identifier: Apache-2.0
import type { Link } from "../../model/model.ts";
import { usePage } from "../../page.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { linkLabel } from "../../views/links/labels.tsx";
import { SessionWarning } from "../../views/shared/session-warning.tsx";
import { ActionDialog, throwFailure } from "../frame.tsx";

export function DetachDialog({ link }: { link: Link }) {
    const { client, notify } = usePage();
    const name = shown(link.programName);
    const run = async () => {
        throwFailure(await client.detach({ linkIds: [link.id] }));
        notify(format(_("$0 detached from $1"), name, shown(link.interface)));
    };
    return (
        <ActionDialog
            title={format(_("Detach $0 from $1?"), name, shown(link.interface))}
            action={_("Detach")}
            failure={format(_("$0 was not detached"), name)}
            run={run}
            isDanger
            size="small"
        >
            <p>{format(_("The program no longer runs at $0. It stays loaded."), linkLabel(link))}</p>
            <SessionWarning places={[link]} change="detach" />
        </ActionDialog>
    );
}
