// SPDX-License-Identifier: Apache-2.0
// The command's part of dist/, made to start soon: what runs it takes half as long again as an empty Node.js.
//   lib/cli.cjs, lib/cli-*.cjs   what every command needs, and a file for each import() of cli/, so for each verb
//   lib/*.cjs.v8                 the same compiled by V8, so that a start neither parses nor compiles
//   bin/bpfman                   the launcher
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { type BuildOptions, build, type Metafile, type Plugin } from "esbuild";

export interface CommandBuild {
    /** what all bundles have in common; its outdir is lib */
    readonly options: BuildOptions & { readonly absWorkingDir: string; readonly outdir: string };
    /** where the launcher goes */
    readonly bin: string;
    /** the interpreter that the launcher's first line names */
    readonly node: string;
    /** which it has to be at least */
    readonly nodeMajor: number;
}

/** One metafile for each bundle. */
export async function buildCommand(command: CommandBuild): Promise<Metafile[]> {
    const { options, bin, node, nodeMajor } = command;
    const metafiles: Metafile[] = [];
    const waiting = new Map([["cli", "cli/main.ts"]]);
    for (const [name, source] of waiting) {
        const { metafile } = await build({
            ...options,
            entryPoints: { [name]: source },
            // CommonJS starts two milliseconds sooner than modules
            format: "cjs",
            minifyIdentifiers: options.minifySyntax === true,
            outExtension: { ".js": ".cjs" },
            define: { ...options.define, "import.meta.dirname": "__dirname" },
            // import() would start the loader of modules: another two
            supported: { ...options.supported, "dynamic-import": false },
            plugins: [apart(options.absWorkingDir, waiting), ...(name === "cli" ? [] : [sharedWithCommand])],
            metafile: true,
        });
        if (metafile) metafiles.push(metafile);
    }
    // a package may be built where the interpreter is not that it will run on; code of another V8 is no use, and no harm
    const files = [...waiting.keys()].map(name => `${name}.cjs`);
    compile(fs.existsSync(node) ? node : process.execPath, options.outdir, files);
    writeLauncher(bin, node, nodeMajor);
    return metafiles;
}

/** What is imported when it is needed gets a file of its own; found, it waits for its turn. */
function apart(root: string, waiting: Map<string, string>): Plugin {
    return {
        name: "apart",
        setup(build) {
            // `bpfman serve` finds the daemon's bundle beside the command's
            build.onResolve({ filter: /\/daemon\/main\.ts$/ }, () => ({ path: "./daemon.js", external: true }));
            build.onResolve({ filter: /\.ts$|^yaml$/ }, ({ kind, path, resolveDir }) => {
                if (kind !== "dynamic-import") return undefined;
                const name = `cli-${basename(path, ".ts")}`;
                waiting.set(name, path === "yaml" ? path : join(resolveDir, path).slice(root.length + 1));
                return { path: `./${name}.cjs`, external: true };
            });
        },
    };
}

/** Classes that are told apart by instanceof must not be there twice; cli/main.ts exports them. */
const sharedWithCommand: Plugin = {
    name: "shared-with-command",
    setup(build) {
        build.onResolve({ filter: /\/(?:args|errors)\.ts$/ }, ({ path, importer }) => {
            const file = join(dirname(importer), path);
            return /\/(?:cli\/args|client\/errors)\.ts$/.test(file) ? { path: "./cli.cjs", external: true } : undefined;
        });
    },
};

/** A file's code in a function, as Node.js itself does it; the compiled code holds for the same characters alone. */
const wrapped = (file: string): string =>
    `"(function (exports, require, module, __filename, __dirname) {" + readFileSync(${file}, "latin1") + "\\n})"`;

/**
 * V8 keeps functions for later that nobody called yet; here all are compiled at once. The flag has to be off again
 * before the code is taken: V8 refuses code that was made with other flags than those it runs with.
 */
const compiler = `
const { Script } = require("node:vm");
const { setFlagsFromString } = require("node:v8");
const { readFileSync, writeFileSync } = require("node:fs");
const [task, ...files] = process.argv.slice(1);
for (const filename of files) {
    const source = ${wrapped("filename")};
    if (task === "make") {
        setFlagsFromString("--no-lazy");
        const script = new Script(source, { filename });
        setFlagsFromString("--lazy");
        writeFileSync(filename + ".v8", script.createCachedData());
    } else if (new Script(source, { filename, cachedData: readFileSync(filename + ".v8") }).cachedDataRejected) {
        throw new Error(filename + ".v8: refused by the V8 that made it");
    }
}`;

function compile(node: string, folder: string, files: readonly string[]): void {
    const run = (words: readonly string[]) =>
        execFileSync(node, words, { cwd: folder, stdio: ["ignore", "inherit", "inherit"] });
    // the same source gives the same bytes: predictable, in a process of its own, by a name without a folder
    for (const file of files) run(["--predictable", "-e", compiler, "make", file]);
    run(["-e", compiler, "check", ...files]);
}

function writeLauncher(bin: string, node: string, nodeMajor: number): void {
    fs.mkdirSync(bin, { recursive: true });
    // whatever an outer package.json says, and without a look at the text
    fs.writeFileSync(join(bin, "package.json"), '{ "type": "commonjs" }\n');
    const path = join(bin, "bpfman");
    fs.writeFileSync(path, launcher(node, nodeMajor));
    fs.chmodSync(path, 0o755);
}

/**
 * Must parse on any Node, to tell an old one. Compiled code of another V8 is refused by V8, and costs no more than its
 * time. The young generation's size is the daemon's (see cli/verbs/serve.ts).
 */
const launcher = (node: string, nodeMajor: number): string => `#!${node} --max-semi-space-size=1
// SPDX-License-Identifier: Apache-2.0
"use strict";
if (Number(process.versions.node.split(".")[0]) < ${nodeMajor}) {
    process.stderr.write("bpfman: error: needs Node.js ${nodeMajor} or newer, " + process.execPath + " is " + process.version + "\\n");
    process.exit(1);
}
const { existsSync, readFileSync } = require("node:fs");
const { Script } = require("node:vm");
const lib = __dirname + "/../lib/";
const loaded = new Map();
function load(name) {
    if (!name.endsWith(".cjs")) return require(name.startsWith(".") ? lib + name : name);
    const known = loaded.get(name);
    if (known) return known.exports;
    const module = { exports: {} };
    loaded.set(name, module);
    const file = lib + name.slice(2);
    // without it, everything works and takes longer
    const cachedData = existsSync(file + ".v8") ? readFileSync(file + ".v8") : undefined;
    const source = ${wrapped("file")};
    new Script(source, { filename: file, cachedData }).runInThisContext()(module.exports, load, module, file, lib);
    return module.exports;
}
load("./cli.cjs");
`;
