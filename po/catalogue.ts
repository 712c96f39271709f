// SPDX-License-Identifier: Apache-2.0
// Translations in the form Cockpit loads: po/LANG.po becomes po.LANG.js for the page and po.manifest.LANG.js for the
// menu entry. Cockpit picks one by the browser's language.
/// <reference path="./gettext-parser.d.ts" />
import fs from "node:fs";
import path from "node:path";
import { type Catalogue, po } from "gettext-parser";

const sourceDir = import.meta.dirname;

/** Languages that have a catalogue. */
export function languages(): string[] {
    return fs
        .readdirSync(sourceDir)
        .filter(name => name.endsWith(".po"))
        .map(name => name.slice(0, -".po".length))
        .sort();
}

export function readCatalogue(language: string): Catalogue {
    return po.parse(fs.readFileSync(path.join(sourceDir, `${language}.po`)));
}

export function writeCatalogues(outputDir: string): void {
    const menuTexts = manifestTexts();
    for (const language of languages()) {
        const catalogue = readCatalogue(language);
        const plural = /plural=([^;]*)/.exec(catalogue.headers["Plural-Forms"] ?? "")?.[1] ?? "n != 1";
        const messages = Object.values(catalogue.translations[""] ?? {}).filter(
            message => message.msgid !== "" && message.msgstr.every(text => text !== ""),
        );
        const menu = messages.filter(message => menuTexts.has(message.msgid));
        writeCatalogue(outputDir, language, plural, messages);
        fs.writeFileSync(path.join(outputDir, `po.manifest.${language}.js`), script(language, plural, menu));
    }
}

export interface CatalogueEntry {
    readonly msgid: string;
    readonly msgstr: readonly string[];
}

/** The page's texts in one language. plural: the catalogue's rule, a C expression of n. */
export function writeCatalogue(
    outputDir: string,
    language: string,
    plural: string,
    messages: readonly CatalogueEntry[],
): void {
    fs.writeFileSync(path.join(outputDir, `po.${language}.js`), script(language, plural, messages));
}

// as Cockpit's own list has them
const fromRightToLeft = new Set(["ar", "fa", "he", "ur"]);

/** The texts of manifest.json that people see or search by. */
export function manifestTexts(): Set<string> {
    const texts = new Set<string>();
    collect(JSON.parse(fs.readFileSync(path.join(sourceDir, "../manifest.json"), "utf8")), texts);
    return texts;
}

function collect(value: unknown, texts: Set<string>): void {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
        if (key === "label" && typeof inner === "string") texts.add(inner);
        else if (key === "matches" && Array.isArray(inner)) for (const word of inner) texts.add(String(word));
        else collect(inner, texts);
    }
}

/** The catalogue's plural rule is a C expression, which JavaScript reads alike but for its boolean results. */
function script(language: string, plural: string, messages: readonly CatalogueEntry[]): string {
    const direction = fromRightToLeft.has(language) ? "rtl" : "ltr";
    const header = `"": {"plural-forms": n => Number(${plural}), "language": "${language}", "language-direction": "${direction}"}`;
    const entries = messages.map(
        ({ msgid, msgstr }) => `${JSON.stringify(msgid)}: ${JSON.stringify([null, ...msgstr])}`,
    );
    return `cockpit.locale({\n${[header, ...entries].join(",\n")}\n});\n`;
}
