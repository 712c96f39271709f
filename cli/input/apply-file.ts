// SPDX-License-Identifier: Apache-2.0
// A set's file, parsed already, as the daemon's request. Strict: a key that means nothing is an error, for a word that is
// passed over would be a link that is missing. Pure.
import type {
    ApplyLinkJson,
    ApplyProgramJson,
    ApplyRequestJson,
    AttachItemJson,
    GlobalValueJson,
    ImageSourceJson,
} from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { nearest } from "../nearest.ts";
import { parseProceedOn, withApplication } from "../values.ts";
import { pullPolicies } from "./image-source.ts";

export interface ApplyFile {
    /** without the bytes of objects that are files */
    readonly request: ApplyRequestJson;
    /** the object of each bytecode, in the request's order, as the file names it; undefined: an image's */
    readonly objects: readonly (string | undefined)[];
}

/** Throws an Error that says where in the file what is wrong. */
export function parseApplyFile(document: unknown): ApplyFile {
    const root = new Node(document, "");
    root.only("set", "bytecode", "programs", "links");
    const bytecode = root.list("bytecode").map(node => {
        node.only("name", "file", "image", "pull_policy", "globals", "private_maps");
        const file = node.optional("file");
        const image = imageOf(node);
        if ((file === undefined) === (image === undefined)) throw node.error("needs either a file or an image");
        return {
            file,
            ...(image && { image }),
            name: node.optional("name") ?? (file === undefined ? imageName(image?.url ?? "") : objectName(file)),
            globalValues: node.node("globals").values(),
            privateMaps: node.flag("private_maps"),
        };
    });
    const programs = root.list("programs").map(node => program(node, bytecode));
    const request = {
        set: root.text("set"),
        bytecode: bytecode.map(({ file: _, ...rest }) => rest),
        programs,
        links: root.list("links").map(node => link(node, programs)),
    };
    return { request, objects: bytecode.map(({ file }) => file) };
}

function imageOf(node: Node): ImageSourceJson | undefined {
    const url = node.optional("image");
    if (url === undefined && node.has("pull_policy")) throw node.error("has a pull_policy but no image");
    return url === undefined ? undefined : { url, pullPolicy: node.oneOf("pull_policy", pullPolicies, "IfNotPresent") };
}

/** build/filter.bpf.o is filter, and so is quay.io/acme/filter:v1@sha256:… */
const objectName = (file: string) => lastPart(file).replace(/(\.bpf)?\.o$/, "");
const imageName = (url: string) =>
    lastPart(url.replace(/^(oci|docker-archive):/, "").replace(/@.*$/, "")).replace(/:.*$/, "");
const lastPart = (path: string) => path.split("/").at(-1) ?? path;

function program(node: Node, bytecode: readonly { name: string }[]): ApplyProgramJson {
    node.only("name", "bytecode", "function", "type", "attach_function", "application", "metadata");
    const [only] = bytecode;
    const name = node.optional("name") ?? node.text("function");
    const { metadata } = withApplication(node.node("metadata").texts(), node.optional("application"));
    return {
        name,
        bytecode: node.optional("bytecode") ?? (bytecode.length === 1 && only ? only.name : node.text("bytecode")),
        spec: {
            name: node.optional("function") ?? name,
            type: node.text("type"),
            attachFunction: node.optional("attach_function") ?? "",
        },
        metadata,
    };
}

function link(node: Node, programs: readonly ApplyProgramJson[]): ApplyLinkJson {
    node.only("name", "program", "metadata", ...Object.keys(hooks));
    const [only] = programs;
    const programName =
        node.optional("program") ?? (programs.length === 1 ? only?.name : undefined) ?? node.text("program");
    const kinds = Object.keys(hooks).filter(kind => node.has(kind));
    const [kind] = kinds;
    if (kind === undefined || kinds.length > 1)
        throw node.error(`needs exactly one hook: ${Object.keys(hooks).join(", ")}`);
    const hook = hooks[kind]?.(node.node(kind)) ?? {};
    const metadata = node.node("metadata").texts();
    return {
        name: node.optional("name") ?? linkName(programName, kind, hook),
        attach: { programName, ...hook, metadata },
    };
}

