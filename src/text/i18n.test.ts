// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { languages, readCatalogue } from "../../po/catalogue.ts";
import { extract } from "../../po/extract.ts";

const root = path.join(import.meta.dirname, "../..");
const template = extract();

test("po/bpfman.pot holds the texts of the source as it is", () => {
    const kept = fs.readFileSync(path.join(root, "po/bpfman.pot"), "utf8");
    assert.equal(kept, template, "run node po/extract.ts");
});

test("every catalogue translates every text, and every form of it", async () => {
    const { po } = await import("gettext-parser");
    const wanted = Object.values(po.parse(template).translations[""] ?? {}).filter(message => message.msgid !== "");
    assert.ok(wanted.length > 150, `only ${wanted.length} texts were found in the source`);
    assert.deepEqual(languages(), ["de"]);
    for (const language of languages()) {
        const catalogue = readCatalogue(language);
        const forms = Number(/nplurals=(\d+)/.exec(catalogue.headers["Plural-Forms"] ?? "")?.[1]);
        for (const { msgid, msgid_plural } of wanted) {
            const message = catalogue.translations[""]?.[msgid];
            assert.ok(message, `${language}: ${msgid} is missing`);
            assert.equal(message.comments?.flag ?? "", "", `${language}: ${msgid} is fuzzy`);
            assert.equal(
                message.msgstr.length,
                msgid_plural === undefined ? 1 : forms,
                `${language}: forms of ${msgid}`,
            );
            assert.ok(
                message.msgstr.every(text => text !== ""),
                `${language}: ${msgid} is not translated`,
            );
            for (const [form, text] of message.msgstr.entries()) {
                assert.deepEqual(
                    places(text),
                    places(form === 0 ? msgid : (msgid_plural ?? "")),
                    `${language}: ${text}`,
                );
            }
        }
    }
});

/** $0, $1, …: a translation must use them all. */
function places(text: string): string[] {
    return [...new Set(text.match(/\$\d/g))].sort();
}

const sources = fs
    .readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter(name => name.endsWith(".tsx"))
    .map(name => path.join("src", name));

test("no text stands in JSX itself", () => {
    const report = execFileSync(
        path.join(root, "node_modules/.bin/biome"),
        ["lint", "--only=style/noJsxLiterals", "--reporter=json", ...sources],
        {
            cwd: root,
            encoding: "utf8",
            stdio: ["ignore", "pipe", "ignore"],
        },
    );
    const { summary, diagnostics } = JSON.parse(report);
    assert.deepEqual(diagnostics, []);
    assert.equal(summary.unchanged, sources.length);
});

test("no attribute that people read or hear holds a bare text", () => {
    const spoken =
        /\s(?:aria-label|aria-description|title|titleText|label|description|placeholder|dataLabel|text|toggleText|screenReaderText|resetButtonLabel|alt|action|failure|term)=(?:"|\{")/;
    for (const source of sources) {
        const lines = fs.readFileSync(path.join(root, source), "utf8").split("\n");
        for (const [index, line] of lines.entries()) {
            assert.doesNotMatch(line, spoken, `${source}:${index + 1}`);
        }
    }
});
