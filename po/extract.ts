// SPDX-License-Identifier: Apache-2.0
// Collects every text of the page and of manifest.json into po/bpfman.pot and merges it into the catalogues.
// xgettext reads plain JavaScript, so esbuild takes types and JSX away first.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import { languages, manifestTexts } from "./catalogue.ts";

const poDir = import.meta.dirname;
const sourceDir = path.join(poDir, "../src");

/** The template's text. */
export function extract(): string {
    const workDir = fs.mkdtempSync(path.join(os.tmpdir(), "bpfman-po-"));
    try {
        const files = sources().map(name => plainScript(workDir, name));
        fs.writeFileSync(path.join(workDir, "manifest.json"), manifestScript());
        const options = ["--language=JavaScript", "--from-code=UTF-8", "--add-location=file", "--sort-by-file"];
        const keywords = ["--keyword=_", "--keyword=N_", "--keyword=ngettext:1,2"];
        const names = ["--package-name=bpfman", "--output=-"];
        const text = execFileSync("xgettext", [...options, ...keywords, ...names, ...files, "manifest.json"], {
            cwd: workDir,
            encoding: "utf8",
        });
        // the only line that differs from run to run
        return text.replace(/^"POT-Creation-Date:.*\\n"\n/m, "").replace("charset=CHARSET", "charset=UTF-8");
    } finally {
        fs.rmSync(workDir, { recursive: true });
    }
}

function sources(): string[] {
    return fs
        .readdirSync(sourceDir, { recursive: true, encoding: "utf8" })
        .filter(name => /\.tsx?$/.test(name) && !/\.(test|d)\.ts$/.test(name))
        .sort();
}

function plainScript(workDir: string, name: string): string {
    const code = fs.readFileSync(path.join(sourceDir, name), "utf8");
    const { code: script } = transformSync(code, {
        loader: name.endsWith("x") ? "tsx" : "ts",
        jsx: "automatic",
        charset: "utf8",
        target: "es2022",
    });
    const target = path.join("src", name);
    fs.mkdirSync(path.join(workDir, path.dirname(target)), { recursive: true });
    fs.writeFileSync(path.join(workDir, target), script);
    return target;
}

function manifestScript(): string {
    return [...manifestTexts()].map(text => `_(${JSON.stringify(text)});\n`).join("");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const template = path.join(poDir, "bpfman.pot");
    fs.writeFileSync(template, extract());
    for (const language of languages()) {
        const catalogue = path.join(poDir, `${language}.po`);
        execFileSync("msgmerge", ["--quiet", "--update", "--backup=none", "--no-fuzzy-matching", catalogue, template]);
        // texts that the page no longer has
        execFileSync("msgattrib", ["--no-obsolete", `--output-file=${catalogue}`, catalogue]);
    }
}
