// SPDX-License-Identifier: Apache-2.0
// The part of bpfman.host.v1 that tells how the daemon is set up. What others own is read when somebody asks.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Host, ImagePolicyJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { ConfigFacts } from "../model/configuration.ts";
import type { Handlers } from "./service.ts";

/** Where the daemon keeps what, and what its configuration file says. */
export interface SettingsFacts {
    readonly config: ConfigFacts;
    readonly socketPath: string;
    readonly runtimeDir: string;
    readonly stateDir: string;
    readonly imageCacheDir: string;
    readonly imageCacheLimitBytes: number;
}

const policyPath = "/etc/containers/policy.json";
const group = "bpfman";
const maxEntries = 100_000;

export function settingsHandlers(facts: SettingsFacts): Pick<Handlers<typeof Host>, "getSettings"> {
    return {
        getSettings: async () => {
            const { config, imageCacheLimitBytes, ...paths } = facts;
            const policy = read(policyPath);
            return {
                configPath: config.path,
                configPresent: config.present,
                settings: config.settings.map(setting => ({ ...setting })),
                warnings: [...config.warnings],
                policies: policy === undefined ? [] : policiesOf(policy),
                policyPath,
                policyPresent: policy !== undefined,
                trustedIdentities: config.trusted.map(one => ({ ...one })),
                group,
                groupMembers: membersOf(read("/etc/group") ?? "", read("/etc/passwd") ?? ""),
                ...paths,
                imageCacheBytes: String(sizeOf(facts.imageCacheDir)),
                imageCacheLimitBytes: String(imageCacheLimitBytes),
            };
        },
    };
}

function read(path: string): string | undefined {
    try {
        return readFileSync(path, "utf8");
    } catch {
        return undefined;
    }
}

/** Those that the group lists, and those whose first group it is. */
export function membersOf(groups: string, users: string): string[] {
    const line = groups
        .split("\n")
        .map(text => text.split(":"))
        .find(([name]) => name === group);
    if (line === undefined) return [];
    const [, , gid = "", listed = ""] = line;
    const own = users
        .split("\n")
        .map(text => text.split(":"))
        .flatMap(([name = "", , , first]) => (first === gid ? [name] : []));
    return [...new Set([...listed.split(",").filter(name => name !== ""), ...own])].sort();
}

type Rule = Readonly<Record<string, unknown>>;

/** containers-policy.json(5): the default, then each transport's scopes. What is no such file says nothing. */
export function policiesOf(text: string): ImagePolicyJson[] {
    try {
        const { default: usual = [], transports = {} } = JSON.parse(text) as {
            default?: Rule[];
            transports?: Record<string, Record<string, Rule[]>>;
        };
        return [
            ...usual.map(rule => ruleJson("", "", rule)),
            ...Object.entries(transports).flatMap(([transport, scopes]) =>
                Object.entries(scopes).flatMap(([scope, rules]) => rules.map(rule => ruleJson(transport, scope, rule))),
            ),
        ];
    } catch {
        return [];
    }
}

function ruleJson(transport: string, scope: string, rule: Rule): ImagePolicyJson {
    const fulcio = rule["fulcio"] as Rule | undefined;
    const keys = [rule["keyPath"], ...(Array.isArray(rule["keyPaths"]) ? rule["keyPaths"] : [])];
    const known = keys.filter(key => typeof key === "string");
    const detail = fulcio === undefined ? known.join(", ") : `${fulcio["subjectEmail"]} (${fulcio["oidcIssuer"]})`;
    return { transport, scope, type: String(rule["type"] ?? ""), detail };
}

/** Bytes in all files of a folder; 0 where there is none: it is made with the first image. */
function sizeOf(folder: string): number {
    try {
        return readdirSync(folder, { withFileTypes: true, recursive: true })
            .slice(0, maxEntries)
            .filter(entry => entry.isFile())
            .map(entry => statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0)
            .reduce((total, size) => total + size, 0);
    } catch {
        return 0;
    }
}
