// SPDX-License-Identifier: Apache-2.0
// Which bpfman this is: the build writes it in; run from source, package.json says it.
import { readFileSync } from "node:fs";

declare const __BPFMAN_VERSION__: string | undefined;
declare const __BPFMAN_COMMIT__: string | undefined;
declare const __BPFMAN_BUILD__: BuildFacts | undefined;

export interface BuildFacts {
    readonly branch: string;
    /** clean or dirty */
    readonly state: string;
    /** of the commit, or SOURCE_DATE_EPOCH */
    readonly date: string;
}

export function buildVersion(): string {
    if (typeof __BPFMAN_VERSION__ === "string") return __BPFMAN_VERSION__;
    const manifest: { version?: string } = JSON.parse(readFileSync(`${import.meta.dirname}/../package.json`, "utf8"));
    return manifest.version ?? "unknown";
}

export function buildCommit(): string {
    return typeof __BPFMAN_COMMIT__ === "string" ? __BPFMAN_COMMIT__ : "unknown";
}

export const buildFacts = (): BuildFacts =>
    typeof __BPFMAN_BUILD__ === "object" ? __BPFMAN_BUILD__ : { branch: "unknown", state: "unknown", date: "unknown" };
