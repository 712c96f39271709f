// SPDX-License-Identifier: Apache-2.0
// What the host's registries.conf says where skopeo is not asked: what a short name stands for, and where an image's
// registry really is. Format: containers-registries.conf(5)
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BpfmanError } from "../model/error.ts";
import { isTable, type Table } from "./manifest.ts";
import type { Reference } from "./reference.ts";

export interface Endpoint {
    /** host, with its port where it has one, and path */
    readonly repository: string;
    readonly insecure: boolean;
}

interface Registry {
    readonly prefix: string;
    readonly location: string;
    readonly insecure: boolean;
    readonly blocked: boolean;
    readonly mirrors: readonly { readonly location: string; readonly insecure: boolean }[];
}

export interface Registries {
    readonly registries: readonly Registry[];
    readonly aliases: ReadonlyMap<string, string>;
    readonly searched: readonly string[];
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Files later in the alphabet win; one that can't be read says nothing, as skopeo will tell. */
export async function readRegistries(
    file = "/etc/containers/registries.conf",
    dropIns = "/etc/containers/registries.conf.d",
): Promise<Registries> {
    const { parse } = await import("smol-toml");
    const byPrefix = new Map<string, Registry>();
    const aliases = new Map<string, string>();
    let searched: readonly string[] = [];
    for (const path of [file, ...filesIn(dropIns)]) {
        let table: Table;
        try {
            table = parse(readFileSync(path, "utf8"));
        } catch {
            continue;
        }
        const { registry, aliases: named, "unqualified-search-registries": unqualified } = table;
        for (const one of tables(registry)) {
            const location = text(one["location"]);
            const prefix = text(one["prefix"]) || location;
            byPrefix.set(prefix, {
                ...{ prefix, location, insecure: one["insecure"] === true, blocked: one["blocked"] === true },
                mirrors: tables(one["mirror"]).map(mirror => ({
                    location: text(mirror["location"]),
                    insecure: mirror["insecure"] === true,
                })),
            });
        }
        for (const [name, full] of Object.entries(isTable(named) ? named : {})) aliases.set(name, text(full));
        if (Array.isArray(unqualified)) searched = unqualified.map(text);
    }
    return { registries: [...byPrefix.values()], aliases, searched };
}

const tables = (value: unknown): Table[] => (Array.isArray(value) ? value.filter(isTable) : []);

function filesIn(folder: string): string[] {
    try {
        return readdirSync(folder)
            .filter(name => name.endsWith(".conf"))
            .sort()
            .map(name => join(folder, name));
    } catch {
        return [];
    }
}

/** A name without a registry in full, as podman would read it; what the host says nothing of is Docker Hub's. */
export function fullName(name: string, { aliases, searched }: Registries): string {
    const end = /(?::[^/:@]+)?(?:@.*)?$/.exec(name)?.[0] ?? "";
    const alias = aliases.get(name.slice(0, name.length - end.length));
    if (alias !== undefined && alias !== "") return alias + end;
    const [only, ...more] = searched;
    if (only === undefined) return name;
    if (more.length > 0)
        throw new BpfmanError(
            "INVALID_ARGUMENT",
            `${JSON.stringify(name)} could be of any of ${searched.join(", ")}: registries.conf names them all`,
            { hint: `Write it in full, as ${only}/${name}.` },
        );
    return `${only}/${name}`;
}

/** Where it is asked for, mirrors first; none where its registry is blocked. */
export function endpoints({ repository }: Pick<Reference, "repository">, { registries }: Registries): Endpoint[] {
    const fits = ({ prefix }: Registry) => {
        if (prefix.startsWith("*."))
            return (repository.split("/")[0] ?? "").replace(/:\d+$/, "").endsWith(prefix.slice(1));
        return repository === prefix || repository.startsWith(`${prefix}/`) || repository.startsWith(`${prefix}:`);
    };
    const [found] = registries.filter(fits).sort((a, b) => b.prefix.length - a.prefix.length);
    if (found === undefined) return [{ repository, insecure: false }];
    if (found.blocked) return [];
    const at = (location: string) =>
        location === "" || found.prefix.startsWith("*.")
            ? repository
            : location + repository.slice(found.prefix.length);
    return [
        ...found.mirrors.map(({ location, insecure }) => ({ repository: at(location), insecure })),
        { repository: at(found.location), insecure: found.insecure },
    ];
}
