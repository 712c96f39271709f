// SPDX-License-Identifier: Apache-2.0
// Names come from objects, the kernel and callers: what could forge a line or turn its direction is written as \u{…}.

// control (Cc), format (Cf: bidirectional marks, zero-width), line and paragraph separators, lone surrogates
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

export function printable(text: string): string {
    return text.replace(unprintable, char => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
