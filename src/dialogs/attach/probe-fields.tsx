// SPDX-License-Identifier: Apache-2.0
// Where a program attaches that is at no interface: the fields of each kind.
import { _ } from "../../text/i18n.ts";
import type { ProbeKind } from "../../text/words.ts";
import { Radio } from "../../ui/choice.tsx";
import { Expandable } from "../../ui/expandable.tsx";
import { FormGroup } from "../../ui/form.tsx";
import { TextInput } from "../../ui/text-field.tsx";
import { Field } from "../field.tsx";
import { examples } from "../load/examples.ts";
import { offsetOf, type ProbeChoice, wholeNumber } from "./probe-choice.ts";
import { TargetInput } from "./target-input.tsx";

interface ProbeFieldsProps {
    /** beginning of the fields' ids */
    readonly id: string;
    readonly kind: ProbeKind;
    readonly choice: ProbeChoice;
    readonly onChange: (choice: ProbeChoice) => void;
}

export function ProbeFields({ id, kind, choice, onChange }: ProbeFieldsProps) {
    const change = (part: Partial<ProbeChoice>) => onChange({ ...choice, ...part });
    switch (kind) {
        case "tracepoint":
        case "raw_tracepoint":
            return (
                <Field id={`${id}-target`} label={_("Tracepoint")} help={tracepointHelp(kind)} topic="tracing">
                    <TargetInput
                        id={`${id}-target`}
                        targets={{ kind }}
                        value={choice.target}
                        onChange={target => change({ target })}
                        placeholder={kind === "tracepoint" ? examples.tracepoint : examples.rawTracepoint}
                    />
                </Field>
            );
        case "kprobe":
        case "kretprobe":
            return (
                <>
                    <Field id={`${id}-target`} label={_("Kernel function")} help={functionHelp(kind)} topic="tracing">
                        <TargetInput
                            id={`${id}-target`}
                            targets={{ kind: "kprobe" }}
                            value={choice.target}
                            onChange={target => change({ target })}
                            placeholder={examples.kernelFunction}
                        />
                    </Field>
                    {kind === "kprobe" && <OffsetField id={id} choice={choice} onChange={change} />}
                </>
            );
        case "uprobe":
        case "uretprobe":
            return <UprobeFields id={id} choice={choice} onChange={change} />;
        case "perf_event":
            return <PerfEventFields id={id} choice={choice} onChange={change} />;
        case "cgroup":
            return (
                <Field
                    id={`${id}-target`}
                    label={_("Control group")}
                    help={_("The program runs for the processes of this group and of those below it.")}
                    topic="cgroup"
                >
                    <TargetInput
                        id={`${id}-target`}
                        targets={{ kind }}
                        value={choice.target}
                        onChange={target => change({ target })}
                        placeholder={examples.cgroup}
                    />
                </Field>
            );
        case "fentry":
        case "fexit":
        case "lsm":
            return (
                <FormGroup>
                    <p className="note">{_("It attaches to the function that it was loaded for.")}</p>
                </FormGroup>
            );
    }
}

interface PartProps {
    readonly id: string;
    readonly choice: ProbeChoice;
    readonly onChange: (part: Partial<ProbeChoice>) => void;
}

function UprobeFields({ id, choice, onChange }: PartProps) {
    const containerPid = wholeNumber(choice.containerPid, 2 ** 31 - 1);
    return (
        <>
            <Field
                id={`${id}-file`}
                label={_("Program or library")}
                help={_("A path, or the name of a library as “libc”.")}
                topic="tracing"
            >
                <TargetInput
                    id={`${id}-file`}
                    targets={{ kind: "library", ...(containerPid ? { containerPid } : {}) }}
                    value={choice.file}
                    onChange={file => onChange({ file })}
                    placeholder={examples.file}
                />
            </Field>
            <Field
                id={`${id}-symbol`}
                label={_("Function")}
                help={_("Without one, the offset counts from the file's beginning.")}
            >
                <TargetInput
                    id={`${id}-symbol`}
                    targets={{ kind: "symbol", path: choice.file.trim(), ...(containerPid ? { containerPid } : {}) }}
                    value={choice.symbol}
                    onChange={symbol => onChange({ symbol })}
                    placeholder={examples.symbol}
                />
            </Field>
            <OffsetField id={id} choice={choice} onChange={onChange} />
            <FormGroup>
                <Expandable text={_("One process, or a container")}>
                    <div className="fields">
                        <NumberField
                            id={`${id}-pid`}
                            label={_("Process ID")}
                            help={_("Fires in this process only; empty: in all.")}
                            value={choice.pid}
                            onChange={pid => onChange({ pid })}
                        />
                        <NumberField
                            id={`${id}-container-pid`}
                            label={_("Process ID in a container")}
                            help={_("The file is looked up as this process sees it.")}
                            value={choice.containerPid}
                            onChange={pid => onChange({ containerPid: pid })}
                        />
                    </div>
                </Expandable>
            </FormGroup>
        </>
    );
}

