// SPDX-License-Identifier: Apache-2.0

/** Hands what the page has to the browser as a file. */
export function download(name: string, content: Blob): void {
    const url = URL.createObjectURL(content);
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
    // the browser has it by then
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
