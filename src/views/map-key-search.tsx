// SPDX-License-Identifier: Apache-2.0
// One entry by its key. A map without keys shows what it would give out next.
import { TextInput } from "@patternfly/react-core/dist/esm/components/TextInput/index.js";
import { type FormEvent, useId, useState } from "react";
import { CallError } from "../../client/errors.ts";
import { asError } from "../dialogs/frame.tsx";
import { _ } from "../i18n.ts";
import { type Entry, entryOf, type MapInfo } from "../map-model.ts";
import { hasKeys, keyForm } from "../map-text.ts";
import { usePage } from "../page.ts";
import { Button } from "../ui/button.tsx";
import { Help } from "./help.tsx";
import { EntryTable } from "./map-entry-table.tsx";
import { keyHelp } from "./map-key-help.ts";
import { Refusal } from "./refusal.tsx";
import { EntryValue } from "./value-tree.tsx";

interface KeySearchProps {
    readonly map: MapInfo;
    readonly asBytes: boolean;
    readonly onChanged?: () => void;
}

interface Found {
    readonly entry: Entry | undefined;
    readonly error: Error | undefined;
}

export function KeySearch({ map, asBytes, onChanged }: KeySearchProps) {
    const { client } = usePage();
    const [text, setText] = useState("");
    const [found, setFound] = useState<Found>();
    const id = useId();
    const keyed = hasKeys(map.type);
    const lookUp = async () => {
        try {
            const key = keyed ? { key: { text: text.trim() } } : {};
            setFound({ entry: entryOf(await client.lookupMap({ map: { id: map.id }, ...key })), error: undefined });
        } catch (cause) {
            setFound({ entry: undefined, error: asError(cause) });
        }
    };
    const submit = (event: FormEvent) => {
        event.preventDefault();
        if (text.trim() !== "" || !keyed) void lookUp();
    };
    return (
        <div className="key-search">
            <form onSubmit={submit}>
                {keyed && (
                    <TextInput
                        id={id}
                        aria-label={_("Find by key")}
                        aria-describedby={`${id}-help`}
                        placeholder={_("Find by key")}
                        value={text}
                        spellCheck={false}
                        autoComplete="off"
                        dir="auto"
                        onChange={(_event, typed) => {
                            setText(typed);
                            if (typed === "") setFound(undefined);
                        }}
                    />
                )}
                <Button variant="secondary" type="submit" isDisabled={keyed && text.trim() === ""}>
                    {keyed ? _("Find") : _("Show the next one")}
                </Button>
                {found && (
                    <Button
                        variant="link"
                        onClick={() => {
                            setText("");
                            setFound(undefined);
                        }}
                    >
                        {_("Clear")}
                    </Button>
                )}
            </form>
            {keyed && (
                <p id={`${id}-help`} className="note">
                    {keyHelp(map)}
                    {keyForm(map) === "prefix" && <Help topic="lpmKey" />}
                </p>
            )}
            <div role="status">
                {found?.error && <Failure map={map} error={found.error} />}
                {found?.entry &&
                    (keyed ? (
                        <EntryTable
                            map={map}
                            label={_("Found entry")}
                            entries={[found.entry]}
                            asBytes={asBytes}
                            onChanged={() => {
                                void lookUp();
                                onChanged?.();
                            }}
                        />
                    ) : (
                        <EntryValue entry={found.entry} asBytes={asBytes} />
                    ))}
            </div>
        </div>
    );
}

function Failure({ map, error }: { map: MapInfo; error: Error }) {
    if (error instanceof CallError && error.code === "NOT_FOUND")
        return <p className="not-found">{hasKeys(map.type) ? _("No entry has this key.") : _("The map is empty.")}</p>;
    return <Refusal title={_("The entry could not be read")} error={error} />;
}