function PerfEventFields({ id, choice, onChange }: PartProps) {
    return (
        <>
            <Field
                id={`${id}-target`}
                label={_("Event")}
                help={_("What is counted; a sample is taken now and then.")}
                topic="tracing"
            >
                <TargetInput
                    id={`${id}-target`}
                    targets={{ kind: "perf_event" }}
                    value={choice.target}
                    onChange={target => onChange({ target })}
                />
            </Field>
            <FormGroup label={_("Sample")} role="radiogroup" isInline isFlat>
                <Radio
                    id={`${id}-frequency`}
                    name={`${id}-rate-by`}
                    label={_("so many times a second")}
                    isChecked={choice.rateBy === "frequency"}
                    onChange={() => onChange({ rateBy: "frequency", rate: "99" })}
                />
                <Radio
                    id={`${id}-period`}
                    name={`${id}-rate-by`}
                    label={_("after so many events")}
                    isChecked={choice.rateBy === "period"}
                    onChange={() => onChange({ rateBy: "period", rate: "1000000" })}
                />
            </FormGroup>
            <NumberField
                id={`${id}-rate`}
                label={choice.rateBy === "frequency" ? _("Samples a second") : _("Events between samples")}
                help={_("The kernel limits what samples may cost.")}
                value={choice.rate}
                isInvalid={!wholeNumber(choice.rate, 2 ** 32 - 1)}
                onChange={rate => onChange({ rate })}
            />
            <NumberField
                id={`${id}-cpu`}
                label={_("CPU")}
                help={_("Empty: every CPU that is online.")}
                value={choice.cpu}
                onChange={cpu => onChange({ cpu })}
            />
        </>
    );
}

function OffsetField({ id, choice, onChange }: PartProps) {
    return (
        <NumberField
            id={`${id}-offset`}
            label={_("Offset")}
            help={_("Bytes from there, decimal or as 0x1f. Empty: none.")}
            value={choice.offset}
            isInvalid={offsetOf(choice.offset) === undefined}
            onChange={offset => onChange({ offset })}
        />
    );
}

interface NumberFieldProps {
    readonly id: string;
    readonly label: string;
    readonly help: string;
    readonly value: string;
    /** whole numbers are told by themselves */
    readonly isInvalid?: boolean;
    readonly onChange: (value: string) => void;
}

function NumberField({ id, label, help, value, isInvalid, onChange }: NumberFieldProps) {
    const invalid = isInvalid ?? wholeNumber(value, 2 ** 31 - 1) === undefined;
    return (
        <Field id={id} label={label} help={invalid ? _("This is no whole number.") : help} isInvalid={invalid}>
            <TextInput
                id={id}
                className="short-input"
                inputMode="numeric"
                value={value}
                isInvalid={invalid}
                aria-describedby={`${id}-help`}
                onChange={onChange}
            />
        </Field>
    );
}

function tracepointHelp(kind: "tracepoint" | "raw_tracepoint"): string {
    return kind === "tracepoint"
        ? _("Group and name. Names that fit are offered as you type.")
        : _("The name alone: a raw tracepoint gives the kernel's own arguments.");
}

function functionHelp(kind: "kprobe" | "kretprobe"): string {
    return kind === "kprobe" ? _("The program runs when it is called.") : _("The program runs when it returns.");
}
