// SPDX-License-Identifier: Apache-2.0
// Which room may import which: the arrows of docs/architecture.md, read from the import statements of every source file.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";

interface Import {
    /** repository-relative path, `node:…`, or a package; "computed" where the text does not say */
    readonly target: string;
    readonly typesOnly: boolean;
    readonly dynamic: boolean;
}

interface Room {
    /** a folder (ending in a slash), its own files (ending in *.ts), or a file */
    readonly path: string;
    /** beside itself: folders, files and packages; `node:*` stands for every module of Node */
    readonly imports: readonly string[];
    /** of these, types alone */
    readonly types?: readonly string[];
    readonly dynamic?: readonly string[];
}

const kernel = (names: readonly string[]) => names.map(name => `daemon/kernel/${name}/`);
const kernelBase = ["daemon/kernel/*.ts", "daemon/model/", "node:*"];
const kernelRooms: readonly Room[] = [
    { path: "daemon/kernel/ffi.ts", imports: [...kernelBase, "koffi"] },
    { path: "daemon/kernel/*.ts", imports: kernelBase },
    ...Object.entries({
        btf: [],
        elf: ["btf"],
        load: ["elf"],
        hooks: ["btf"],
        objects: ["btf"],
        net: ["hooks"],
        dispatch: ["elf", "load", "objects"],
        features: ["btf", "hooks"],
        holders: ["btf", "hooks", "load", "objects"],
    }).map(([name, others]) => ({
        path: `daemon/kernel/${name}/`,
        imports: [...kernelBase, ...kernel(others)],
    })),
];

const manager = (names: readonly string[]) => names.map(name => `daemon/manager/${name}/`);
const managerBase = [
    ...["daemon/chain/", "daemon/kernel/", "daemon/image/", "daemon/store/", "daemon/model/", "node:*"],
    ...["context", "events", "kernel-view", "manager", "pins", "undo", "unexpected", "writer-lock"].map(
        name => `daemon/manager/${name}.ts`,
    ),
];
const managerRooms: readonly Room[] = [
    // the wiring: what starts, restores and watches all of it
    ...["start", "restore", "interface-watch", "kernel-watch"].map(name => ({
        path: `daemon/manager/${name}.ts`,
        imports: [...managerBase, "daemon/manager/"],
    })),
    // what the rooms are given is named by its types
    { path: "daemon/manager/*.ts", imports: managerBase, types: ["daemon/manager/"] },
    ...Object.entries({
        chains: [],
        views: ["chains"],
        maps: ["views"],
        links: ["chains", "views"],
        programs: ["chains", "views", "maps", "links"],
        sets: ["chains", "views", "maps", "links", "programs"],
        statistics: ["chains", "programs"],
        inventory: ["views", "programs"],
    }).map(([name, others]) => ({
        path: `daemon/manager/${name}/`,
        imports: [...managerBase, ...manager(others)],
    })),
];

// The first room whose path fits a file is its room, so files that differ from their folder come before it.
const rooms: readonly Room[] = [
    { path: "daemon/model/", imports: [] },
    { path: "daemon/config.ts", imports: ["daemon/model/", "node:fs"], dynamic: ["smol-toml"] },
    { path: "daemon/main.ts", imports: ["daemon/", "proto/gen/", "node:*", "@grpc/grpc-js", "@bufbuild/protobuf"] },
    {
        // pure, and run by the command: an image is built without a daemon
        path: "daemon/build-image.ts",
        imports: ["daemon/image/", "daemon/kernel/elf/elf.ts", "daemon/kernel/elf/object-types.ts", "daemon/model/"],
    },
    {
        path: "daemon/api/",
        imports: [
            ...["daemon/model/", "daemon/kernel/peer.ts", "proto/gen/"],
            // pure
            ...["daemon/kernel/enums.ts", "daemon/kernel/near-names.ts"],
            ...["node:*", "@grpc/grpc-js", "@bufbuild/protobuf"],
        ],
        types: ["daemon/manager/manager.ts"],
    },
    ...managerRooms,
    { path: "daemon/chain/", imports: ["daemon/model/"] },
    ...kernelRooms,
    {
        path: "daemon/image/sigstore.ts",
        imports: ["daemon/image/", "daemon/model/", "node:*", "@sigstore/bundle", "@sigstore/verify"],
    },
    {
        path: "daemon/image/trust-root.ts",
        imports: ["daemon/model/", "node:*", "@sigstore/protobuf-specs", "@sigstore/tuf", "@sigstore/verify"],
    },
    {
        path: "daemon/image/registries.ts",
        imports: ["daemon/image/", "daemon/model/", "node:*"],
        dynamic: ["smol-toml"],
    },
    { path: "daemon/image/", imports: ["daemon/model/", "node:*"] },
    {
        path: "daemon/store/",
        imports: ["daemon/model/", "node:sqlite", "node:fs", "node:crypto", "node:path"],
    },
    { path: "client/", imports: [], types: ["proto/gen/"] },
    {
        path: "cli/",
        imports: ["client/", "node:*"],
        types: ["proto/gen/"],
        // the daemon's code is read by `bpfman serve` alone, so that no other command pays for it
        dynamic: ["daemon/build-image.ts", "daemon/main.ts", "yaml"],
    },
    {
        path: "src/",
        imports: ["client/", "react", "react-dom", "@patternfly/patternfly"],
        types: ["proto/gen/"],
    },
];

