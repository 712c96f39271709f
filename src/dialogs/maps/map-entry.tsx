// SPDX-License-Identifier: Apache-2.0
// A new entry of a map, or another value for one that is there.
import { useState } from "react";
import type { Entry, MapInfo } from "../../model/map-model.ts";
import { blank, type Datum, editable, isArray, isTree, zeroHex } from "../../model/map-text.ts";
import { usePage } from "../../page.ts";
import { _, format } from "../../text/i18n.ts";
import { Form, FormGroup } from "../../ui/form.tsx";
import { TextArea, TextInput } from "../../ui/text-field.tsx";
import { keyHelp } from "../../views/maps/map-key-help.ts";
import { mapLabel } from "../../views/maps/maps.tsx";
import { DatumView, datumText, EntryValue } from "../../views/maps/value-tree.tsx";
import { Field } from "../field.tsx";
import { ActionDialog } from "../frame.tsx";
import { ForeignMapField, mayChange } from "./map-foreign.tsx";

interface EntryDialogProps {
    readonly map: MapInfo;
    /** the one to change; absent: a new one */
    readonly entry?: Entry;
    /** one that shows the shape of a new one */
    readonly like?: Entry | undefined;
    readonly onDone: () => void;
}

export function EntryDialog({ map, entry, like, onDone }: EntryDialogProps) {
    const { client, notify } = usePage();
    const [key, setKey] = useState(() => initialKey(map, like));
    const [value, setValue] = useState(() => initialValue(map, entry, like));
    const [agreed, setAgreed] = useState(false);
    const name = mapLabel(map);
    const run = async () => {
        await client.updateMap({
            map: { id: map.id },
            key: entry ? { bytes: entry.key.bytes } : { text: key.trim() },
            value: { text: value.trim() },
            // every entry of an array is there
            mode: isArray(map.type) ? "any" : entry ? "exist" : "noexist",
            force: !map.managed && agreed,
        });
        notify(
            entry
                ? format(_("Entry $0 of $1 changed"), datumText(entry.key), name)
                : format(_("Entry added to $0"), name),
        );
        onDone();
    };
    return (
        <ActionDialog
            title={entry ? format(_("Change an entry of $0"), name) : format(_("Add an entry to $0"), name)}
            action={entry ? _("Change entry") : _("Add entry")}
            failure={entry ? _("The entry was not changed") : _("The entry was not added")}
            run={run}
            isDisabled={value.trim() === "" || (!entry && key.trim() === "") || !mayChange(map, agreed)}
            focus={entry ? "#entry-value" : "#entry-key"}
        >
            <Form isHorizontal>
                {entry ? (
                    <>
                        <FormGroup label={_("Key")} isFlat>
                            <DatumView datum={entry.key} asBytes={false} />
                        </FormGroup>
                        <FormGroup label={_("Value now")} isFlat>
                            <EntryValue entry={entry} asBytes={false} />
                        </FormGroup>
                    </>
                ) : (
                    <DatumField
                        id="entry-key"
                        label={_("Key")}
                        text={key}
                        onChange={setKey}
                        help={keyHelp(map)}
                        isTall={isTree(like?.key.json)}
                    />
                )}
                <DatumField
                    id="entry-value"
                    label={entry ? _("New value") : _("Value")}
                    text={value}
                    onChange={setValue}
                    help={valueHelp(map)}
                    isTall={value.includes("\n") || value.length > 60}
                />
            </Form>
            <ForeignMapField map={map} agreed={agreed} onChange={setAgreed} />
        </ActionDialog>
    );
}

interface DatumFieldProps {
    readonly id: string;
    readonly label: string;
    readonly text: string;
    readonly onChange: (text: string) => void;
    readonly help: string;
    readonly isTall: boolean;
}

function DatumField({ id, label, text, onChange, help, isTall }: DatumFieldProps) {
    const shared = {
        id,
        value: text,
        onChange,
        "aria-describedby": `${id}-help`,
        spellCheck: false,
        autoComplete: "off",
        dir: "auto",
        className: "code-input",
    };
    // what field it is does not change while one types
    const [tall] = useState(isTall);
    return (
        <Field id={id} label={label} help={help}>
            {tall ? <TextArea {...shared} rows={12} /> : <TextInput {...shared} />}
        </Field>
    );
}

function initialKey(map: MapInfo, like: Entry | undefined): string {
    const json = like?.key.json;
    return isTree(json) && map.type !== "lpm_trie" ? JSON.stringify(blank(json), undefined, 2) : "";
}

function initialValue(map: MapInfo, entry: Entry | undefined, like: Entry | undefined): string {
    if (entry) return editable(datumOf(entry));
    const json = like && datumOf(like).json;
    if (isTree(json)) return JSON.stringify(blank(json), undefined, 2);
    return map.valueType === "" && map.valueBytes > 8 ? zeroHex(map.valueBytes) : "";
}

/** Of a per-CPU map the first CPU's stands for all. */
function datumOf(entry: Entry): Datum {
    return entry.cpus[0]?.value ?? entry.value;
}

function valueHelp(map: MapInfo): string {
    const form =
        map.valueType === ""
            ? format(_("A number, or $0 bytes as $1."), map.valueBytes, "hex:00 0a")
            : format(_("$0: a number, text or JSON as its type has it, or bytes as $1."), map.valueType, "hex:00 0a");
    return map.perCpu ? `${form} ${_("The value of every CPU is set to it.")}` : form;
}
