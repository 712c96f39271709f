// SPDX-License-Identifier: Apache-2.0
// Names that objects, interfaces and the kernel supply may hold anything. What would change how the text around them
// reads (control characters, bidirectional marks, invisible and line-breaking ones) is shown as its escape.

// by code point, as a class of them would hold characters that combine with their neighbours
const telling = new RegExp(
    [
        "[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]",
        "[\\u115f\\u1160\\u3164\\uffa0\\u{e0000}-\\u{e007f}]",
        "\\u034f|\\u17b4|\\u17b5",
        "\\p{Surrogate}",
    ].join("|"),
    "gu",
);

/** For a name within a line. */
export function shown(name: string): string {
    return name.replace(telling, escapeOf);
}

/** For text of several lines, as a verifier's log. */
export function shownLines(text: string): string {
    return text.replace(telling, character =>
        character === "\n" || character === "\t" ? character : escapeOf(character),
    );
}

function escapeOf(character: string): string {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
    if (code < 0x10000) return `\\u${code.toString(16).padStart(4, "0")}`;
    return `\\u{${code.toString(16)}}`;
}
