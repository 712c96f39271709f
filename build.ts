// SPDX-License-Identifier: Apache-2.0
// Builds dist/: node build.ts [all|bpf|daemon|cli|page]… [--production]
//   bpf/, demo/, test/   BPF objects, each only when its source or a header is newer
//   lib/                 the daemon's and the command's bundles, koffi beside them
//   bin/bpfman           runs from any folder; its first line names the interpreter found here, or BPFMAN_NODE
//   cockpit/             the page
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { delimiter, isAbsolute, join, relative } from "node:path";
import { type BuildOptions, build, type Metafile, type Plugin } from "esbuild";
import { buildCommand } from "./build-command.ts";

const root = import.meta.dirname;
const dist = join(root, "dist");
const lib = join(dist, "lib");
const wantedNodeMajor = 24;

interface PackageFacts {
    readonly version: string;
    readonly license?: string;
}

/** Something a person has to change; told in one sentence. */
class BuildError extends Error {}

// --- BPF objects ---------------------------------------------------------------------------------------------

const objectFolders = [
    { from: "bpf", to: "bpf" },
    { from: "demo", to: "demo" },
    { from: "test/fixtures", to: "test" },
] as const;

function buildObjects(): void {
    let compiled = 0;
    for (const { from, to } of objectFolders) {
        const sources = fs.globSync("*.bpf.c", { cwd: join(root, from) });
        if (sources.length === 0) continue;
        const headers = [join(root, "bpf"), join(root, from)].flatMap(dir => fs.globSync(`${dir}/*.h`));
        const newest = Math.max(0, ...headers.map(modified));
        fs.mkdirSync(join(dist, to), { recursive: true });
        for (const source of sources) {
            const input = join(root, from, source);
            const output = join(dist, to, source.replace(/\.bpf\.c$/, ".o"));
            if (fs.existsSync(output) && modified(output) >= Math.max(newest, modified(input))) continue;
            compileObject(input, output);
            compiled++;
        }
    }
    console.log(`BPF objects: ${compiled} compiled, the others are up to date`);
}

const modified = (path: string) => fs.statSync(path).mtimeMs;

function compileObject(input: string, output: string): void {
    // an interrupted build must not leave half an object that looks new
    const partial = `${output}.partial`;
    const flags = [
        ...["-target", "bpf", "-g", "-O2", "-mcpu=v3", "-Wall", "-Wno-unused-function", "-Werror"],
        // relative, so that the same bytes come from whatever folder, and clang finds the source whose lines BTF quotes
        ...["-fdebug-compilation-dir=.", "-Ibpf", ...multiarchIncludes()],
    ];
    try {
        execFileSync(clang(), [...flags, "-c", relative(root, input), "-o", partial], {
            cwd: root,
            stdio: ["ignore", "inherit", "inherit"],
        });
    } catch (error) {
        throw new BuildError(`${relative(root, input)} does not compile: see clang's words above`, { cause: error });
    }
    fs.renameSync(partial, output);
}

let foundClang: string | undefined;

function clang(): string {
    const names = ["clang", ...Array.from({ length: 15 }, (_, at) => `clang-${26 - at}`)];
    foundClang ??= names.map(onPath).find(path => path !== undefined);
    if (foundClang === undefined) {
        throw new BuildError("clang is not installed: packaging/install-deps.sh installs it (package clang)");
    }
    return foundClang;
}

/** Debian keeps <asm/types.h> in a folder of the architecture's name, which -target bpf does not search. */
function multiarchIncludes(): string[] {
    const candidates = [
        output(clang(), ["-print-multiarch"]),
        output(clang(), ["-dumpmachine"]).replace(/-(?:pc|unknown)-/, "-"),
        `${output("uname", ["-m"])}-linux-gnu`,
    ];
    const found = candidates
        .filter(name => name !== "")
        .find(name => fs.existsSync(`/usr/include/${name}/asm/types.h`));
    return found === undefined ? [] : ["-idirafter", `/usr/include/${found}`];
}

function output(command: string, args: readonly string[]): string {
    try {
        return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    } catch {
        return "";
    }
}

function onPath(name: string): string | undefined {
    const dirs = (process.env["PATH"] ?? "").split(delimiter).filter(isAbsolute);
    return dirs.map(dir => join(dir, name)).find(path => fs.existsSync(path));
}

// --- the daemon and the command ------------------------------------------------------------------------------

const entries = {
    daemon: "daemon/main.ts",
    "net-worker": "daemon/kernel/net/net-worker.ts",
    "loader-child": "daemon/kernel/load/loader-child.ts",
} as const;

const git = (...words: readonly string[]): string => output("git", ["-C", root, ...words]);

