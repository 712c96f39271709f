// SPDX-License-Identifier: Apache-2.0
// Where and how a program attaches: the fields that the attach dialog and the load dialog share.
import { Checkbox } from "@patternfly/react-core/dist/esm/components/Checkbox/index.js";
import { FormGroup, FormHelperText } from "@patternfly/react-core/dist/esm/components/Form/index.js";
import { FormSelect, FormSelectOption } from "@patternfly/react-core/dist/esm/components/FormSelect/index.js";
import { HelperText, HelperTextItem } from "@patternfly/react-core/dist/esm/components/HelperText/index.js";
import { Radio } from "@patternfly/react-core/dist/esm/components/Radio/index.js";
import { TextInput } from "@patternfly/react-core/dist/esm/components/TextInput/index.js";
import { shown } from "../escape.ts";
import { _, format } from "../i18n.ts";
import type { Interface } from "../model.ts";
import { Help } from "../views/help.tsx";
import { actionsOf, type HookKind, interfaceLabel, typeLabel } from "../words.ts";
import { elsewhere, type HookChoice, highestPriority, parsePriority } from "./hook-choice.ts";

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
                <FormSelect
                    id="hook-interface"
                    value={choice.interfaceKey}
                    onChange={(_event, interfaceKey) => onChange({ ...choice, interfaceKey })}
                >
                    <FormSelectOption value="" label={_("Choose an interface")} isPlaceholder isDisabled />
                    {interfaces.map(iface => (
                        <FormSelectOption
                            key={iface.key}
                            value={iface.key}
                            label={shown(interfaceLabel(iface.name, iface.netns))}
                        />
                    ))}
                    <FormSelectOption value={elsewhere} label={_("In another network namespace…")} />
                </FormSelect>
            </FormGroup>
            {choice.interfaceKey === elsewhere && <ElsewhereFields choice={choice} onChange={onChange} />}
            {kinds.some(kind => kind !== "xdp") && (
                <FormGroup label={_("Direction")} role="radiogroup" isInline fieldId="hook-direction">
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
                    onChange={(_event, netns) => change({ netns })}
                />
            </FormGroup>
            <FormGroup label={_("Interface there")} fieldId="hook-interface-name">
                <TextInput
                    id="hook-interface-name"
                    value={choice.elsewhere.name}
                    onChange={(_event, name) => change({ name })}
                />
            </FormGroup>
        </>
    );
}

export function PriorityField({ priority, onChange }: { priority: string; onChange: (text: string) => void }) {
    const valid = parsePriority(priority) !== undefined;
    return (
        <FormGroup label={_("Priority")} labelHelp={<Help topic="priority" />} fieldId="hook-priority">
            <TextInput
                id="hook-priority"
                className="short-input"
                inputMode="numeric"
                value={priority}
                validated={valid ? "default" : "error"}
                aria-describedby="hook-priority-help"
                onChange={(_event, text) => onChange(text)}
            />
            <FormHelperText>
                <HelperText id="hook-priority-help">
                    <HelperTextItem variant={valid ? "default" : "error"}>
                        {valid
                            ? _("Lower values run first.")
                            : format(_("A whole number from 0 to $0"), highestPriority)}
                    </HelperTextItem>
                </HelperText>
            </FormHelperText>
        </FormGroup>
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
        <FormGroup label={label} labelHelp={<Help topic="proceedOn" />} role="group" fieldId={`proceed-on-${kind}`}>
            <FormHelperText>
                <HelperText>
                    <HelperTextItem variant={codes.length === 0 ? "error" : "default"}>
                        {codes.length === 0
                            ? _("Choose at least one result.")
                            : _("The next program runs after these results; any other ends the chain.")}
                    </HelperTextItem>
                </HelperText>
            </FormHelperText>
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
