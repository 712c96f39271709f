// SPDX-License-Identifier: Apache-2.0
import type { Program } from "../model/model.ts";
import { usePage } from "../page.ts";
import { go } from "../route.ts";
import { shown } from "../text/escape.ts";
import { _, format, ngettext } from "../text/i18n.ts";
import { linkLabel } from "../views/links/labels.tsx";
import { SessionWarning } from "../views/shared/session-warning.tsx";
import { ActionDialog, throwFailure } from "./frame.tsx";

/** leave: the page shows this program alone, so go back to the list once it is gone. */
export function UnloadDialog({ program, leave = false }: { program: Program; leave?: boolean }) {
    const { client, notify } = usePage();
    const name = shown(program.name);
    const run = async () => {
        throwFailure(await client.unload({ programIds: [program.id] }));
        notify(format(_("$0 unloaded"), name));
        if (leave) go({ view: "programs" });
    };
    return (
        <ActionDialog
            title={format(_("Unload $0?"), name)}
            action={_("Unload")}
            failure={format(_("$0 was not unloaded"), name)}
            run={run}
            isDanger
            size="small"
        >
            <p>{format(_("The program with the ID $0 is removed from the kernel."), program.id)}</p>
            {program.links.length > 0 && (
                <>
                    <p>{ngettext("This link goes with it:", "These $0 links go with it:", program.links.length)}</p>
                    <ul className="plain-list">
                        {program.links.map(link => (
                            <li key={link.id}>{format(_("$0, priority $1"), linkLabel(link), link.priority)}</li>
                        ))}
                    </ul>
                    <SessionWarning places={program.links} change="unload" />
                </>
            )}
        </ActionDialog>
    );
}