/** Of the source, not of the machine: the same commit gives the same bytes. */
function buildFacts(): { branch: string; state: string; date: string } {
    const seconds = process.env["SOURCE_DATE_EPOCH"] ?? git("log", "-1", "--format=%ct");
    const isCommit = git("rev-parse", "HEAD") !== "";
    return {
        branch: git("branch", "--show-current") || "unknown",
        state: !isCommit ? "unknown" : git("status", "--porcelain", "--untracked-files=no") === "" ? "clean" : "dirty",
        date: /^\d+$/.test(seconds) ? new Date(Number(seconds) * 1000).toISOString() : "unknown",
    };
}

function common(production: boolean) {
    const { version } = packageFacts(root);
    return {
        absWorkingDir: root,
        bundle: true,
        platform: "node",
        target: `node${wantedNodeMajor}`,
        // Node 24 has it. esbuild's own way keeps the error of one round of a loop for the next, which then throws it again.
        supported: { using: true },
        outdir: lib,
        minifySyntax: production,
        minifyWhitespace: production,
        sourcemap: production ? false : "linked",
        // a map of the sources' text is of no use on another machine
        sourcesContent: false,
        legalComments: "linked",
        metafile: true,
        external: ["koffi"],
        define: {
            __BPFMAN_VERSION__: JSON.stringify(version),
            __BPFMAN_COMMIT__: JSON.stringify(git("rev-parse", "--short=12", "HEAD") || "unknown"),
            __BPFMAN_BUILD__: JSON.stringify(buildFacts()),
        },
        logLevel: "warning",
    } satisfies BuildOptions;
}

/** Only grpc-js' channelz uses it, by way of protobufjs and lodash: a third of the bundle. */
const withoutProtoLoader: Plugin = {
    name: "without-proto-loader",
    setup(build) {
        build.onResolve({ filter: /^@grpc\/proto-loader$/ }, () => ({ path: "proto-loader", namespace: "empty" }));
        build.onLoad({ filter: /.*/, namespace: "empty" }, () => ({ contents: "" }));
    },
};

async function buildDaemon(production: boolean): Promise<Metafile> {
    const present = Object.entries(entries).filter(([, path]) => fs.existsSync(join(root, path)));
    fs.mkdirSync(lib, { recursive: true });
    const result = await build({
        ...common(production),
        entryPoints: Object.fromEntries(present),
        format: "esm",
        // code that a first call does not need stays in files of its own, beside the others
        splitting: true,
        chunkNames: "daemon-[name]-[hash]",
        // CommonJS packages inside an ES module ask for Node's own modules
        banner: {
            js: 'import{createRequire as __createRequire}from"node:module";const require=__createRequire(import.meta.url);',
        },
        plugins: [withoutProtoLoader],
        metafile: true,
    });
    fs.writeFileSync(join(lib, "package.json"), '{ "type": "module" }\n');
    copyKoffi();
    return result.metafile;
}

/** BPFMAN_NODE; else the machine's own where it is new enough; else the one of node_modules; else the one that runs this. */
function interpreter(): string {
    const asked = process.env["BPFMAN_NODE"];
    if (asked !== undefined && asked !== "") {
        if (!isAbsolute(asked)) throw new BuildError(`BPFMAN_NODE must be an absolute path, not ${asked}`);
        return asked;
    }
    const dirs = (process.env["PATH"] ?? "")
        .split(delimiter)
        .filter(dir => isAbsolute(dir) && !dir.includes("node_modules"));
    const candidates = [
        ...dirs.map(dir => join(dir, "node")),
        join(root, "node_modules/node/bin/node"),
        process.execPath,
    ];
    const found = candidates.find(path => fs.existsSync(path) && nodeMajor(path) >= wantedNodeMajor);
    if (found === undefined)
        throw new BuildError(`no Node.js ${wantedNodeMajor} or newer: run npm ci, or set BPFMAN_NODE`);
    return found;
}

function nodeMajor(path: string): number {
    return Number(/^v(\d+)\./.exec(output(path, ["--version"]))?.[1] ?? 0);
}

