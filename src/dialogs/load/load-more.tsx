// SPDX-License-Identifier: Apache-2.0
// What most loads leave as it is: application, metadata, and whose maps the programs use.
import { usePrograms } from "../../page.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Select } from "../../ui/choice.tsx";
import { Expandable } from "../../ui/expandable.tsx";
import { FormGroup } from "../../ui/form.tsx";
import { Icon } from "../../ui/icons.tsx";
import { TextInput } from "../../ui/text-field.tsx";
import { Help } from "../../views/shared/help.tsx";
import { Field } from "../field.tsx";
import type { LoadChoice, MetadataChoice } from "./load-choice.ts";

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
                    aria-describedby="load-application-help"
                    onChange={application => onChange({ ...choice, application })}
                />
            </Field>
            <FormGroup>
                <Expandable text={_("Maps and metadata")}>
                    <div className="fields">
                        <MapsField choice={choice} onChange={onChange} />
                        <Metadata rows={choice.metadata} onChange={metadata => onChange({ ...choice, metadata })} />
                    </div>
                </Expandable>
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
            <Select
                id="load-maps"
                describedBy="load-maps-help"
                value={String(choice.maps)}
                onChange={change}
                options={[
                    { value: "shared", text: _("shared by the programs of this load") },
                    { value: "private", text: _("each program has its own") },
                    ...programs.map(({ id, name }) => ({
                        value: String(id),
                        text: format(_("those of $0 (ID $1)"), shown(name), id),
                    })),
                ]}
            />
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
        <FormGroup label={_("Metadata")} labelHelp={<Help topic="metadata" />} role="group">
            {rows.map((row, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other identity
                <div key={index} className="metadata-row">
                    <TextInput
                        aria-label={format(_("Key $0"), index + 1)}
                        value={row.key}
                        placeholder={_("key")}
                        dir="auto"
                        onChange={key => change(index, { key })}
                    />
                    <TextInput
                        aria-label={format(_("Value $0"), index + 1)}
                        value={row.value}
                        placeholder={_("value")}
                        dir="auto"
                        onChange={value => change(index, { value })}
                    />
                    <Button
                        variant="plain"
                        icon={<Icon name="close" />}
                        label={format(_("Remove row $0"), index + 1)}
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
