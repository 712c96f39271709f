// SPDX-License-Identifier: Apache-2.0
// Global variables as they are now. They live in maps of their own (.rodata, .data, .bss), whose BTF names them.
import { useCallback, useMemo } from "react";
import { fromBase64 } from "../../../client/base64.ts";
import type { BpfMap, Program } from "../../model/model.ts";
import { useFetched, usePage } from "../../page.ts";
import { routeHref } from "../../route.ts";
import { shown } from "../../text/escape.ts";
import { _ } from "../../text/i18n.ts";
import { Card } from "../../ui/card.tsx";
import { EmptyState, Loading } from "../../ui/empty.tsx";
import { type Column, DataTable } from "../../ui/table.tsx";
import { Explained } from "../shared/help.tsx";
import { Refusal } from "../shared/refusal.tsx";

interface Variable {
    readonly name: string;
    readonly value: string;
    readonly map: BpfMap;
    /** its bytes, where it was set when the program was loaded */
    readonly setTo: string;
}

// libbpf names them OBJECT.rodata, cut to the kernel's 15 bytes at the end of the object's name
const globalName = /\.(?:rodata|data|bss)(?:\..*)?$/;

export function globalMaps(maps: readonly BpfMap[]): BpfMap[] {
    return maps.filter(map => globalName.test(map.name));
}

export function GlobalsTab({ program, maps }: { program: Program; maps: readonly BpfMap[] }) {
    const { client } = usePage();
    const ids = globalMaps(maps)
        .map(map => map.id)
        .join();
    const { globalData } = program.json.record ?? {};
    // biome-ignore lint/correctness/useExhaustiveDependencies: the same maps are other objects after each change
    const fetch = useCallback(async () => {
        const pages = await Promise.all(
            globalMaps(maps).map(async map => {
                const { entries = [] } = await client.dumpMap({ map: { id: map.id }, pageSize: 1 });
                return { map, value: entries[0]?.valueJson };
            }),
        );
        return pages.flatMap(({ map, value }) => variablesOf(map, value, globalData ?? {}));
    }, [client, ids, globalData]);
    const { value: variables, error } = useFetched(fetch);
    const columns = useMemo(variableColumns, []);
    return (
        <Card title={<Explained topic="globals">{_("Global variables")}</Explained>} isFlush>
            {error && (
                <div className="inset">
                    <Refusal title={_("This can't be shown")} error={error} />
                </div>
            )}
            {!variables && !error && <Loading level={3} />}
            {variables && (
                <DataTable
                    label={_("Global variables")}
                    columns={columns}
                    rows={variables}
                    keyOf={({ name, map }) => `${map.id} ${name}`}
                    empty={
                        <EmptyState isSmall level={3} title={_("No global variables are known")}>
                            {_("The object has no BTF, which would name them.")}
                        </EmptyState>
                    }
                />
            )}
        </Card>
    );
}

function variablesOf(map: BpfMap, value: unknown, globalData: Readonly<Record<string, string>>): Variable[] {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
    return Object.entries(value).map(([name, of]) => ({
        name,
        value: typeof of === "string" ? of : JSON.stringify(of),
        map,
        setTo: globalData[name] === undefined ? "" : hex(globalData[name]),
    }));
}

function hex(base64: string): string {
    return `0x${[...fromBase64(base64)].map(byte => byte.toString(16).padStart(2, "0")).join("")}`;
}

function variableColumns(): Column<Variable>[] {
    return [
        {
            id: "name",
            title: _("Name"),
            wrap: "breakWord",
            cell: ({ name }) => <code>{shown(name)}</code>,
            sortBy: ({ name }) => name,
        },
        { id: "value", title: _("Value"), wrap: "breakWord", cell: ({ value }) => <code>{shown(value)}</code> },
        {
            id: "set",
            title: _("Set when it was loaded"),
            wrap: "breakWord",
            cell: ({ setTo }) => setTo !== "" && <code>{setTo}</code>,
            sortBy: ({ setTo }) => setTo,
        },
        {
            id: "map",
            title: _("Kept in"),
            cell: ({ map }) => <a href={routeHref({ view: "map", id: map.id })}>{shown(map.name)}</a>,
            sortBy: ({ map }) => map.name,
        },
    ];
}