/** The same from one apply to the next, and another for each place. */
function linkName(programName: string, kind: string, hook: Hook): string {
    const [values = {}] = Object.values(hook);
    const words = Object.entries(values)
        .filter(([key]) => !["priority", "proceedOn", "mode"].includes(key))
        .map(([, value]) => String(value));
    return [programName, kind, ...words].join(" ");
}

type Hook = Omit<AttachItemJson, "programId" | "programName" | "metadata">;

const place = (node: Node) => ({
    interface: node.text("interface"),
    ...(node.has("netns") ? { netns: node.path("netns") } : {}),
    priority: node.count("priority"),
});
const proceedOn = (node: Node, kind: "xdp" | "tc") =>
    node.has("proceed_on") ? { proceedOn: node.within("proceed_on", words => parseProceedOn(kind, words)) } : {};

const hooks: Readonly<Record<string, (node: Node) => Hook>> = {
    xdp: node => {
        node.only("interface", "netns", "priority", "proceed_on", "mode");
        const mode = node.optional("mode");
        return { xdp: { ...place(node), ...proceedOn(node, "xdp"), ...(mode === undefined ? {} : { mode }) } };
    },
    tc: node => {
        node.only("interface", "netns", "direction", "priority", "proceed_on");
        return { tc: { ...place(node), direction: node.text("direction"), ...proceedOn(node, "tc") } };
    },
    tcx: node => {
        node.only("interface", "netns", "direction", "priority");
        return { tcx: { ...place(node), direction: node.text("direction") } };
    },
    tracepoint: node => {
        node.only("group", "name");
        return { tracepoint: { group: node.text("group"), name: node.text("name") } };
    },
    kprobe: node => {
        node.only("function", "offset");
        return { kprobe: { function: node.text("function"), ...node.longs({ offset: "offset" }) } };
    },
    uprobe: node => {
        node.only("target", "function", "offset", "pid", "container_pid");
        const name = node.optional("function");
        return {
            uprobe: {
                target: node.text("target"),
                ...(name === undefined ? {} : { function: name }),
                ...node.longs({ offset: "offset" }),
                ...node.counts({ pid: "pid", container_pid: "containerPid" }),
            },
        };
    },
    fentry: node => {
        node.only();
        return { fentry: {} };
    },
    fexit: node => {
        node.only();
        return { fexit: {} };
    },
    lsm: node => {
        node.only();
        return { lsm: {} };
    },
    perf_event: node => {
        node.only("event", "cpu", "frequency_hz", "period");
        const event = node.optional("event");
        const numbers = {
            ...node.counts({ cpu: "cpu", frequency_hz: "frequencyHz" }),
            ...node.longs({ period: "period" }),
        };
        return { perfEvent: { ...(event === undefined ? {} : { event }), ...numbers } };
    },
    raw_tracepoint: node => {
        node.only("name");
        return { rawTracepoint: { name: node.text("name") } };
    },
    cgroup: node => {
        node.only("path");
        return { cgroup: { path: node.text("path") } };
    },
};

const maxCount = 0x7fffffff;

/** A mapping of the file, and where in the file it is. */
class Node {
    readonly #value: Readonly<Record<string, unknown>>;
    readonly #at: string;

    constructor(value: unknown, at: string) {
        this.#at = at;
        if (typeof value !== "object" || value === null || Array.isArray(value))
            throw this.error(`must be a mapping, not ${kindOf(value)}`);
        this.#value = value as Readonly<Record<string, unknown>>;
    }

    error(message: string): Error {
        return new Error(`${this.#at === "" ? "the file" : this.#at} ${message}`);
    }

