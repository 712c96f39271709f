// SPDX-License-Identifier: Apache-2.0
// What labels say of an image's object. They are hints for people: what is loaded is decided by the object itself. Pure.
// Their keys: https://bpfman.io/main/developer-guide/shipping-bytecode/
interface Named {
    readonly name: string;
    readonly type: string;
}

export interface LabelFacts {
    readonly programs: readonly Named[];
    readonly maps: readonly Named[];
    /** the object's name in its layer, where a label tells it */
    readonly fileName: string | undefined;
}

// kernel words that the released tools wrote into labels
const words: Readonly<Record<string, string>> = { probe: "kprobe", tracing: "fentry", sched_cls: "tc" };
const maxNames = 256;

export function readLabels(labels: ReadonlyMap<string, string>): LabelFacts {
    const programs = jsonPairs(labels.get("io.ebpf.programs")).map(({ name, type }) => ({
        name,
        type: words[type] ?? type,
    }));
    // the first generation: one program an image, one label a fact
    const legacyName = labels.get("io.ebpf.bpf_function_name") ?? labels.get("io.ebpf.program_name");
    const legacyType = labels.get("io.ebpf.program_type") ?? "";
    if (programs.length === 0 && legacyName !== undefined && legacyName !== "")
        programs.push({ name: legacyName, type: words[legacyType] ?? legacyType });
    return {
        programs,
        maps: jsonPairs(labels.get("io.ebpf.maps")),
        fileName: labels.get("io.ebpf.filename") || undefined,
    };
}

/** A label that is no JSON object of texts says nothing. */
function jsonPairs(text: string | undefined): Named[] {
    if (text === undefined) return [];
    let value: unknown;
    try {
        value = JSON.parse(text);
    } catch {
        return [];
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
    return Object.entries(value)
        .filter((pair): pair is [string, string] => typeof pair[1] === "string")
        .slice(0, maxNames)
        .map(([name, type]) => ({ name, type }));
}
