// SPDX-License-Identifier: Apache-2.0
// The configuration file: read once at start, checked whole. What it says is given to the rooms by main.ts; none of
// them reads it. docs/config.md describes the keys.
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { ConfigFacts } from "./model/configuration.ts";
import { BpfmanError } from "./model/error.ts";
import type { ConfiguredXdpMode } from "./model/hooks.ts";
import type { SigningRules, TrustedIdentity } from "./model/images.ts";
import { wholePattern } from "./model/whole-pattern.ts";

export const logLevels = ["trace", "debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];
/** What has a level of its own where it is given one: calls with who made them, images, and everything else. */
export const logComponents = ["api", "image", "manager"] as const;
export type LogComponent = (typeof logComponents)[number];
export type LogFormat = "text" | "json";

export interface InterfaceConfig {
    readonly xdpMode: ConfiguredXdpMode | undefined;
    /** to be run by libxdp's protocol */
    readonly shared: boolean;
}

export interface Config {
    readonly interfaces: ReadonlyMap<string, InterfaceConfig>;
    readonly signing: SigningRules;
    readonly logging: {
        readonly level: LogLevel;
        readonly format: LogFormat;
        readonly components: ReadonlyMap<LogComponent, LogLevel>;
    };
    /** undefined: not said */
    readonly idleTimeoutMs: number | undefined;
    /** sentences for the log: what the file holds and nobody heeds */
    readonly warnings: readonly string[];
    /** the keys that stand in the file, as "logging.level" */
    readonly given: ReadonlySet<string>;
    /** there is such a file */
    readonly present: boolean;
}

const maxBytes = 1 << 20;
// setTimeout counts milliseconds in 31 bits
const maxIdleSeconds = 2_147_483;

/** Reads and checks the file. One that is not there is an empty one, unless it was named. */
export async function readConfig({ path, named }: { path: string; named: boolean }): Promise<Config> {
    const text = readText(path);
    if (text === undefined) {
        if (named) throw new BpfmanError("NOT_FOUND", `no configuration file ${path}`);
        return { ...check({}, path), present: false };
    }
    return await parseConfig(text, path);
}

/** Throws a BpfmanError that names the file and the line, or the key. */
export async function parseConfig(text: string, path: string): Promise<Config> {
    // most hosts have no such file
    const { parse, TomlError } = await import("smol-toml");
    let table: unknown;
    try {
        table = parse(text, { integersAsBigInt: false });
    } catch (error) {
        if (error instanceof TomlError) {
            const [what = ""] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
            throw refusal(`${path}:${error.line}:${error.column}: ${what}`);
        }
        // a nesting that exhausts the stack
        throw refusal(`${path} can't be read as TOML: ${error instanceof Error ? error.message : ""}`);
    }
    return check(table, path);
}

function refusal(message: string, cause?: unknown): BpfmanError {
    return new BpfmanError("INVALID_ARGUMENT", message, { cause });
}

function readText(path: string): string | undefined {
    let fd: number;
    try {
        // links are followed: a ConfigMap is one
        fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
        const { code = "" } = error as NodeJS.ErrnoException;
        if (code === "ENOENT" || code === "ENOTDIR") return undefined;
        throw refusal(`the configuration file ${path} can't be opened: ${code}`, error);
    }
    try {
        const stat = fstatSync(fd);
        if (!stat.isFile()) throw refusal(`the configuration file ${path} is no regular file`);
        if (stat.size > maxBytes) throw refusal(`the configuration file ${path} has more than ${maxBytes} bytes`);
        const bytes = Buffer.alloc(stat.size);
        const length = readSync(fd, bytes, 0, bytes.length, 0);
        return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length));
    } catch (error) {
        if (error instanceof TypeError) throw refusal(`the configuration file ${path} is not UTF-8`, error);
        throw error;
    } finally {
        closeSync(fd);
    }
}

type Table = Readonly<Record<string, unknown>>;

const isTable = (value: unknown): value is Table =>
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** One table of the file: its values by key, and at the end the keys that nobody asked for. */
class Section {
    readonly #table: Table;
    readonly #name: string;
    readonly #path: string;
    readonly #asked = new Set<string>();

    constructor(table: unknown, name: string, path: string) {
        this.#name = name;
        this.#path = path;
        if (!isTable(table)) throw refusal(`${name} in ${path} must be a table, not ${kindOf(table)}`);
        this.#table = table;
    }

    key(key: string): string {
        const word = /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
        return this.#name === "" ? word : `${this.#name}.${word}`;
    }