    only(...keys: readonly string[]): void {
        for (const key of Object.keys(this.#value))
            if (!keys.includes(key)) {
                const near = nearest(key, keys);
                throw this.error(`has an unknown key "${key}"${near === undefined ? "" : `; did you mean ${near}?`}`);
            }
    }

    has(key: string): boolean {
        return this.#get(key) !== undefined;
    }

    node(key: string): Node {
        return new Node(this.#get(key) ?? {}, this.#path(key));
    }

    list(key: string): Node[] {
        const value = this.#get(key) ?? [];
        if (!Array.isArray(value)) throw this.#wrong(key, "a list", value);
        return value.map((item, index) => new Node(item, `${this.#path(key)}[${index}]`));
    }

    text(key: string): string {
        const value = this.optional(key);
        if (value === undefined) throw this.error(`has no ${key}`);
        return value;
    }

    optional(key: string): string | undefined {
        const value = this.#get(key);
        if (value === undefined) return undefined;
        if (typeof value !== "string" || value === "") throw this.#wrong(key, "a word", value);
        return value;
    }

    path(key: string): string {
        const value = this.text(key);
        if (!value.startsWith("/")) throw this.#wrong(key, "an absolute path", value);
        return value;
    }

    count(key: string): number {
        const value = this.#get(key);
        if (value === undefined) throw this.error(`has no ${key}`);
        if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > maxCount)
            throw this.#wrong(key, `a whole number from 0 to ${maxCount}`, value);
        return value;
    }

    /** The numbers that are given, by the message's names of them. */
    counts<Name extends string>(names: Readonly<Record<string, Name>>): { [Key in Name]?: number } {
        const given = Object.entries(names).filter(([key]) => this.has(key));
        return Object.fromEntries(given.map(([key, name]) => [name, this.count(key)])) as { [Key in Name]?: number };
    }

    /** As counts, for numbers of 64 bits, which proto3 JSON writes as text. */
    longs<Name extends string>(names: Readonly<Record<string, Name>>): { [Key in Name]?: string } {
        const pairs = Object.entries<number | undefined>(this.counts(names));
        return Object.fromEntries(pairs.map(([name, value]) => [name, String(value)])) as { [Key in Name]?: string };
    }

    flag(key: string): boolean {
        const value = this.#get(key) ?? false;
        if (typeof value !== "boolean") throw this.#wrong(key, "true or false", value);
        return value;
    }

    oneOf(key: string, words: readonly string[], otherwise: string): string {
        const word = this.optional(key) ?? otherwise;
        if (!words.includes(word)) throw this.#wrong(key, `one of ${words.join(", ")}`, word);
        return word;
    }

    /** Words, as a list or with commas between; what make throws is said to be here. */
    within<Made>(key: string, make: (words: readonly string[]) => Made): Made {
        const value = this.#get(key);
        const words: readonly unknown[] = Array.isArray(value) ? value : [value];
        if (!words.every(word => typeof word === "string")) throw this.#wrong(key, "a list of words", value);
        try {
            return make(words);
        } catch (error) {
            throw new Error(`${this.#path(key)}: ${(error as Error).message}`, { cause: error });
        }
    }

    /** A mapping of words. */
    texts(): Record<string, string> {
        return Object.fromEntries(
            Object.keys(this.#value).map(key => {
                const value = this.#get(key);
                if (typeof value !== "string") throw this.#wrong(key, "text (in quotes)", value);
                return [key, value];
            }),
        );
    }

    /** Text stands for what `-g NAME=TEXT` means; what is no text, for a value of the variable's type. */
    values(): Record<string, GlobalValueJson> {
        const value = (given: unknown): GlobalValueJson =>
            typeof given === "string" ? { text: given } : { text: JSON.stringify(given), typed: true };
        return Object.fromEntries(Object.keys(this.#value).map(key => [key, value(this.#get(key) ?? null)]));
    }

    #get(key: string): unknown {
        return Object.hasOwn(this.#value, key) ? (this.#value[key] ?? undefined) : undefined;
    }

    #path(key: string): string {
        return this.#at === "" ? key : `${this.#at}.${key}`;
    }

    #wrong(key: string, wanted: string, value: unknown): Error {
        return new Error(`${this.#path(key)} must be ${wanted}, not ${kindOf(value)}`);
    }
}

function kindOf(value: unknown): string {
    if (typeof value === "string") return JSON.stringify(value);
    if (Array.isArray(value)) return "a list";
    return typeof value === "object" && value !== null ? "a mapping" : String(value);
}
