// SPDX-License-Identifier: Apache-2.0
// What every probe is and how it answers.
import type { Feature } from "../../model/kernel.ts";
import type { KernelBtf } from "../btf/vmlinux-btf.ts";
import { Fd } from "../fd.ts";
import { errno, errnoName } from "../ffi.ts";
import type { ProbeResult } from "./probe.ts";

export const trampolineNote = "This kernel forbids BPF trampolines; it refuses without a word of the verifier.";

/** What the probes share. */
export interface Bench {
    /** BTF of our own, see loadProbeBtf() */
    readonly btf: Fd | undefined;
    readonly kernelBtf: KernelBtf | undefined;
    /** ids of the types in the kernel's BTF that probes aim at */
    readonly ids: ReadonlyMap<string, number>;
}

export type Answer = Pick<Feature, "supported" | "errno" | "note">;

export interface Probe {
    readonly name: string;
    /** the first Linux that has it: not what decides, but what the tests hold the answers against */
    readonly since: string;
    /** the kernel's build option that it also needs */
    readonly option?: string;
    run(bench: Bench): Answer;
}

export const yes: Answer = { supported: true, errno: "", note: "" };

export function no(name: string, note = ""): Answer {
    return { supported: false, errno: name, note };
}

export function is(result: number, name: string): boolean {
    return result < 0 && result === -(errno[name] ?? 0);
}

/** Closes what was made; what was not made is named by its errno. */
export function answer(result: number, note = ""): Answer {
    if (result < 0) return no(errnoName(result), note);
    new Fd(result)[Symbol.dispose]();
    return yes;
}

export function programAnswer({ result, log }: ProbeResult): Answer {
    const trampoline = is(result, "EPERM") && log === "" && process.geteuid?.() === 0;
    return answer(result, trampoline ? trampolineNote : "");
}

/** For { option } of a probe that may have none. */
export function needs(option: string | undefined): { option?: string } {
    return option === undefined ? {} : { option };
}
