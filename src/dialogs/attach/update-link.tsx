// SPDX-License-Identifier: Apache-2.0
import { useState } from "react";
import type { Link } from "../../model/model.ts";
import { usePage } from "../../page.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { actionsOf, hookKind } from "../../text/words.ts";
import { Form } from "../../ui/form.tsx";
import { SessionWarning } from "../../views/shared/session-warning.tsx";
import { ActionDialog } from "../frame.tsx";
import { parsePriority } from "./hook-choice.ts";
import { PriorityField, ProceedOnField } from "./hook-fields.tsx";

export function UpdateLinkDialog({ link }: { link: Link }) {
    const { client, notify } = usePage();
    const [priority, setPriority] = useState(String(link.priority));
    const [codes, setCodes] = useState<readonly number[]>(link.proceedOn);
    const kind = hookKind(link.kind);
    const proceeds = kind !== undefined && actionsOf(kind).length > 0;
    const value = parsePriority(priority);
    const name = shown(link.programName);
    const run = async () => {
        if (value === undefined) return;
        const changed = proceeds && codes.join() !== [...link.proceedOn].join();
        await client.updateLink({
            linkId: link.id,
            ...(value === link.priority ? {} : { priority: value }),
            ...(changed ? { proceedOn: { actions: [...codes] } } : {}),
        });
        notify(format(_("$0 on $1 changed"), name, shown(link.interface)));
    };
    return (
        <ActionDialog
            title={format(_("Change $0 on $1"), name, shown(link.interface))}
            action={_("Save")}
            failure={_("The link was not changed")}
            run={run}
            focus="#hook-priority"
            isDisabled={value === undefined || (proceeds && codes.length === 0)}
        >
            <Form isHorizontal>
                <PriorityField priority={priority} onChange={setPriority} />
                {kind && proceeds && (
                    <ProceedOnField kind={kind} label={_("Proceed on")} codes={codes} onChange={setCodes} />
                )}
            </Form>
            <SessionWarning places={[link]} change="change" />
        </ActionDialog>
    );
}
