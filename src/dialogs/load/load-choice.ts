// SPDX-License-Identifier: Apache-2.0
// What is chosen of an inspected object, and the request that it makes.
import { toBase64 } from "../../../client/base64.ts";
import type {
    AttachItemJson,
    GlobalValueJson,
    InspectResponseJson,
    LoadRequestJson,
    ProgramSpecJson,
} from "../../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Interface } from "../../model/model.ts";
import { type AttachKind, anyKind, hookKind, isBoundAtLoad, probeKind } from "../../text/words.ts";
import { type HookChoice, hookOf } from "../attach/hook-choice.ts";
import { initialProbe, type ProbeChoice, probeHook, sectionFunction } from "../attach/probe-choice.ts";

export interface ProgramChoice {
    readonly name: string;
    readonly section: string;
    /** what it can be loaded as; empty where nothing here can run it */
    readonly types: readonly AttachKind[];
    readonly type: AttachKind | undefined;
    readonly isChosen: boolean;
    /** fentry, fexit, lsm: the kernel's function that it is loaded for */
    readonly attachFunction: string;
    /** where it attaches, if at no interface */
    readonly probe: ProbeChoice;
}

export interface GlobalChoice {
    readonly name: string;
    readonly sizeBytes: number;
    /** C type by BTF; empty where the object has none */
    readonly type: string;
    /** what it is set to in the object; undefined where that is not known */
    readonly initial: unknown;
    /** a value of the type, without one hexadecimal digits in memory order; empty keeps the object's own */
    readonly value: string;
}

export interface MetadataChoice {
    readonly key: string;
    readonly value: string;
}

export interface LoadChoice {
    readonly programs: readonly ProgramChoice[];
    readonly globals: readonly GlobalChoice[];
    readonly application: string;
    readonly metadata: readonly MetadataChoice[];
    /** maps of its own, those of this load, or those of the program with this ID */
    readonly maps: "shared" | "private" | number;
    /** undefined: loaded only */
    readonly hook: HookChoice | undefined;
}

export function choiceOf(facts: InspectResponseJson): LoadChoice {
    const programs = (facts.programs ?? []).map(({ name = "", section = "", type = "", otherTypes = [] }) => {
        const types = [type, ...otherTypes].map(anyKind).filter(kind => kind !== undefined);
        const probe = initialProbe(probeKind(type), section);
        return {
            name,
            section,
            types,
            type: types[0],
            isChosen: false,
            attachFunction: sectionFunction(section),
            probe,
        };
    });
    const loadable = programs.filter(program => program.type !== undefined);
    return {
        // where there is only one there is nothing to choose
        programs: programs.map(program => ({ ...program, isChosen: loadable.length === 1 && program === loadable[0] })),
        globals: (facts.globals ?? []).map(({ name = "", sizeBytes = 0, type = "", value }) => ({
            name,
            sizeBytes,
            type,
            initial: value,
            value: "",
        })),
        application: "",
        metadata: [],
        maps: "shared",
        hook: undefined,
    };
}

/** The value's bytes, undefined where it is no hexadecimal number of that size; an empty one gives no bytes. */
export function globalBytes({ value, sizeBytes }: GlobalChoice): Uint8Array | undefined {
    const digits = value.trim().replace(/^0x/i, "").replace(/[\s_]/g, "");
    if (digits === "") return new Uint8Array(0);
    if (!/^[0-9a-f]+$/i.test(digits) || digits.length !== sizeBytes * 2) return undefined;
    return Uint8Array.from(digits.match(/../g) ?? [], pair => Number.parseInt(pair, 16));
}

/** Whether the value can be sent; what only the daemon knows (enumerators, the shape of a struct) it tells. */
export function isValid(global: GlobalChoice): boolean {
    const { type } = global;
    const text = global.value.trim();
    if (type === "") return globalBytes(global) !== undefined;
    if (text === "" || !isWhole(type)) return true;
    return /^[-+]?(0x[0-9a-f]+|[0-9]+)$/i.test(text);
}

const wholeTypes =
    /^(const |volatile )*(_*[us](8|16|32|64)|u?int(8|16|32|64)_t|(unsigned |signed )?(int|long( long)?|short)|size_t|_*be(16|32|64))$/;

function isWhole(type: string): boolean {
    return wholeTypes.test(type);
}

/** The types of the programs that attach to an interface. */
export function chosenKinds(choice: LoadChoice): AttachKind[] {
    const kinds = choice.programs.flatMap(program => (program.isChosen && program.type ? [program.type] : []));
    return [...new Set(kinds)];
}

/** All of the request but the bytecode; undefined while the choice is not complete. */
export function loadRequest(choice: LoadChoice, interfaces: readonly Interface[]): LoadRequestJson | undefined {
    const programs: ProgramSpecJson[] = [];
    const attach: AttachItemJson[] = [];
    for (const program of choice.programs) {
        const { isChosen, name, type } = program;
        if (!isChosen || !type) continue;
        const attachFunction = program.attachFunction.trim();
        if (isBoundAtLoad(type) && attachFunction === "") return undefined;
        programs.push({ name, type, ...(isBoundAtLoad(type) ? { attachFunction } : {}) });
        if (!choice.hook) continue;
        const hook = itemOf(choice.hook, program, type, interfaces);
        if (!hook) return undefined;
        attach.push({ programName: name, ...hook });
    }
    const globals = globalsOf(choice.globals);
    const metadata = metadataOf(choice);
    if (programs.length === 0 || !globals || !metadata) return undefined;
    return {
        programs,
        ...globals,
        ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
        ...(choice.maps === "private" ? { privateMaps: true } : {}),
        ...(typeof choice.maps === "number" ? { mapOwnerId: choice.maps } : {}),
        ...(attach.length > 0 ? { attach } : {}),
    };
}

function itemOf(
    hook: HookChoice,
    program: ProgramChoice,
    type: AttachKind,
    interfaces: readonly Interface[],
): AttachItemJson | undefined {
    const atInterface = hookKind(type);
    if (atInterface) return hookOf(hook, atInterface, interfaces);
    const probe = probeKind(type);
    return probe && probeHook(program.probe, probe);
}

function globalsOf(globals: readonly GlobalChoice[]): Pick<LoadRequestJson, "globalData" | "globalValues"> | undefined {
    const globalData: Record<string, string> = {};
    const globalValues: Record<string, GlobalValueJson> = {};
    for (const global of globals) {
        if (!isValid(global)) return undefined;
        if (global.value.trim() === "") continue;
        if (global.type === "") globalData[global.name] = toBase64(globalBytes(global) ?? new Uint8Array(0));
        else globalValues[global.name] = { text: global.value.trim(), typed: true };
    }
    return {
        ...(Object.keys(globalData).length > 0 ? { globalData } : {}),
        ...(Object.keys(globalValues).length > 0 ? { globalValues } : {}),
    };
}

/** Undefined where a key is missing or twice there. */
function metadataOf(choice: LoadChoice): Record<string, string> | undefined {
    const metadata: Record<string, string> = {};
    const application = choice.application.trim();
    if (application !== "") metadata["bpfman.io/application"] = application;
    for (const row of choice.metadata) {
        const key = row.key.trim();
        if (key === "" && row.value === "") continue;
        if (key === "" || Object.hasOwn(metadata, key)) return undefined;
        metadata[key] = row.value;
    }
    return metadata;
}

/** A value of a global as the object has it, in the words that may be typed for it. */
export function valueText(value: unknown): string {
    if (value === undefined || value === null) return "";
    return typeof value === "object" ? JSON.stringify(value) : String(value);
}
