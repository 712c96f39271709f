// SPDX-License-Identifier: Apache-2.0
// The second half of loading: which programs of the object, with which values, and where they attach.
import { Checkbox } from "@patternfly/react-core/dist/esm/components/Checkbox/index.js";
import { ExpandableSection } from "@patternfly/react-core/dist/esm/components/ExpandableSection/index.js";
import { FormGroup, FormHelperText } from "@patternfly/react-core/dist/esm/components/Form/index.js";
import { FormSelect, FormSelectOption } from "@patternfly/react-core/dist/esm/components/FormSelect/index.js";
import { HelperText, HelperTextItem } from "@patternfly/react-core/dist/esm/components/HelperText/index.js";
import { TextInput } from "@patternfly/react-core/dist/esm/components/TextInput/index.js";
import { shown } from "../escape.ts";
import { _, format, ngettext } from "../i18n.ts";
import type { Interface } from "../model.ts";
import { hookKind, typeLabel } from "../words.ts";
import { initialHook } from "./hook-choice.ts";
import { HookFields } from "./hook-fields.tsx";
import { chosenKinds, type GlobalChoice, globalBytes, type LoadChoice, type ProgramChoice } from "./load-choice.ts";

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
    return (
        <>
            <FormGroup label={_("Programs")} role="group" fieldId="load-programs" hasNoPaddingTop>
                {choice.programs.map((program, index) => (
                    <ProgramRow key={program.name} index={index} program={program} onChange={changeProgram} />
                ))}
                {choice.programs.length === 0 && <p>{_("The object holds no programs.")}</p>}
            </FormGroup>
            <FormGroup label={_("Application")} fieldId="load-application">
                <TextInput
                    id="load-application"
                    value={choice.application}
                    onChange={(_event, application) => onChange({ ...choice, application })}
                />
                <FormHelperText>
                    <HelperText>
                        <HelperTextItem>{_("Optional. Tells which programs belong together.")}</HelperTextItem>
                    </HelperText>
                </FormHelperText>
            </FormGroup>
            {choice.globals.length > 0 && <Globals globals={choice.globals} onChange={changeGlobal} />}
            <FormGroup fieldId="load-attach">
                <Checkbox
                    id="load-attach"
                    label={_("Attach at once")}
                    isChecked={choice.hook !== undefined}
                    onChange={(_event, wanted) => onChange({ ...choice, hook: wanted ? initialHook() : undefined })}
                />
            </FormGroup>
            {choice.hook && (
                <HookFields
                    choice={choice.hook}
                    onChange={hook => onChange({ ...choice, hook })}
                    kinds={chosenKinds(choice)}
                    interfaces={interfaces}
                />
            )}
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
    return (
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
                onChange={(_event, isChosen) => onChange({ ...program, isChosen })}
            />
            {program.types.length > 1 ? (
                <FormSelect
                    className="type-select"
                    aria-label={format(_("Type of $0"), name)}
                    value={program.type}
                    onChange={(_event, type) => onChange({ ...program, type: hookKind(type) })}
                >
                    {program.types.map(type => (
                        <FormSelectOption key={type} value={type} label={typeLabel(type)} />
                    ))}
                </FormSelect>
            ) : (
                <span className="note">{program.type && typeLabel(program.type)}</span>
            )}
        </div>
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
        <FormGroup fieldId="load-globals">
            <ExpandableSection
                toggleText={ngettext("$0 global variable", "$0 global variables", globals.length)}
                toggleId="load-globals"
                contentId="load-globals-content"
            >
                <div className="globals">
                    {globals.map((global, index) => (
                        <GlobalRow key={global.name} index={index} global={global} onChange={onChange} />
                    ))}
                </div>
            </ExpandableSection>
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
    const valid = globalBytes(global) !== undefined;
    return (
        <div>
            <label htmlFor={id}>
                <code>{shown(global.name)}</code>
            </label>
            <TextInput
                id={id}
                value={global.value}
                validated={valid ? "default" : "error"}
                placeholder={_("unchanged")}
                aria-describedby={`${id}-help`}
                onChange={(_event, value) => onChange({ ...global, value })}
            />
            <HelperText id={`${id}-help`}>
                <HelperTextItem variant={valid ? "default" : "error"}>
                    {ngettext(
                        "$0 byte: two hexadecimal digits",
                        "$0 bytes: two hexadecimal digits each, in the order they have in memory",
                        global.sizeBytes,
                    )}
                </HelperTextItem>
            </HelperText>
        </div>
    );
}
