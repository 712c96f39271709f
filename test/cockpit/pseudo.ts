// SPDX-License-Identifier: Apache-2.0
// A language that nobody speaks: every text of the page in brackets, with its letters changed and a third longer. What
// shows without brackets has not gone through gettext. Read from right to left it is also mirrored.
import fs from "node:fs";
import path from "node:path";
import { po } from "gettext-parser";
import { writeCatalogue } from "../../po/catalogue.ts";

// Cockpit serves these; the page has no catalogue of its own for them
export const pseudoLanguage = "eo";
export const mirroredLanguage = "he";

const letters: Readonly<Record<string, string>> = {
    ...{ a: "å", c: "ç", d: "ð", e: "é", g: "ĝ", i: "í", n: "ñ", o: "ö", s: "š", u: "ü", y: "ý" },
    ...{ A: "Å", C: "Ç", D: "Ð", E: "É", G: "Ĝ", I: "Í", N: "Ñ", O: "Ö", S: "Š", U: "Ü", Y: "Ý" },
};

export function pseudo(text: string): string {
    // $0 is replaced by the page
    const changed = text.replace(/\$\d|[a-zA-Z]/g, part => letters[part] ?? part);
    return `⟦${changed}${"·".repeat(Math.ceil(text.length / 3))}⟧`;
}

/** Into a built page. */
export function writePseudoLanguages(pageDir: string): void {
    const template = po.parse(fs.readFileSync(path.join(import.meta.dirname, "../../po/bpfman.pot")));
    const messages = Object.values(template.translations[""] ?? {})
        .filter(({ msgid }) => msgid !== "")
        .map(({ msgid, msgid_plural: many }) => ({ msgid, msgstr: [pseudo(msgid), pseudo(many ?? msgid)] }));
    for (const language of [pseudoLanguage, mirroredLanguage]) writeCatalogue(pageDir, language, "n != 1", messages);
}

/**
 * Texts and spoken attributes with words outside of brackets that are neither data (what the daemon itself said) nor
 * marked as English. Runs in the browser.
 */
export function escapes(known: readonly string[]): string[] {
    const data = new Set(known);
    const found = new Set<string>();
    const judge = (text: string, element: Element | null): void => {
        // nested: what a text was filled with may be bracketed too
        let rest = text;
        for (let before = ""; before !== rest; ) {
            before = rest;
            rest = rest.replace(/⟦[^⟦⟧]*⟧/g, " ");
        }
        const words = rest.match(/\p{L}[\p{L}\p{N}_]+/gu) ?? [];
        // M11 is how the browser writes a month in a language that it does not know
        const foreign = words.filter(word => !data.has(word.toLowerCase()) && !/^M\d+$/.test(word));
        const isSentence = words.length > 4 && !/[_/=:]/.test(rest);
        if (foreign.length === 0 && !isSentence) return;
        if (element?.closest("code, pre, textarea, .code-line, [lang=en], script, style, noscript")) return;
        found.add(`${rest.trim()} in ${element?.outerHTML.slice(0, 160)}`);
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        if (node.parentElement?.checkVisibility()) judge(node.textContent ?? "", node.parentElement);
    }
    for (const name of ["aria-label", "title", "placeholder", "aria-description", "aria-roledescription"])
        for (const element of document.querySelectorAll(`[${name}]`)) judge(element.getAttribute(name) ?? "", element);
    return [...found];
}
