// SPDX-License-Identifier: Apache-2.0
import { useState } from "react";
import { attachKind, type Program } from "../../model/model.ts";
import { useInterfaces, usePage, usePrograms } from "../../page.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { type HookKind, hookKind, probeKind, typeLabel } from "../../text/words.ts";
import { Select } from "../../ui/choice.tsx";
import { Form, FormGroup, HelperText } from "../../ui/form.tsx";
import { SessionWarning } from "../../views/shared/session-warning.tsx";
import { ActionDialog } from "../frame.tsx";
import { hookOf, initialHook, interfaceOfChoice } from "./hook-choice.ts";
import { HookFields } from "./hook-fields.tsx";
import { initialProbe, type ProbeChoice, probeHook } from "./probe-choice.ts";
import { ProbeFields } from "./probe-fields.tsx";

interface AttachDialogProps {
    readonly program?: Program;
    readonly interfaceKey?: string;
    /** only programs of this kind are offered */
    readonly kind?: HookKind | undefined;
    readonly direction?: "ingress" | "egress" | undefined;
}

/** Opened on a program, on an interface or on one of its chains; the other is chosen here. */
export function AttachDialog(props: AttachDialogProps) {
    const { client, notify } = usePage();
    const interfaces = useInterfaces().value ?? [];
    const programs = (usePrograms(false).value ?? []).filter(program => isOffered(program, props));
    const [chosenId, setChosenId] = useState("");
    const [choice, setChoice] = useState(() => ({
        ...initialHook(props.interfaceKey),
        ...(props.direction === undefined ? {} : { direction: props.direction }),
    }));
    const [probe, setProbe] = useState(() => probeOf(props.program));
    const chooseProgram = (id: string) => {
        setChosenId(id);
        setProbe(probeOf(programs.find(one => String(one.id) === id)));
    };
    const program = props.program ?? programs.find(one => String(one.id) === chosenId);
    const kind = program && attachKind(program);
    const atInterface = kind && hookKind(kind);
    const probed = kind && probeKind(kind);
    const hook = atInterface ? hookOf(choice, atInterface, interfaces) : probed && probeHook(probe, probed);
    const iface = interfaceOfChoice(choice, interfaces);
    const run = async (fullLog: boolean) => {
        if (!program || !hook) return;
        await client.attach({ items: [{ programId: program.id, ...hook }], fullLog });
        notify(
            atInterface
                ? format(_("$0 attached to $1"), shown(program.name), shown(iface?.name ?? ""))
                : format(_("$0 attached"), shown(program.name)),
        );
    };
    return (
        <ActionDialog
            title={title(props.program?.name, props.interfaceKey === undefined ? undefined : iface?.name)}
            action={_("Attach")}
            failure={_("The program was not attached")}
            run={run}
            isDisabled={!hook}
            {...(!probed && { focus: props.program ? "#hook-interface" : "#attach-program" })}
        >
            <Form isHorizontal>
                {!props.program && (
                    <FormGroup label={_("Program")} fieldId="attach-program">
                        <Select
                            id="attach-program"
                            value={chosenId}
                            onChange={chooseProgram}
                            placeholder={_("Choose a program")}
                            describedBy={programs.length === 0 ? "attach-program-help" : undefined}
                            options={programs.map(one => ({ value: String(one.id), text: programOption(one) }))}
                        />
                        {programs.length === 0 && (
                            <HelperText id="attach-program-help">{_("Load a program first.")}</HelperText>
                        )}
                    </FormGroup>
                )}
                {probed ? (
                    <ProbeFields id="attach" kind={probed} choice={probe} onChange={setProbe} />
                ) : (
                    (program || props.interfaceKey !== undefined) && (
                        <HookFields
                            choice={choice}
                            onChange={setChoice}
                            kinds={atInterface ? [atInterface] : []}
                            interfaces={interfaces}
                        />
                    )
                )}
            </Form>
            {iface && !probed && (
                <SessionWarning places={[{ interface: iface.name, netns: iface.netns }]} change="attach" />
            )}
        </ActionDialog>
    );
}

/** On an interface those that attach to one, in a chain those of its kind, else every one of ours. */
function isOffered(program: Program, { interfaceKey, kind: wanted }: AttachDialogProps): boolean {
    const kind = attachKind(program);
    if (kind === undefined || (wanted !== undefined && kind !== wanted)) return false;
    return interfaceKey === undefined || hookKind(kind) !== undefined;
}

function probeOf(program: Program | undefined): ProbeChoice {
    return initialProbe(program && probeKind(program.type), program?.json.record?.section ?? "");
}

function title(program: string | undefined, iface: string | undefined): string {
    if (program !== undefined) return format(_("Attach $0"), shown(program));
    return iface === undefined ? _("Attach program") : format(_("Attach program to $0"), shown(iface));
}

function programOption(program: Program): string {
    return format(_("$0 ($1, ID $2)"), shown(program.name), typeLabel(program.type), program.id);
}
