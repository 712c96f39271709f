// SPDX-License-Identifier: Apache-2.0
// One entry by its key. A map without keys shows what it would give out next.
import { type FormEvent, useEffect, useId, useState } from "react";
import { CallError } from "../../../client/errors.ts";
import { asError } from "../../dialogs/frame.tsx";
import { type Entry, entryOf, type MapInfo } from "../../model/map-model.ts";
import { hasKeys, keyForm } from "../../model/map-text.ts";
import { usePage } from "../../page.ts";
import { _ } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { TextInput } from "../../ui/text-field.tsx";
import { Help } from "../shared/help.tsx";
import { Refusal } from "../shared/refusal.tsx";
import { EntryTable } from "./map-entry-table.tsx";
import { keyHelp } from "./map-key-help.ts";
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
    const [text, setText] = useState("");
    const [wanted, setWanted] = useState<string>();
    const { found, again } = useLookup(map, wanted);
    const id = useId();
    const keyed = hasKeys(map.type);
    const submit = (event: FormEvent) => {
        event.preventDefault();
        if (keyed && text.trim() === "") return;
        setWanted(text.trim());
        again();
    };
    const clear = () => {
        setText("");
        setWanted(undefined);
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
                        onChange={typed => (typed === "" ? clear() : setText(typed))}
                    />
                )}
                <Button variant="secondary" type="submit" isDisabled={keyed && text.trim() === ""}>
                    {keyed ? _("Find") : _("Show the next one")}
                </Button>
                {found && (
                    <Button variant="link" onClick={clear}>
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
                                again();
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

/** What the key has, also after the map changed. wanted: undefined where nothing was asked for */
function useLookup(map: MapInfo, wanted: string | undefined) {
    const { client } = usePage();
    const [found, setFound] = useState<Found>();
    const [round, setRound] = useState(0);
    // biome-ignore lint/correctness/useExhaustiveDependencies: map and round stand for what happened
    useEffect(() => {
        if (wanted === undefined) {
            setFound(undefined);
            return undefined;
        }
        const left = new AbortController();
        const { signal } = left;
        const key = hasKeys(map.type) ? { key: { text: wanted } } : {};
        client.lookupMap({ map: { id: map.id }, ...key }, { signal }).then(
            entry => signal.aborted || setFound({ entry: entryOf(entry), error: undefined }),
            cause => signal.aborted || setFound({ entry: undefined, error: asError(cause) }),
        );
        return () => left.abort(new Error("left"));
    }, [client, map, wanted, round]);
    return { found, again: () => setRound(count => count + 1) };
}

function Failure({ map, error }: { map: MapInfo; error: Error }) {
    if (error instanceof CallError && error.code === "NOT_FOUND")
        return <p className="not-found">{hasKeys(map.type) ? _("No entry has this key.") : _("The map is empty.")}</p>;
    return <Refusal title={_("The entry could not be read")} error={error} />;
}
