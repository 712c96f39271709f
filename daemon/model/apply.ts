// SPDX-License-Identifier: Apache-2.0
// A set: programs and links that one file describes whole.
import type { HookRequest } from "./hooks.ts";
import type { ImageOrigin } from "./images.ts";
import type { GlobalText, ProgramSpec } from "./requests.ts";
import type { LinkView, ProgramView } from "./views.ts";

export interface ApplyBytecode {
    readonly name: string;
    readonly object: Uint8Array;
    readonly sourcePath: string;
    /** where the object came from an image */
    readonly image?: ImageOrigin | undefined;
    readonly globalData: ReadonlyMap<string, Uint8Array>;
    readonly globalValues: ReadonlyMap<string, GlobalText>;
    readonly privateMaps: boolean;
}

export interface ApplyProgram {
    readonly name: string;
    readonly bytecode: string;
    readonly spec: ProgramSpec;
    readonly metadata: ReadonlyMap<string, string>;
}

export interface ApplyLink {
    readonly name: string;
    readonly program: string;
    readonly hook: HookRequest;
    readonly metadata: ReadonlyMap<string, string>;
}

export interface ApplyRequest {
    readonly set: string;
    readonly bytecode: readonly ApplyBytecode[];
    readonly programs: readonly ApplyProgram[];
    /** of equal priority at one hook, in the order they run */
    readonly links: readonly ApplyLink[];
    readonly dryRun: boolean;
}

export type ApplyAction = "load" | "replace" | "attach" | "update" | "detach" | "unload" | "keep";

/** What an apply does, or would do, to one program or link of its set. */
export interface ApplyStep {
    readonly action: ApplyAction;
    readonly kind: "program" | "link";
    readonly name: string;
    /** 0 for what a dry run would make */
    readonly id: number;
    /** for people */
    readonly detail: string;
}

export interface ApplyResult {
    readonly steps: readonly ApplyStep[];
    readonly warnings: readonly string[];
    /** the set's, in the order of the request; of a dry run none */
    readonly programs: readonly ProgramView[];
    readonly links: readonly LinkView[];
}
