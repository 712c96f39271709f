// SPDX-License-Identifier: Apache-2.0
// What most loads leave as it is: application, metadata, and whose maps the programs use.
import { ExpandableSection } from "@patternfly/react-core/dist/esm/components/ExpandableSection/index.js";
import { FormGroup } from "@patternfly/react-core/dist/esm/components/Form/index.js";
import { FormSelect, FormSelectOption } from "@patternfly/react-core/dist/esm/components/FormSelect/index.js";
import { TextInput } from "@patternfly/react-core/dist/esm/components/TextInput/index.js";
import { shown } from "../escape.ts";
import { _, format } from "../i18n.ts";
import { usePrograms } from "../page.ts";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icons.tsx";
import { Help } from "../views/help.tsx";
import type { LoadChoice, MetadataChoice } from "./load-choice.ts";
import { Field } from "./probe-fields.tsx";

interface LoadMoreProps {
    readonly choice: LoadChoice;
    readonly onChange: (choice: LoadChoice) => void;
}

export function LoadMore({ choice, onChange }: LoadMoreProps) {
    return (
        <>
            <Field
                id="load-application"
                label={_("Application")}
                help={_("Optional. Tells which programs belong together.")}
            >
                <TextInput
                    id="load-application"
                    value={choice.application}
                    onChange={(_event, application) => onChange({ ...choice, application })}
                />
            </Field>
            <FormGroup fieldId="load-more">
                <ExpandableSection
                    toggleText={_("Maps and metadata")}
                    toggleId="load-more"
                    contentId="load-more-content"
                >
                    <div className="fields">
                        <MapsField choice={choice} onChange={onChange} />
                        <Metadata rows={choice.metadata} onChange={metadata => onChange({ ...choice, metadata })} />
                    </div>
                </ExpandableSection>
            </FormGroup>
        </>
    );
}

function MapsField({ choice, onChange }: LoadMoreProps) {
    const programs = (usePrograms(false).value ?? []).filter(program => program.managed);
    const change = (value: string) => {
        const maps = value === "shared" || value === "private" ? value : Number(value);
        onChange({ ...choice, maps });
    };
    return (
        <Field
            id="load-maps"
            label={_("Maps")}
            help={_("Maps hold what programs count and look up. Programs that share them see the same entries.")}
            topic="mapSharing"
        >
            <FormSelect id="load-maps" value={String(choice.maps)} onChange={(_event, value) => change(value)}>
                <FormSelectOption value="shared" label={_("shared by the programs of this load")} />
                <FormSelectOption value="private" label={_("each program has its own")} />
                {programs.map(({ id, name }) => (
                    <FormSelectOption
                        key={id}
                        value={String(id)}
                        label={format(_("those of $0 (ID $1)"), shown(name), id)}
                    />
                ))}
            </FormSelect>
        </Field>
    );
}

interface MetadataProps {
    readonly rows: readonly MetadataChoice[];
    readonly onChange: (rows: readonly MetadataChoice[]) => void;
}

function Metadata({ rows, onChange }: MetadataProps) {
    const change = (at: number, part: Partial<MetadataChoice>) =>
        onChange(rows.map((row, index) => (index === at ? { ...row, ...part } : row)));
    return (
        <FormGroup label={_("Metadata")} labelHelp={<Help topic="metadata" />} role="group" fieldId="load-metadata">
            {rows.map((row, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other identity
                <div key={index} className="metadata-row">
                    <TextInput
                        aria-label={format(_("Key $0"), index + 1)}
                        value={row.key}
                        placeholder={_("key")}
                        dir="auto"
                        onChange={(_event, key) => change(index, { key })}
                    />
                    <TextInput
                        aria-label={format(_("Value $0"), index + 1)}
                        value={row.value}
                        placeholder={_("value")}
                        dir="auto"
                        onChange={(_event, value) => change(index, { value })}
                    />
                    <Button
                        variant="plain"
                        icon={<Icon name="close" />}
                        aria-label={format(_("Remove row $0"), index + 1)}
                        onClick={() => onChange(rows.filter((_row, at) => at !== index))}
                    />
                </div>
            ))}
            <Button
                variant="link"
                isInline
                icon={<Icon name="plus" />}
                onClick={() => onChange([...rows, { key: "", value: "" }])}
            >
                {_("Add metadata")}
            </Button>
        </FormGroup>
    );
}
