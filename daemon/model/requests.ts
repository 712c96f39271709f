// SPDX-License-Identifier: Apache-2.0
// What is asked for: to load, to attach; and what became of several at once.
import type { BpfmanError } from "./error.ts";
import type { HookRequest, ProgramType } from "./hooks.ts";
import type { ProgramId } from "./ids.ts";
import type { ImageOrigin } from "./images.ts";

export interface ProgramSpec {
    readonly name: string;
    readonly type: ProgramType;
    /** fentry, fexit: the kernel's function; lsm: the hook; fixed when the program is loaded. Else empty */
    readonly attachFunction: string;
}

export interface LoadRequest {
    readonly object: Uint8Array;
    readonly sourcePath: string;
    /** where the object came from an image */
    readonly image?: ImageOrigin | undefined;
    readonly programs: readonly ProgramSpec[];
    readonly globalData: ReadonlyMap<string, Uint8Array>;
    /** others, as people write them */
    readonly globalValues?: ReadonlyMap<string, GlobalText>;
    readonly metadata: ReadonlyMap<string, string>;
    readonly mapOwnerId: ProgramId | undefined;
    readonly privateMaps: boolean;
    readonly attach: readonly { programName: string; hook: HookRequest; metadata: ReadonlyMap<string, string> }[];
}

export interface AttachItem {
    readonly programId: ProgramId;
    readonly hook: HookRequest;
    readonly metadata: ReadonlyMap<string, string>;
}

export interface BatchResult<Id> {
    readonly done: readonly Id[];
    readonly failures: readonly { id: Id; error: BpfmanError }[];
}

/** A global variable's value as people write it. */
export interface GlobalText {
    readonly text: string;
    /** never read as bytes in hexadecimal */
    readonly typed: boolean;
}
