// SPDX-License-Identifier: Apache-2.0
// The second half of loading: which programs of the object, with which values, and where they attach.
import type { Interface } from "../../model/model.ts";
import { shown } from "../../text/escape.ts";
import { _, format, ngettext } from "../../text/i18n.ts";
import { anyKind, hookKind, isBoundAtLoad, probeKind, typeLabel } from "../../text/words.ts";
import { Checkbox, Select } from "../../ui/choice.tsx";
import { Expandable } from "../../ui/expandable.tsx";
import { FormGroup, HelperText } from "../../ui/form.tsx";
import { TextInput } from "../../ui/text-field.tsx";
import { Help } from "../../views/shared/help.tsx";
import { initialHook } from "../attach/hook-choice.ts";
import { HookFields } from "../attach/hook-fields.tsx";
import { initialProbe } from "../attach/probe-choice.ts";
import { ProbeFields } from "../attach/probe-fields.tsx";
import { TargetInput } from "../attach/target-input.tsx";
import { Field } from "../field.tsx";
import { examples } from "./examples.ts";
import {
    chosenKinds,
    type GlobalChoice,
    isValid,
    type LoadChoice,
    type ProgramChoice,
    valueText,
} from "./load-choice.ts";
import { LoadMore } from "./load-more.tsx";

interface LoadFieldsProps {
    readonly choice: LoadChoice;
    readonly onChange: (choice: LoadChoice) => void;
    readonly interfaces: readonly Interface[];
}

export function LoadFields({ choice, onChange, interfaces }: LoadFieldsProps) {
    const changeProgram = (changed: ProgramChoice) =>
        onChange({ ...choice, programs: choice.programs.map(one => (one.name === changed.name ? changed : one)) });
    const changeGlobal = (changed: GlobalChoice) =>
        onChange({ ...choice, globals: choice.globals.map(one => (one.name === changed.name ? changed : one)) });
    const atInterfaces = chosenKinds(choice).flatMap(kind => hookKind(kind) ?? []);
    const probes = choice.programs.flatMap((program, index) => {
        const kind = program.isChosen && program.type ? probeKind(program.type) : undefined;
        return kind ? [{ program, index, kind }] : [];
    });
    return (
        <>
            <FormGroup label={_("Programs")} role="group" isFlat>
                {choice.programs.map((program, index) => (
                    <ProgramRow key={program.name} index={index} program={program} onChange={changeProgram} />
                ))}
                {choice.programs.length === 0 && <p>{_("The object holds no programs.")}</p>}
            </FormGroup>
            {choice.globals.length > 0 && <Globals globals={choice.globals} onChange={changeGlobal} />}
            <LoadMore choice={choice} onChange={onChange} />
            <FormGroup>
                <Checkbox
                    id="load-attach"
                    label={_("Attach at once")}
                    isChecked={choice.hook !== undefined}
                    onChange={wanted => onChange({ ...choice, hook: wanted ? initialHook() : undefined })}
                />
            </FormGroup>
            {choice.hook && (atInterfaces.length > 0 || probes.length === 0) && (
                <HookFields
                    choice={choice.hook}
                    onChange={hook => onChange({ ...choice, hook })}
                    kinds={atInterfaces}
                    interfaces={interfaces}
                />
            )}
            {choice.hook &&
                probes.map(({ program, index, kind }) => (
                    <section key={program.name} className="field-group">
                        <h2 className="field-group-title">{format(_("Where $0 attaches"), shown(program.name))}</h2>
                        <ProbeFields
                            id={`load-probe-${index}`}
                            kind={kind}
                            choice={program.probe}
                            onChange={probe => changeProgram({ ...program, probe })}
                        />
                    </section>
                ))}
        </>
    );
}

interface ProgramRowProps {
    readonly index: number;
    readonly program: ProgramChoice;
    readonly onChange: (program: ProgramChoice) => void;
}

