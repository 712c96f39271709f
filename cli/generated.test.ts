// SPDX-License-Identifier: Apache-2.0
// What is made from the table of commands: help, completion scripts, manual pages.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { parseArgs } from "./args.ts";
import { places } from "./commands/command-tree.ts";
import { root } from "./commands/commands.ts";
import { completionLines, shells } from "./commands/completions.ts";
import { helpLines } from "./commands/help.ts";
import { manPages } from "./commands/man-page.ts";

const all = places(root);
const dir = mkdtempSync(join(tmpdir(), "bpfman-generated-"));
after(() => rmSync(dir, { recursive: true }));

test("every command has a summary and examples that the parser takes", () => {
    assert.ok(all.length > 40, `${all.length} commands`);
    for (const { name, path, command } of all) {
        assert.match(command.summary, /^[A-Z].*[^.]$/, name);
        assert.ok(command.examples?.length, `${name} has no example`);
        assert.ok(helpLines(path, "short").includes("Examples:"), name);
        for (const example of command.examples ?? []) {
            // what a shell makes of it
            const line = example
                .replace(/^(sudo|source) /, "")
                .replace(/^<\((.*)\)$/, "$1")
                .replace(/ [<>|].*$/, "");
            const words = execFileSync("bash", ["-c", `printf '%s\\0' ${line}`], { encoding: "utf8" }).split("\0");
            assert.equal(words.shift(), "bpfman", example);
            assert.doesNotThrow(() => parseArgs(root, words.slice(0, -1), {}), example);
        }
    }
});

function complete(line: string): string[] {
    const words = line.split(" ");
    const script = [
        ...completionLines(root, "bash"),
        `COMP_WORDS=(${words.map(word => `'${word}'`).join(" ")})`,
        `COMP_CWORD=${words.length - 1}`,
        "_bpfman",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: bash's own braces
        'printf "%s\\n" "${COMPREPLY[@]}"',
    ];
    const out = execFileSync("bash", ["-c", script.join("\n")], { encoding: "utf8" });
    return out.split("\n").filter(Boolean);
}

test("bash offers commands, flags and the values of flags", () => {
    const cases: [string, string[]][] = [
        ["bpfman pro", ["program"]],
        ["bpfman program un", ["unload"]],
        ["bpfman link attach tc", ["tc", "tcx"]],
        ["bpfman program load file --prog", ["--programs"]],
        ["bpfman program load x.o --priv", ["--private-maps"]],
        ["bpfman program list -o ", ["text", "json"]],
        ["bpfman link attach xdp 1 eth0 --mode g", ["generic"]],
        ["bpfman list programs --appl", ["--application"]],
        ["bpfman list program --appl", ["--application"]],
        ["bpfman --runtime-dir /x program list --unatt", ["--unattached"]],
        ["bpfman program get 1 --runtime", ["--runtime-dir"]],
        ["bpfman link attach xdp 1 l", ["lo"]],
        // a value that may be anything is left to the shell
        ["bpfman program list --application pro", []],
    ];
    for (const [line, offered] of cases)
        assert.deepEqual(
            complete(line).filter(word => offered.length === 0 || offered.includes(word)),
            offered,
            line,
        );
    assert.ok(!complete("bpfman ").includes("serve"), "hidden commands are not offered");
});

test("every shell's script has every command and flag, and parses where the shell is installed", t => {
    for (const shell of shells) {
        const script = completionLines(root, shell).join("\n");
        for (const { name, options } of all) {
            assert.ok(script.includes(name), `${shell}: ${name}`);
            for (const option of options) {
                const flag = shell === "fish" ? `-l ${option.name}` : `--${option.name}`;
                assert.ok(script.includes(flag), `${shell}: ${name} ${flag}`);
            }
        }
        const file = join(dir, shell);
        writeFileSync(file, script);
        const checked = spawnSync(shell, ["-n", file], { encoding: "utf8" });
        if (checked.error) t.diagnostic(`${shell} is not installed: its script was not parsed`);
        else assert.deepEqual([checked.status, checked.stderr], [0, ""], shell);
    }
});

test("every command has a manual page that roff reads without a complaint", t => {
    const pages = manPages(root, "1.2.3");
    assert.deepEqual(
        pages.map(({ file }) => file),
        all.map(({ name }) => `${name.replaceAll(" ", "-")}.1`),
    );
    for (const { file, lines } of pages) {
        assert.match(lines[0] ?? "", /^\.TH BPFMAN[A-Z-]* 1 "" "bpfman 1\.2\.3" "bpfman"$/, file);
        for (const section of [".SH NAME", ".SH SYNOPSIS", ".SH EXAMPLES"]) assert.ok(lines.includes(section), file);
        for (const line of lines) assert.match(line, /^([^.']|\.(TH|SH|TP|B|I|PP|nf|fi)\b|\\&)/, `${file}: ${line}`);
    }
    const load = pages.find(({ file }) => file === "bpfman-program-load-file.1")?.lines.join("\n") ?? "";
    assert.ok(load.includes(".B \\-\\-map\\-owner\\-id ID\n"));
    const groff = spawnSync("groff", ["-man", "-Tutf8", "-ww"], { input: load, encoding: "utf8" });
    if (groff.error) t.diagnostic("groff is not installed: the page was not set");
    else {
        assert.deepEqual([groff.status, groff.stderr], [0, ""]);
        assert.match(groff.stdout, /a BPF object file\./);
    }
});

test("the command writes them", () => {
    const run = (...words: string[]) => {
        const main = join(import.meta.dirname, "main.ts");
        const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], { encoding: "utf8", env: {} });
        return { status, stdout, stderr };
    };
    const fish = `${completionLines(root, "fish").join("\n")}\n`;
    assert.deepEqual(run("completions", "fish"), { status: 0, stdout: fish, stderr: "" });
    const folder = join(dir, "scripts");
    assert.deepEqual(run("completions", folder), {
        status: 0,
        stdout: "",
        stderr: `completion script(s) generated in ${folder}\n`,
    });
    assert.deepEqual(readdirSync(folder).sort(), ["_bpfman", "bpfman.bash", "bpfman.fish"]);
    assert.equal(readFileSync(join(folder, "bpfman.fish"), "utf8"), fish);
    assert.match(
        run("completions", "tcsh").stderr,
        /^bpfman: error: no completion for "tcsh"; one of: bash, zsh, fish\n/,
    );
    const pages = join(dir, "man1");
    assert.equal(run("man", pages).status, 0);
    assert.equal(readdirSync(pages).length, all.length);
    assert.match(gunzipSync(readFileSync(join(pages, "bpfman.1.gz"))).toString(), /^\.TH BPFMAN 1 /);
});
