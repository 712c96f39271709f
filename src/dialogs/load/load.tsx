// SPDX-License-Identifier: Apache-2.0
// Loads programs of an object: choose its source, look inside, choose programs, load and perhaps attach.
import { useState } from "react";
import { useInterfaces, usePage } from "../../page.ts";
import { shown } from "../../text/escape.ts";
import { _, ngettext } from "../../text/i18n.ts";
import { SessionWarning } from "../../views/shared/session-warning.tsx";
import { interfaceOfChoice } from "../attach/hook-choice.ts";
import { BytecodeDialog } from "./bytecode-dialog.tsx";
import { choiceOf, type LoadChoice, loadRequest } from "./load-choice.ts";
import { LoadFields } from "./load-fields.tsx";
import { bytecodeOf } from "./source.ts";
import { useBytecode } from "./use-bytecode.ts";

/** image: one to begin with */
export function LoadDialog({ image = "" }: { image?: string }) {
    const { bulk, live, notify, show } = usePage();
    const interfaces = useInterfaces().value ?? [];
    const [choice, setChoice] = useState<LoadChoice>();
    const bytecode = useBytecode(facts => setChoice(facts && choiceOf(facts)));
    const { source } = bytecode;
    const request = choice && loadRequest(choice, interfaces);
    const iface = choice?.hook && interfaceOfChoice(choice.hook, interfaces);
    const load = (fullLog: boolean) => {
        if (!source || !request) return;
        const whole = { ...request, ...bytecodeOf(source), fullLog };
        bytecode.act(_("Loading"), _("The load was refused"), async options => {
            try {
                const { programs = [], warnings = [] } = await bulk.load(whole, options);
                notify(doneText(programs.length, whole.attach !== undefined));
                for (const warning of warnings) notify(shown(warning), "warning");
                show(null);
            } finally {
                live.refresh();
            }
        });
    };
    return (
        <BytecodeDialog
            title={_("Load program")}
            action={choice?.hook ? _("Load and attach") : _("Load")}
            bytecode={bytecode}
            image={image}
            onAct={source && request ? load : undefined}
            fields={choice && <LoadFields choice={choice} onChange={setChoice} interfaces={interfaces} />}
        >
            {iface && <SessionWarning places={[{ interface: iface.name, netns: iface.netns }]} change="attach" />}
        </BytecodeDialog>
    );
}

function doneText(count: number, isAttached: boolean): string {
    return isAttached
        ? ngettext("$0 program loaded and attached", "$0 programs loaded and attached", count)
        : ngettext("$0 program loaded", "$0 programs loaded", count);
}
