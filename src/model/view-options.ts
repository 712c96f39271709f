// SPDX-License-Identifier: Apache-2.0
// What is chosen in a list (filter, order, groups), kept in its address: reload, links and Back bring it back. It is
// written in place of the address that is there, so that Back leaves the list at once.
import { useCallback, useEffect, useMemo, useState } from "react";
import type { Sort } from "../ui/rows.ts";

type Options = Readonly<Record<string, string | string[]>>;

/** A text of the address; what is the fallback is not written. */
export function useOption(name: string, fallback = ""): [string, (value: string) => void] {
    const [value, setValue] = useState(() => optionOf(cockpit.location.options, name) ?? fallback);
    useEffect(() => {
        const changed = () => setValue(optionOf(cockpit.location.options, name) ?? fallback);
        cockpit.addEventListener("locationchanged", changed);
        return () => cockpit.removeEventListener("locationchanged", changed);
    }, [name, fallback]);
    const change = useCallback(
        (next: string) => {
            // at once: a field whose text came back by way of the address would lose what is typed meanwhile
            setValue(next);
            const { path, options } = cockpit.location;
            cockpit.location.replace(path, withOption(options, name, next === fallback ? "" : next));
        },
        [name, fallback],
    );
    return [value, change];
}

/** One of a few; the first is the fallback. */
export function useChoice<Value extends string>(
    name: string,
    choices: readonly [Value, ...Value[]],
): [Value, (value: Value) => void] {
    const [text, change] = useOption(name, choices[0]);
    return [choices.find(choice => choice === text) ?? choices[0], change];
}

/** fallback: the same object from one rendering to the next */
export function useSort(fallback?: Sort): [Sort | undefined, (sort: Sort) => void] {
    const [text, change] = useOption("sort", fallback && sortText(fallback));
    const sort = useMemo(() => parseSort(text), [text]);
    const changeSort = useCallback((next: Sort) => change(sortText(next)), [change]);
    return [sort, changeSort];
}

export function optionOf(options: Options, name: string): string | undefined {
    const value = options[name];
    return typeof value === "string" ? value : undefined;
}

/** An empty value takes it away. */
export function withOption(options: Options, name: string, value: string): Record<string, string> {
    const texts = Object.entries(options).flatMap(([key, one]) => (typeof one === "string" ? [[key, one]] : []));
    const { [name]: _old, ...others }: Record<string, string> = Object.fromEntries(texts);
    return value === "" ? others : { ...others, [name]: value };
}

/** A column's id, after a minus where the largest are up. */
export function sortText({ by, descending }: Sort): string {
    return descending ? `-${by}` : by;
}

export function parseSort(text: string): Sort | undefined {
    const [, minus, by = ""] = /^(-?)(\w+)$/.exec(text) ?? [];
    return by === "" ? undefined : { by, descending: minus === "-" };
}
