// SPDX-License-Identifier: Apache-2.0

/** Hands bytes that the page has to the browser as a file. */
export function download(name: string, bytes: Uint8Array | string, type = "application/octet-stream"): void {
    const part = typeof bytes === "string" ? bytes : Uint8Array.from(bytes);
    const url = URL.createObjectURL(new Blob([part], { type }));
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
    // the browser has it by then
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