/** What koffi needs at run time: its JavaScript, and the library for this machine, compiled here or prebuilt. */
function copyKoffi(): void {
    const from = join(root, "node_modules/koffi");
    const to = join(lib, "node_modules/koffi");
    const triplet = `linux_${process.arch}`;
    const libraries = [
        join(from, "build/koffi", triplet, "koffi.node"),
        join(root, `node_modules/@koromix/koffi-linux-${process.arch}`, triplet, "koffi.node"),
    ];
    const library = libraries.find(path => fs.existsSync(path));
    if (library === undefined) throw new BuildError(`koffi has no library for ${triplet}: run npm ci`);
    fs.rmSync(to, { recursive: true, force: true });
    for (const file of ["package.json", "LICENSE.txt", "index.js", "src/koffi/index.js", "src/koffi/src/static.js"]) {
        fs.mkdirSync(join(to, file, ".."), { recursive: true });
        fs.copyFileSync(join(from, file), join(to, file));
    }
    fs.mkdirSync(join(to, "build/koffi", triplet), { recursive: true });
    fs.copyFileSync(library, join(to, "build/koffi", triplet, "koffi.node"));
}

/** Chunks are named by their content: those of earlier builds would stay for ever. */
function removeStale(metafiles: readonly Metafile[]): void {
    const kept = new Set(metafiles.flatMap(({ outputs }) => Object.keys(outputs).map(path => join(root, path))));
    for (const name of fs.readdirSync(lib)) {
        const path = join(lib, name);
        if (name !== "package.json" && name !== "node_modules" && !kept.has(path.replace(/\.v8$/, ""))) fs.rmSync(path);
    }
}

// --- what is in the bundles ----------------------------------------------------------------------------------

function packageFacts(dir: string): PackageFacts {
    return JSON.parse(fs.readFileSync(join(dir, "package.json"), "utf8"));
}

/** The npm packages whose code is in these outputs. */
function packagesIn(metafiles: readonly Metafile[]): Set<string> {
    const names = new Set<string>();
    for (const { outputs } of metafiles) {
        // inputs that ended up in no file are not shipped
        for (const [path, { bytesInOutput }] of Object.values(outputs).flatMap(({ inputs }) =>
            Object.entries(inputs),
        )) {
            const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
            if (name !== undefined && bytesInOutput > 0) names.add(name);
        }
    }
    return names;
}

const rememberedPackages = (part: "lib" | "page") => join(dist, `.packages-${part}.json`);

/** bundled-npm.txt: name, version, licence of each; bundled-licenses.txt: the words of the licences. */
function writeBundled(): void {
    const remembered = [rememberedPackages("lib"), rememberedPackages("page")].filter(path => fs.existsSync(path));
    const names = new Set(remembered.flatMap((path): string[] => JSON.parse(fs.readFileSync(path, "utf8"))));
    const lines: string[] = [];
    const texts: string[] = [];
    for (const name of [...names].sort()) {
        const dir = join(root, "node_modules", name);
        const { version, license } = packageFacts(dir);
        lines.push(`${name} ${version} ${license ?? "unknown"}\n`);
        const files = fs.globSync("{LICEN[CS]E,NOTICE,COPYING}*", { cwd: dir }).sort();
        texts.push(
            ...files.map(file => `== ${name} ${version}: ${file}\n\n${fs.readFileSync(join(dir, file), "utf8")}\n`),
        );
    }
    fs.writeFileSync(join(dist, "bundled-npm.txt"), lines.join(""));
    fs.writeFileSync(join(dist, "bundled-licenses.txt"), texts.join("\n"));
}

// --- which parts -----------------------------------------------------------------------------------------------

const parts = ["bpf", "daemon", "cli", "page"] as const;

async function main(argv: readonly string[]): Promise<void> {
    const production = argv.includes("--production");
    const named = argv.filter(word => word !== "--production");
    const unknown = named.find(word => word !== "all" && !(parts as readonly string[]).includes(word));
    if (unknown !== undefined) throw new BuildError(`unknown part "${unknown}"; one of: all, ${parts.join(", ")}`);
    const wanted = new Set<string>(named.length === 0 || named.includes("all") ? parts : named);
    if (wanted.has("bpf")) buildObjects();
    if (wanted.has("daemon") || wanted.has("cli")) {
        // one folder, one list of what is bundled; together they take a quarter of a second
        const node = interpreter();
        const command = { options: common(production), bin: join(dist, "bin"), node, nodeMajor: wantedNodeMajor };
        const metafiles = [await buildDaemon(production), ...(await buildCommand(command))];
        removeStale(metafiles);
        remember("lib", [...packagesIn(metafiles), "koffi"]);
        console.log(`dist/bin/bpfman: ${node}`);
    }
    if (wanted.has("page")) {
        const { buildPage } = await import("./build-page.ts");
        remember("page", [...packagesIn([await buildPage({ production })])]);
    }
    writeBundled();
}

function remember(part: "lib" | "page", names: readonly string[]): void {
    fs.writeFileSync(rememberedPackages(part), JSON.stringify(names));
}

try {
    await main(process.argv.slice(2));
} catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(`build: ${error.message}`);
    process.exitCode = 1;
}