    keys(): string[] {
        return Object.keys(this.#table);
    }

    section(key: string): Section {
        return new Section(this.#take(key) ?? {}, this.key(key), this.#path);
    }

    sections(key: string): Section[] {
        const value = this.#take(key) ?? [];
        if (!Array.isArray(value)) throw this.wrong(key, "an array of tables", value);
        return value.map((table, at) => new Section(table, `${this.key(key)}[${at}]`, this.#path));
    }

    boolean(key: string): boolean | undefined {
        const value = this.#take(key);
        if (value === undefined || typeof value === "boolean") return value;
        throw this.wrong(key, "true or false", value);
    }

    text(key: string): string | undefined {
        const value = this.#take(key);
        if (value === undefined || typeof value === "string") return value;
        throw this.wrong(key, "a string", value);
    }

    /** An absolute path. */
    file(key: string): string | undefined {
        const value = this.text(key);
        if (value !== undefined && !value.startsWith("/")) throw this.wrong(key, "an absolute path", value);
        return value;
    }

    files(key: string): string[] {
        const value = this.#take(key) ?? [];
        if (!Array.isArray(value)) throw this.wrong(key, "an array of absolute paths", value);
        for (const path of value)
            if (typeof path !== "string" || !path.startsWith("/"))
                throw this.wrong(key, "an array of absolute paths", path);
        return value;
    }

    count(key: string, most: number): number | undefined {
        const value = this.#take(key);
        if (value === undefined) return undefined;
        if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most) return value;
        throw this.wrong(key, `a whole number from 0 to ${most}`, value);
    }

    word<Word extends string>(key: string, known: readonly Word[]): Word | undefined {
        const value = this.text(key);
        if (value === undefined) return undefined;
        const found = known.find(word => word === value.toLowerCase());
        if (found === undefined) throw this.wrong(key, `one of ${known.join(", ")}`, value);
        return found;
    }

    pattern(key: string): RegExp | undefined {
        const value = this.text(key);
        if (value === undefined) return undefined;
        try {
            return wholePattern(value);
        } catch (error) {
            throw refusal(`${this.key(key)} in ${this.#path} is no regular expression`, error);
        }
    }

    wrong(key: string, wanted: string, value: unknown): BpfmanError {
        return refusal(`${this.key(key)} in ${this.#path} must be ${wanted}, not ${kindOf(value)}`);
    }

    /** The keys that nobody asked for. */
    rest(): string[] {
        return this.keys()
            .filter(key => !this.#asked.has(key))
            .map(key => this.key(key));
    }

    #take(key: string): unknown {
        this.#asked.add(key);
        return Object.hasOwn(this.#table, key) ? this.#table[key] : undefined;
    }
}

function kindOf(value: unknown): string {
    if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
    if (typeof value === "boolean" || typeof value === "number" || typeof value === "bigint") return String(value);
    if (Array.isArray(value)) return "an array";
    return value instanceof Date ? "a date" : "a table";
}

/** The words of earlier releases (drv, skb, hw) and the plain ones. */
const xdpModes = ["native", "generic", "drv", "skb", "hw"] as const;

function check(table: unknown, path: string): Config {
    const unknown: string[] = [];
    const warnings: string[] = [];
    const root = new Section(table, "", path);

    const interfaces = new Map<string, InterfaceConfig>();
    const all = root.section("interfaces");
    for (const name of all.keys()) {
        const section = all.section(name);
        interfaces.set(name, { xdpMode: xdpMode(section, path, warnings), shared: section.boolean("shared") ?? false });
        unknown.push(...section.rest());
    }

    const signing = root.section("signing");
    const trustedIdentities = signing.sections("trusted_identities").map(section => {
        const identity = trustedIdentity(section, path);
        unknown.push(...section.rest());
        return identity;
    });
    const signingConfig = {
        allowUnsigned: signing.boolean("allow_unsigned") ?? true,
        verifyEnabled: signing.boolean("verify_enabled") ?? true,
        trustedIdentities,
        trustedKeys: signing.files("trusted_keys"),
        trustedRoot: signing.file("trusted_root"),
    };

    // how an earlier store waited for its lock; this one has none to wait for
    const database = root.section("database");
    for (const key of ["max_retries", "millisec_delay"]) database.count(key, Number.MAX_SAFE_INTEGER);

    const logging = root.section("logging");
    const level = logLevel(logging, "level");
    const format = logging.word("format", ["text", "json"]);
    const ofComponents = logging.section("components");
    const components = new Map<LogComponent, LogLevel>();
    for (const name of ofComponents.keys()) {
        const own = logLevel(ofComponents, name);
        const component = logComponents.find(known => known === name);
        if (component !== undefined && own !== undefined) components.set(component, own);
        else
            warnings.push(
                `${path}: ${ofComponents.key(name)} has no effect: components are ${logComponents.join(", ")}`,
            );
    }

    const daemon = root.section("daemon");
    const idleSeconds = daemon.count("idle_timeout", maxIdleSeconds);

    for (const section of [signing, database, logging, daemon, root]) unknown.push(...section.rest());
    warnings.push(...unknown.map(key => `${path}: unknown key ${key}`));
    return {
        interfaces,
        signing: signingConfig,
        logging: { level: level ?? "info", format: format ?? "text", components },
        idleTimeoutMs: idleSeconds === undefined ? undefined : idleSeconds * 1000,
        warnings,
        given: new Set(keysIn(table, "")),
        present: true,
    };
}

function logLevel(section: Section, key: string): LogLevel | undefined {
    const word = section.word(key, [...logLevels, "warning"]);
    return word === "warning" ? "warn" : word;
}

function keysIn(table: unknown, name: string): string[] {
    if (!isTable(table)) return [name];
    return Object.entries(table).flatMap(([key, value]) => keysIn(value, name === "" ? key : `${name}.${key}`));
}

/** The configuration in force, key by key, in the order of docs/config.md. */
export function configFacts(config: Config, path: string): ConfigFacts {
    const { interfaces, signing, logging, idleTimeoutMs, given, present, warnings } = config;
    const setting = (key: string, value: unknown, description: string) => ({
        key,
        value: JSON.stringify(value),
        set: given.has(key),
        description,
    });
    return {
        path,
        present,
        warnings,
        settings: [
            ...Array.from(interfaces).flatMap(([name, { xdpMode, shared }]) => [
                setting(
                    `interfaces.${name}.xdp_mode`,
                    xdpMode?.mode ?? "native",
                    "Where XDP programs run at the interface: in the driver (native) or in the kernel's stack (generic).",
                ),
                setting(
                    `interfaces.${name}.shared`,
                    shared,
                    "The interface's XDP chain is shared with tools that use libxdp.",
                ),
            ]),
            setting(
                "daemon.idle_timeout",
                idleTimeoutMs === undefined ? 0 : idleTimeoutMs / 1000,
                "Seconds without a connection after which the daemon ends; 0: never. Not set, it is 60 at a socket that systemd holds.",
            ),
            setting("logging.level", logging.level, "What is less is not logged."),
            ...Array.from(logging.components).map(([component, level]) =>
                setting(`logging.components.${component}`, level, "Another level, of these lines alone."),
            ),
            setting("logging.format", logging.format, "Lines of text, or one JSON object a line."),
            setting(
                "signing.allow_unsigned",
                signing.allowUnsigned,
                "Images without a signature that counts may be loaded.",
            ),
            setting(
                "signing.verify_enabled",
                signing.verifyEnabled,
                "Signatures of images are looked for and checked.",
            ),
            setting("signing.trusted_keys", signing.trustedKeys, "Public keys whose signatures count."),
            setting(
                "signing.trusted_root",
                signing.trustedRoot ?? "",
                "The Sigstore trusted root that certificates are checked against; empty: that of Sigstore's public instance.",
            ),
        ],
        trusted: [
            ...signing.trustedIdentities.map(one => ({
                subject: one.certificateIdentity ?? one.certificateIdentityRegexp?.source ?? "",
                issuer: one.certificateOidcIssuer ?? one.certificateOidcIssuerRegexp?.source ?? "",
                keyPath: "",
            })),
            ...signing.trustedKeys.map(keyPath => ({ subject: "", issuer: "", keyPath })),
        ],
    };
}

/** hw: as earlier releases went on where a driver could not; a file that asks for it must not keep the daemon down. */
function xdpMode(section: Section, path: string, warnings: string[]): ConfiguredXdpMode | undefined {
    const word = section.word("xdp_mode", xdpModes);
    if (word === undefined) return undefined;
    const key = section.key("xdp_mode");
    if (word === "hw") warnings.push(`${path}: ${key} is "hw": nothing is offloaded to hardware, the driver runs it`);
    return {
        mode: word === "skb" || word === "generic" ? "generic" : "native",
        source: `${key} in ${path} is "${word}"`,
    };
}

function trustedIdentity(section: Section, path: string): TrustedIdentity {
    const identity = {
        certificateIdentity: section.text("certificate_identity"),
        certificateIdentityRegexp: section.pattern("certificate_identity_regexp"),
        certificateOidcIssuer: section.text("certificate_oidc_issuer"),
        certificateOidcIssuerRegexp: section.pattern("certificate_oidc_issuer_regexp"),
    };
    const pairs = [
        ["certificate_identity", identity.certificateIdentity, identity.certificateIdentityRegexp],
        ["certificate_oidc_issuer", identity.certificateOidcIssuer, identity.certificateOidcIssuerRegexp],
    ] as const;
    for (const [key, exact, pattern] of pairs)
        if ((exact === undefined) === (pattern === undefined))
            throw refusal(
                `${section.key(key)} in ${path}: give either ${key} or ${key}_regexp${exact === undefined ? "" : ", not both"}`,
            );
    return identity;
}
