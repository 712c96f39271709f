// SPDX-License-Identifier: Apache-2.0
import { Form, FormGroup, FormHelperText } from "@patternfly/react-core/dist/esm/components/Form/index.js";
import { FormSelect, FormSelectOption } from "@patternfly/react-core/dist/esm/components/FormSelect/index.js";
import { HelperText, HelperTextItem } from "@patternfly/react-core/dist/esm/components/HelperText/index.js";
import { useState } from "react";
import { shown } from "../escape.ts";
import { _, format } from "../i18n.ts";
import { attachKind, type Program } from "../model.ts";
import { useInterfaces, usePage, usePrograms } from "../page.ts";
import { SessionWarning } from "../views/session-warning.tsx";
import { type HookKind, hookKind, probeKind, typeLabel } from "../words.ts";
import { ActionDialog } from "./frame.tsx";
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
    const programs = (usePrograms(false).value ?? []).filter(program => {
        const kind = hookKind(program.type);
        return program.managed && kind !== undefined && (props.kind === undefined || props.kind === kind);
    });
    const [chosenId, setChosenId] = useState("");
    const [choice, setChoice] = useState(() => ({
        ...initialHook(props.interfaceKey),
        ...(props.direction === undefined ? {} : { direction: props.direction }),
    }));
    const [probe, setProbe] = useState(() => probeOf(props.program));
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
            <Form isHorizontal onSubmit={event => event.preventDefault()}>
                {!props.program && (
                    <FormGroup label={_("Program")} fieldId="attach-program">
                        <FormSelect
                            id="attach-program"
                            value={chosenId}
                            onChange={(_event, id) => setChosenId(id)}
                            aria-describedby="attach-program-help"
                        >
                            <FormSelectOption value="" label={_("Choose a program")} isPlaceholder isDisabled />
                            {programs.map(one => (
                                <FormSelectOption key={one.id} value={String(one.id)} label={programOption(one)} />
                            ))}
                        </FormSelect>
                        {programs.length === 0 && (
                            <FormHelperText>
                                <HelperText id="attach-program-help">
                                    <HelperTextItem>{_("Load a program first.")}</HelperTextItem>
                                </HelperText>
                            </FormHelperText>
                        )}
                    </FormGroup>
                )}
                {probed ? (
                    <ProbeFields id="attach" kind={probed} choice={probe} onChange={setProbe} />
                ) : (
                    <HookFields
                        choice={choice}
                        onChange={setChoice}
                        kinds={atInterface ? [atInterface] : []}
                        interfaces={interfaces}
                    />
                )}
            </Form>
            {iface && !probed && (
                <SessionWarning places={[{ interface: iface.name, netns: iface.netns }]} change="attach" />
            )}
        </ActionDialog>
    );
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
