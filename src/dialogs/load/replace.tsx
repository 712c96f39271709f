// SPDX-License-Identifier: Apache-2.0
// New bytecode in the place of a running program.
import { useState } from "react";
import type { InspectResponseJson } from "../../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Program } from "../../model/model.ts";
import { usePage } from "../../page.ts";
import { go } from "../../route.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { typeLabel } from "../../text/words.ts";
import { Select } from "../../ui/choice.tsx";
import { SessionWarning } from "../../views/shared/session-warning.tsx";
import { Field } from "../field.tsx";
import { BytecodeDialog } from "./bytecode-dialog.tsx";
import { bytecodeOf } from "./source.ts";
import { useBytecode } from "./use-bytecode.ts";

/** follow: the page shows this program alone, so it goes on with the new one. */
export function ReplaceDialog({ program, follow = false }: { program: Program; follow?: boolean }) {
    const { bulk, live, notify, show } = usePage();
    const [names, setNames] = useState<readonly string[]>();
    const [chosen, setChosen] = useState("");
    const bytecode = useBytecode(facts => {
        const fitting = facts && fittingNames(facts, program.type);
        setNames(fitting);
        setChosen(fitting?.find(name => name === program.name) ?? (fitting?.length === 1 ? (fitting[0] ?? "") : ""));
    });
    const { source } = bytecode;
    const name = shown(program.name);
    const replace = (fullLog: boolean) => {
        if (!source) return;
        const request = { programId: program.id, programName: chosen, ...bytecodeOf(source), fullLog };
        bytecode.act(_("Replacing"), format(_("$0 was not replaced"), name), async options => {
            try {
                const { id = 0 } = await bulk.replaceProgram(request, options);
                notify(format(_("$0 replaced"), name));
                show(null);
                if (follow) go({ view: "program", id, tab: "" });
            } finally {
                live.refresh();
            }
        });
    };
    return (
        <BytecodeDialog
            title={format(_("Replace $0"), name)}
            action={_("Replace")}
            description={_("The new program takes over links and maps in one step. It has another ID.")}
            bytecode={bytecode}
            onAct={source && chosen !== "" ? replace : undefined}
            fields={
                names && (
                    <Field
                        id="replace-name"
                        label={_("New program")}
                        help={
                            names.length === 0
                                ? format(_("It holds no program of type $0."), typeLabel(program.type))
                                : _("Global variables keep their values; new ones begin with the object's.")
                        }
                        isInvalid={names.length === 0}
                    >
                        <Select
                            id="replace-name"
                            describedBy="replace-name-help"
                            value={chosen}
                            onChange={setChosen}
                            placeholder={_("Choose a program")}
                            isDisabled={names.length === 0}
                            options={names.map(one => ({ value: one, text: shown(one) }))}
                        />
                    </Field>
                )
            }
        >
            <SessionWarning places={program.links} change="replace" />
        </BytecodeDialog>
    );
}

/** Of what can be loaded as the type. */
function fittingNames({ programs = [] }: InspectResponseJson, type: string): string[] {
    return programs
        .filter(({ type: own = "", otherTypes = [] }) => own === type || otherTypes.includes(type))
        .map(({ name = "" }) => name);
}
