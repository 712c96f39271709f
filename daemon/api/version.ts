// SPDX-License-Identifier: Apache-2.0
// Which bpfman this is: the build writes it in; run from source, package.json says it.
import { readFileSync } from "node:fs";

declare const __BPFMAN_VERSION__: string | undefined;
declare const __BPFMAN_COMMIT__: string | undefined;

export function bpfmanVersion(): string {
    if (typeof __BPFMAN_VERSION__ === "string") return __BPFMAN_VERSION__;
    const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    const version = typeof manifest === "object" && manifest !== null && "version" in manifest && manifest.version;
    return typeof version === "string" ? version : "";
}

/** Empty where nobody recorded it. */
export const bpfmanCommit = (): string => (typeof __BPFMAN_COMMIT__ === "string" ? __BPFMAN_COMMIT__ : "");
