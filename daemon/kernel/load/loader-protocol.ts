// SPDX-License-Identifier: Apache-2.0
// What the daemon and its loader process say to each other: one request (a 4-byte length, JSON, the object's bytes),
// one answer (JSON until the end).

export interface LoaderRequest {
    /** becomes the prefix of the kernel's names for .rodata, .data and .bss */
    readonly objectName: string;
    readonly programs: readonly LoaderProgram[];
    /** functions that the object's PROG_ARRAYs start with: loaded, held by the map, not pinned */
    readonly arrayMembers: readonly LoaderProgram[];
    /** freplace: the pinned program and the function in it that every program is to replace */
    readonly target: { readonly pin: string; readonly function: string } | undefined;
    /** maps that exist already: kernel ids by mapKey() */
    readonly reuse: Readonly<Record<string, number>>;
    /** of reuse: taken only where the object defines the map as it is; the others are taken as they are */
    readonly reuseIfSame?: Readonly<Record<string, "or-fail" | "or-make">>;
    readonly globals: readonly LoaderGlobal[];
    /** a folder in a bpffs: programs are pinned there as p0, p1, …, maps as m0, m1, … */
    readonly stage: string;
    readonly pinMaps: boolean;
    /** the verifier's log is wanted also of a load that succeeds: all of it, or its last lines with the sums */
    readonly log?: "whole" | "summary";
}

export interface LoaderProgram {
    readonly name: string;
    readonly progType: number;
    readonly attachType: number;
    readonly flags: number;
    /** fentry, fexit, LSM: what it is loaded for; else empty or absent */
    readonly kernelFunction?: string;
}

export interface LoaderGlobal {
    readonly section: string;
    readonly offset: number;
    readonly base64: string;
}

/** Two definitions of one map, for people. */
export interface MapMismatch {
    readonly map: string;
    readonly wanted: string;
    readonly found: string;
}

export type LoaderAnswer =
    | {
          readonly ok: true;
          readonly programs: readonly { readonly id: number; readonly tag: string }[];
          /** pin: the index n of its pin m<n>; undefined for internal maps, whose names bpffs forbids */
          readonly maps: readonly { readonly name: string; readonly id: number; readonly pin: number | undefined }[];
          /** of the first program, where it was wanted; the end of a long one */
          readonly log?: string;
          readonly logCut?: boolean;
      }
    | {
          readonly ok: false;
          /** what was being done */
          readonly step: string;
          readonly errno: number;
          /** the program that the verifier refused */
          readonly program: string;
          readonly log: string;
          /** the map that exists is another than the object's */
          readonly mismatch?: MapMismatch;
      };

/** .rodata of "xdp_pas.rodata", .rodata.config of ".rodata.config": libbpf's names of internal maps by section. */
export function internalMapSection(mapName: string): string | undefined {
    const match = /\.(rodata|data|bss|kconfig)(\..*)?$/.exec(mapName);
    return match === null ? undefined : match[0];
}

/** A map's name, or for internal maps the section: their names have the object's in front. */
export const mapKey = (mapName: string): string => internalMapSection(mapName) ?? mapName;
