// SPDX-License-Identifier: Apache-2.0
// Where and how a program attaches: the fields that the attach dialog and the load dialog share.
import type { Interface } from "../../model/model.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { actionsOf, type HookKind, interfaceLabel, typeLabel } from "../../text/words.ts";
import { Checkbox, Radio, Select } from "../../ui/choice.tsx";
import { FormGroup, HelperText } from "../../ui/form.tsx";
import { TextInput } from "../../ui/text-field.tsx";
import { Help } from "../../views/shared/help.tsx";
import { Field } from "../field.tsx";
import { elsewhere, type HookChoice, highestPriority, parsePriority, xdpModes } from "./hook-choice.ts";

interface HookFieldsProps {
    readonly choice: HookChoice;
    readonly onChange: (choice: HookChoice) => void;
    /** of the programs to attach */
    readonly kinds: readonly HookKind[];
    readonly interfaces: readonly Interface[];
}

export function HookFields({ choice, onChange, kinds, interfaces }: HookFieldsProps) {
    const proceeding = kinds.filter(kind => actionsOf(kind).length > 0);
    return (
        <>
            <FormGroup label={_("Interface")} fieldId="hook-interface">
                <Select
                    id="hook-interface"
                    value={choice.interfaceKey}
                    onChange={interfaceKey => onChange({ ...choice, interfaceKey })}
                    placeholder={_("Choose an interface")}
                    options={[
                        ...interfaces.map(iface => ({
                            value: iface.key,
                            text: shown(interfaceLabel(iface.name, iface.netns)),
                        })),
                        { value: elsewhere, text: _("In another network namespace…") },
                    ]}
                />
            </FormGroup>
            {choice.interfaceKey === elsewhere && <ElsewhereFields choice={choice} onChange={onChange} />}
            {kinds.some(kind => kind !== "xdp") && (
                <FormGroup label={_("Direction")} role="radiogroup" isInline isFlat>
                    <Radio
                        id="hook-ingress"
                        name="hook-direction"
                        label={_("Ingress")}
                        description={_("packets that arrive")}
                        isChecked={choice.direction === "ingress"}
                        onChange={() => onChange({ ...choice, direction: "ingress" })}
                    />
                    <Radio
                        id="hook-egress"
                        name="hook-direction"
                        label={_("Egress")}
                        description={_("packets that leave")}
                        isChecked={choice.direction === "egress"}
                        onChange={() => onChange({ ...choice, direction: "egress" })}
                    />
                </FormGroup>
            )}
            {kinds.includes("xdp") && <ModeField mode={choice.mode} onChange={mode => onChange({ ...choice, mode })} />}
            <PriorityField priority={choice.priority} onChange={priority => onChange({ ...choice, priority })} />
            {proceeding.map(kind => (
                <ProceedOnField
                    key={kind}
                    kind={kind}
                    label={kinds.length > 1 ? format(_("Proceed on ($0)"), typeLabel(kind)) : _("Proceed on")}
                    codes={choice.proceedOn[kind]}
                    onChange={codes => onChange({ ...choice, proceedOn: { ...choice.proceedOn, [kind]: codes } })}
                />
            ))}
        </>
    );
}

function ElsewhereFields({ choice, onChange }: Pick<HookFieldsProps, "choice" | "onChange">) {
    const change = (part: Partial<HookChoice["elsewhere"]>) =>
        onChange({ ...choice, elsewhere: { ...choice.elsewhere, ...part } });
    return (
        <>
            <FormGroup label={_("Namespace")} fieldId="hook-netns">
                <TextInput
                    id="hook-netns"
                    value={choice.elsewhere.netns}
                    placeholder={_("/run/netns/name")}
                    onChange={netns => change({ netns })}
                />
            </FormGroup>
            <FormGroup label={_("Interface there")} fieldId="hook-interface-name">
                <TextInput id="hook-interface-name" value={choice.elsewhere.name} onChange={name => change({ name })} />
            </FormGroup>
        </>
    );
}

type Mode = HookChoice["mode"];

function ModeField({ mode, onChange }: { mode: Mode; onChange: (mode: Mode) => void }) {
    return (
        <Field
            id="hook-mode"
            label={_("XDP mode")}
            help={_("The first program at an interface sets it for those after it.")}
            topic="xdpMode"
        >
            <Select
                id="hook-mode"
                describedBy="hook-mode-help"
                value={mode}
                onChange={onChange}
                options={xdpModes.map(one => ({ value: one, text: modeText(one) }))}
            />
        </Field>
    );
}

function modeText(mode: Mode): string {
    switch (mode) {
        case "auto":
            return _("native where the driver can, else generic");
        case "native":
            return _("native, or not at all");
        case "generic":
            return _("generic");
    }
}

export function PriorityField({ priority, onChange }: { priority: string; onChange: (text: string) => void }) {
    const valid = parsePriority(priority) !== undefined;
    return (
        <Field
            id="hook-priority"
            label={_("Priority")}
            help={valid ? _("Lower values run first.") : format(_("A whole number from 0 to $0"), highestPriority)}
            topic="priority"
            isInvalid={!valid}
        >
            <TextInput
                id="hook-priority"
                className="short-input"
                inputMode="numeric"
                value={priority}
                isInvalid={!valid}
                aria-describedby="hook-priority-help"
                onChange={onChange}
            />
        </Field>
    );
}

interface ProceedOnFieldProps {
    readonly kind: HookKind;
    readonly label: string;
    readonly codes: readonly number[];
    readonly onChange: (codes: number[]) => void;
}

export function ProceedOnField({ kind, label, codes, onChange }: ProceedOnFieldProps) {
    const actions = actionsOf(kind);
    const toggle = (code: number) => {
        const wanted = actions.map(action => action.code).filter(one => codes.includes(one) !== (one === code));
        onChange(wanted);
    };
    return (
        <FormGroup label={label} labelHelp={<Help topic="proceedOn" />} role="group" isFlat>
            <HelperText isError={codes.length === 0}>
                {codes.length === 0
                    ? _("Choose at least one result.")
                    : _("The next program runs after these results; any other ends the chain.")}
            </HelperText>
            <div className="action-grid">
                {actions.map(action => (
                    <Checkbox
                        key={action.code}
                        id={`proceed-on-${kind}-${action.word}`}
                        label={<code>{action.word}</code>}
                        description={_(action.help)}
                        isChecked={codes.includes(action.code)}
                        onChange={() => toggle(action.code)}
                    />
                ))}
            </div>
        </FormGroup>
    );
}
