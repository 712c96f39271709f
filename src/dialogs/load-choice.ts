// SPDX-License-Identifier: Apache-2.0
// What is chosen of an inspected object, and the request that it makes.
import { toBase64 } from "../../client/base64.ts";
import type { AttachItemJson, InspectResponseJson, LoadRequestJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Interface } from "../model.ts";
import { type HookKind, hookKind } from "../words.ts";
import { type HookChoice, hookOf } from "./hook-choice.ts";

export interface ProgramChoice {
    readonly name: string;
    readonly section: string;
    /** what it can be loaded as; empty where nothing here can run it */
    readonly types: readonly HookKind[];
    readonly type: HookKind | undefined;
    readonly isChosen: boolean;
}

export interface GlobalChoice {
    readonly name: string;
    readonly sizeBytes: number;
    /** hexadecimal digits in memory order; empty keeps the object's own */
    readonly value: string;
}

export interface LoadChoice {
    readonly programs: readonly ProgramChoice[];
    readonly globals: readonly GlobalChoice[];
    readonly application: string;
    /** undefined: loaded only */
    readonly hook: HookChoice | undefined;
}

export function choiceOf(facts: InspectResponseJson): LoadChoice {
    const programs = (facts.programs ?? []).map(({ name = "", section = "", type = "", otherTypes = [] }) => {
        const types = [type, ...otherTypes].map(hookKind).filter(kind => kind !== undefined);
        return { name, section, types, type: types[0], isChosen: false };
    });
    const loadable = programs.filter(program => program.type !== undefined);
    return {
        // where there is only one there is nothing to choose
        programs: programs.map(program => ({ ...program, isChosen: loadable.length === 1 && program === loadable[0] })),
        globals: (facts.globals ?? []).map(({ name = "", sizeBytes = 0 }) => ({ name, sizeBytes, value: "" })),
        application: "",
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

export function chosenKinds(choice: LoadChoice): HookKind[] {
    const kinds = choice.programs.flatMap(program => (program.isChosen && program.type ? [program.type] : []));
    return [...new Set(kinds)];
}

/** All of the request but the object; undefined while the choice is not complete. */
export function loadRequest(choice: LoadChoice, interfaces: readonly Interface[]): LoadRequestJson | undefined {
    const chosen = choice.programs.flatMap(({ isChosen, name, type }) => (isChosen && type ? [{ name, type }] : []));
    if (chosen.length === 0) return undefined;
    const globalData: Record<string, string> = {};
    for (const global of choice.globals) {
        const value = globalBytes(global);
        if (!value) return undefined;
        if (value.length > 0) globalData[global.name] = toBase64(value);
    }
    const attach: AttachItemJson[] = [];
    if (choice.hook) {
        for (const { name, type } of chosen) {
            const hook = hookOf(choice.hook, type, interfaces);
            if (!hook) return undefined;
            attach.push({ programName: name, ...hook });
        }
    }
    const application = choice.application.trim();
    return {
        programs: chosen,
        ...(Object.keys(globalData).length > 0 ? { globalData } : {}),
        ...(application === "" ? {} : { metadata: { "bpfman.io/application": application } }),
        ...(attach.length > 0 ? { attach } : {}),
    };
}