function ProgramRow({ index, program, onChange }: ProgramRowProps) {
    const name = shown(program.name);
    const changeType = (word: string) => {
        const type = anyKind(word);
        onChange({ ...program, type, probe: initialProbe(type && probeKind(type), program.section) });
    };
    return (
        <>
            <div className="program-row">
                <Checkbox
                    id={`load-program-${index}`}
                    label={name}
                    description={
                        program.type
                            ? format(_("Section $0"), shown(program.section))
                            : format(_("Section $0 can't be loaded here"), shown(program.section))
                    }
                    isChecked={program.isChosen}
                    isDisabled={program.type === undefined}
                    onChange={isChosen => onChange({ ...program, isChosen })}
                />
                {program.types.length > 1 ? (
                    <Select
                        className="type-select"
                        label={format(_("Type of $0"), name)}
                        value={program.type ?? ""}
                        onChange={changeType}
                        options={program.types.map(type => ({ value: type, text: typeLabel(type) }))}
                    />
                ) : (
                    <span className="note">{program.type && typeLabel(program.type)}</span>
                )}
            </div>
            {program.isChosen && isBoundAtLoad(program.type) && (
                <Field
                    id={`load-function-${index}`}
                    label={program.type === "lsm" ? _("Security hook") : _("Kernel function")}
                    help={_("It is loaded for this one and attaches to no other.")}
                    topic={program.type === "lsm" ? "lsm" : "tracing"}
                >
                    <TargetInput
                        id={`load-function-${index}`}
                        targets={{ kind: program.type === "lsm" ? "lsm" : "fentry" }}
                        value={program.attachFunction}
                        onChange={attachFunction => onChange({ ...program, attachFunction })}
                        placeholder={program.type === "lsm" ? examples.securityHook : examples.kernelFunction}
                    />
                </Field>
            )}
        </>
    );
}

function Globals({
    globals,
    onChange,
}: {
    globals: readonly GlobalChoice[];
    onChange: (global: GlobalChoice) => void;
}) {
    return (
        <FormGroup label={_("Global variables")} labelHelp={<Help topic="globals" />} role="group">
            <Expandable text={ngettext("$0 global variable", "$0 global variables", globals.length)}>
                <div className="globals">
                    {globals.map((global, index) => (
                        <GlobalRow key={global.name} index={index} global={global} onChange={onChange} />
                    ))}
                </div>
            </Expandable>
        </FormGroup>
    );
}

interface GlobalRowProps {
    readonly index: number;
    readonly global: GlobalChoice;
    readonly onChange: (global: GlobalChoice) => void;
}

function GlobalRow({ index, global, onChange }: GlobalRowProps) {
    const id = `load-global-${index}`;
    const valid = isValid(global);
    const initial = valueText(global.initial);
    const change = (value: string) => onChange({ ...global, value });
    const help = `${id}-help`;
    const unchanged = initial === "" ? _("unchanged") : format(_("unchanged: $0"), shown(initial));
    return (
        <div>
            <label htmlFor={id}>
                <code>{shown(global.name)}</code>
            </label>
            {/^(const |volatile )*(bool|_Bool)$/.test(global.type) ? (
                <Select
                    id={id}
                    describedBy={help}
                    value={global.value}
                    onChange={change}
                    options={[
                        { value: "", text: unchanged },
                        ...["true", "false"].map(word => ({ value: word, text: word })),
                    ]}
                />
            ) : (
                <TextInput
                    id={id}
                    aria-describedby={help}
                    value={global.value}
                    dir="auto"
                    isInvalid={!valid}
                    placeholder={unchanged}
                    onChange={change}
                />
            )}
            <HelperText id={help} isError={!valid}>
                {globalHelp(global)}
            </HelperText>
        </div>
    );
}

function globalHelp({ type, sizeBytes }: GlobalChoice): string {
    if (type !== "") return format(_("Type $0"), shown(type));
    return ngettext(
        "$0 byte: two hexadecimal digits",
        "$0 bytes: two hexadecimal digits each, in the order they have in memory",
        sizeBytes,
    );
}