const root = join(import.meta.dirname, "..");

/** One sentence for each import of a file that its room may not have. */
export function violations(file: string, text: string): string[] {
    const room = rooms.find(one => fits(file, one.path));
    if (room === undefined) return [`${file} is in no room`];
    return importsOf(file, text)
        .filter(({ target, typesOnly, dynamic }) => {
            if (fits(target, room.path)) return false;
            const allowed = [
                ...room.imports,
                ...(typesOnly ? (room.types ?? []) : []),
                ...(dynamic ? (room.dynamic ?? []) : []),
            ];
            return !allowed.some(pattern => fits(target, pattern));
        })
        .map(({ target, typesOnly }) => `${file} imports ${typesOnly ? "types of " : ""}${target}`);
}

function fits(target: string, pattern: string): boolean {
    // the files of a folder, without those of its folders
    if (pattern.endsWith("/*.ts")) return dirname(target) === pattern.slice(0, -"/*.ts".length);
    if (pattern.endsWith("*")) return target.startsWith(pattern.slice(0, -1));
    return pattern.endsWith("/") ? target.startsWith(pattern) : target === pattern || target.startsWith(`${pattern}/`);
}

function importsOf(file: string, text: string): Import[] {
    // Comments go, strings stay: a `//` inside a string starts no comment.
    const code = text.replace(
        /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[\s\S]*?\*\/|\/\/.*/g,
        "$1",
    );
    const found: Import[] = [];
    for (const [, bare, what = "", from = ""] of code.matchAll(
        /^\s*(?:import\s*["']([^"'\n]+)["']|(?:import|export)\b([^;"'()=]*?)\bfrom\s*["']([^"'\n]+)["'])/gm,
    )) {
        const names = /\{([^}]*)\}/.exec(what)?.[1]?.split(",") ?? [];
        const named = names.map(name => name.trim()).filter(name => name !== "");
        const onlyNames = /^\s*\{/.test(what) && named.length > 0;
        const typesOnly = /^\s*type\b/.test(what) || (onlyNames && named.every(name => name.startsWith("type ")));
        found.push({ target: resolved(file, bare ?? from), typesOnly, dynamic: false });
    }
    for (const [, argument = ""] of code.matchAll(/\b(?:import|require)\s*\(\s*([^)]*)/g)) {
        const literal = /^["']([^"']+)["']\s*,?\s*$/.exec(argument)?.[1];
        // `import("x").T` in a type is written as `import type` here, so this is always a value
        found.push({
            target: literal === undefined ? "computed" : resolved(file, literal),
            typesOnly: false,
            dynamic: true,
        });
    }
    return found;
}

function resolved(file: string, specifier: string): string {
    return specifier.startsWith(".") ? normalize(join(dirname(file), specifier)) : specifier;
}

test("no file imports what its room may not have", () => {
    const files = globSync(["daemon/**/*.ts", "client/**/*.ts", "cli/**/*.ts", "src/**/*.{ts,tsx}"], { cwd: root })
        .filter(file => !/\.test\.tsx?$/.test(file) && !file.endsWith(".d.ts"))
        .sort();
    assert.ok(files.length > 20, `only ${files.length} files found`);
    const found = files.flatMap(file => violations(file, readFileSync(join(root, file), "utf8")));
    assert.deepEqual(found, []);
});

test("a planted import against the arrows is found, however it is written", () => {
    const planted: readonly [file: string, text: string, targets: string[]][] = [
        ["daemon/chain/order.ts", `import { readFileSync } from "node:fs";`, ["node:fs"]],
        ["daemon/chain/order.ts", `import { libc } from "../kernel/ffi.ts";`, ["daemon/kernel/ffi.ts"]],
        ["daemon/model/ids.ts", `import "node:process";`, ["node:process"]],
        ["daemon/kernel/bpf.ts", `import koffi from "koffi";`, ["koffi"]],
        ["daemon/kernel/bpf.ts", `const koffi = require("koffi");`, ["koffi"]],
        ["daemon/kernel/bpf.ts", `import type { X } from "../store/rows.ts";`, ["types of daemon/store/rows.ts"]],
        [
            "daemon/kernel/btf/btf.ts",
            `import { readElf } from "../elf/elf-file.ts";`,
            ["daemon/kernel/elf/elf-file.ts"],
        ],
        ["daemon/kernel/bpf.ts", `import { Btf } from "./btf/btf.ts";`, ["daemon/kernel/btf/btf.ts"]],
        ["daemon/manager/views/link-view.ts", `import "../links/attach.ts";`, ["daemon/manager/links/attach.ts"]],
        ["daemon/manager/undo.ts", `import "./programs/load.ts";`, ["daemon/manager/programs/load.ts"]],
        ["daemon/store/store.ts", `export { open } from "../kernel/bpf.ts";`, ["daemon/kernel/bpf.ts"]],
        ["daemon/store/store.ts", `export * from '../manager/programs/load.ts';`, ["daemon/manager/programs/load.ts"]],
        ["daemon/store/store.ts", `import { connect } from "node:net";`, ["node:net"]],
        [
            "daemon/manager/programs/load.ts",
            `import {\n    a,\n    type B,\n} from "../../api/service.ts";`,
            ["daemon/api/service.ts"],
        ],
        [
            "daemon/api/service.ts",
            `import { type Manager, make } from "../manager/manager.ts";`,
            ["daemon/manager/manager.ts"],
        ],
        ["client/http.ts", `import { Socket } from "node:net";`, ["node:net"]],
        ["client/http.ts", `import { schema } from "../proto/gen/x_pb.js";`, ["proto/gen/x_pb.js"]],
        ["cli/list.ts", `import { main } from "../daemon/main.ts";`, ["daemon/main.ts"]],
        ["cli/list.ts", `await import("../daemon/kernel/bpf.ts");`, ["daemon/kernel/bpf.ts"]],
        ["cli/list.ts", `await import(path);`, ["computed"]],
        ["src/app.tsx", `import { print } from "../cli/output/print.ts";`, ["cli/output/print.ts"]],
        ["src/app.tsx", `import("../daemon/model/ids.ts");`, ["daemon/model/ids.ts"]],
    ];
    for (const [file, text, targets] of planted) {
        assert.deepEqual(
            violations(file, text),
            targets.map(target => `${file} imports ${target}`),
        );
    }
    assert.deepEqual(violations("attic/x.ts", ""), ["attic/x.ts is in no room"]);
});

test("imports along the arrows, and mere talk of imports, are not found", () => {
    const fine: readonly [file: string, text: string][] = [
        ["daemon/chain/order.ts", `import type { LinkId } from "../model/ids.ts";\nimport { next } from "./plan.ts";`],
        ["daemon/chain/order.ts", `// import { x } from "node:fs";\n/* import "koffi"; */\nconst text = "a // b";`],
        ["daemon/chain/order.ts", `export type Kind = "xdp" | "tc";\nexport interface From {\n    from: "node:fs";\n}`],
        ["daemon/kernel/ffi.ts", `import koffi from "koffi";`],
        ["daemon/api/service.ts", `import type { Manager } from "../manager/manager.ts";`],
        ["daemon/api/peer-check.ts", `import { peerCredentials } from "../kernel/peer.ts";`],
        ["client/http.ts", `import { type A, type B } from "../proto/gen/x_pb.js";`],
        ["cli/serve.ts", `const { main } = await import("../daemon/main.ts");`],
        ["src/ui/card.tsx", `import "@patternfly/patternfly/components/Card/card.css";`],
    ];
    for (const [file, text] of fine) assert.deepEqual(violations(file, text), []);
});
