// SPDX-License-Identifier: Apache-2.0
// proto3 JSON carries bytes as base64. Browsers got Uint8Array's own conversion later than Cockpit's oldest.

interface WithBase64 {
    toBase64?: () => string;
}

export function toBase64(bytes: Uint8Array): string {
    const own = (bytes as Uint8Array & WithBase64).toBase64;
    if (own) return own.call(bytes);
    // a multiple of three, so that pieces join without padding in between
    const pieceBytes = 24 * 1024;
    let text = "";
    for (let at = 0; at < bytes.length; at += pieceBytes) {
        text += btoa(String.fromCharCode(...bytes.subarray(at, at + pieceBytes)));
    }
    return text;
}

export function fromBase64(text: string): Uint8Array {
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
    return bytes;
}
