// SPDX-License-Identifier: Apache-2.0
// Which objects an image is built of: one for every machine, one for each, or what bpf2go left in a folder.
import { readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Args, Option } from "../args.ts";
import { UsageError } from "../args.ts";
import { readObjectFile } from "./object-file.ts";

export interface BuildInput {
    /** as linux/amd64; undefined: one object for every machine */
    readonly platform: string | undefined;
    readonly path: string;
    readonly bytes: Uint8Array;
}

/** GOARCH, and the byte order of its objects. */
const machines: readonly (readonly [architecture: string, order: "el" | "eb"])[] = [
    ...(["386", "amd64", "arm", "arm64", "loong64", "mipsle", "mips64le", "ppc64le", "riscv64"] as const).map(
        architecture => [architecture, "el"] as const,
    ),
    ...(["mips", "mips64", "ppc64", "s390x"] as const).map(architecture => [architecture, "eb"] as const),
];

// the words of bpf2go's -target in the names of its files
const targets: Readonly<Record<string, readonly [el: string, eb: string]>> = {
    x86: ["amd64", ""],
    arm: ["arm", ""],
    arm64: ["arm64", ""],
    loongarch: ["loong64", ""],
    mips: ["mipsle", "mips"],
    powerpc: ["ppc64le", "ppc64"],
    riscv: ["riscv64", ""],
    s390: ["", "s390x"],
};

export const buildOptions: readonly Option[] = [
    { name: "bytecode", short: "b", value: "FILE", help: "one object for every machine" },
    { name: "cilium-ebpf-project", short: "c", value: "DIR", help: "the objects that bpf2go left in this folder" },
    ...machines.map(([architecture, order]): Option => {
        const help = `the object for ${architecture}`;
        return { name: `bc-${architecture}-${order}`, value: "FILE", hidden: true, help };
    }),
];

/** words: FILE, or linux/ARCH=FILE */
export function buildInputs(args: Args, words: readonly string[]): BuildInput[] {
    const named = [
        ...words.map(word => /^linux\/([a-z0-9]+)=(.+)$/.exec(word)?.slice(1) ?? ["", word]),
        ...[args.value("bytecode") ?? []].flat().map(path => ["", path]),
        ...machines.flatMap(([architecture, order]) =>
            [args.value(`bc-${architecture}-${order}`) ?? []].flat().map(path => [architecture, path]),
        ),
        ...[args.value("cilium-ebpf-project") ?? []].flat().flatMap(projectObjects),
    ];
    const inputs = named.map(([architecture = "", path = ""]): BuildInput => {
        if (architecture !== "" && !machines.some(([known]) => known === architecture))
            throw new UsageError(
                `unknown architecture "${architecture}"; one of: ${machines.map(([a]) => a).join(", ")}`,
            );
        const { bytes, absolutePath } = readObjectFile(path);
        checkOrder(architecture, path, bytes);
        return { platform: architecture === "" ? undefined : `linux/${architecture}`, path: absolutePath, bytes };
    });
    if (inputs.length === 0) throw new UsageError("no object is named: FILE, linux/ARCH=FILE, or -c DIR");
    if (inputs.length > 1 && inputs.some(({ platform }) => platform === undefined))
        throw new UsageError("several objects need their architectures: linux/amd64=FILE linux/arm64=FILE");
    const platforms = inputs.map(({ platform }) => platform);
    const twice = platforms.find((platform, at) => platforms.indexOf(platform) !== at);
    if (twice !== undefined) throw new UsageError(`two objects are for ${twice}`);
    return inputs.sort((a, b) => ((a.platform ?? "") < (b.platform ?? "") ? -1 : 1));
}

function checkOrder(architecture: string, path: string, bytes: Uint8Array): void {
    const order = machines.find(([known]) => known === architecture)?.[1] ?? "";
    const isElf = bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
    if (!isElf) throw new Error(`${path} is no ELF object`);
    const found = bytes[5] === 2 ? "eb" : "el";
    if (order !== "" && order !== found)
        throw new Error(`${path} is ${found === "el" ? "little" : "big"}-endian, ${architecture} is not`);
}

/** NAME_x86_bpfel.o, and NAME_bpfel_x86.o of older versions */
function projectObjects(folder: string): [architecture: string, path: string][] {
    const found = readdirSync(folder).flatMap((name): [string, string][] => {
        const newer = /_([a-z0-9]+)_bpf(el|eb)\.o$/.exec(name);
        const older = /_bpf(el|eb)_([a-z0-9]+)\.o$/.exec(name);
        const [target = "", order = ""] = newer ? [newer[1], newer[2]] : [older?.[2], older?.[1]];
        const architecture = targets[target]?.[order === "eb" ? 1 : 0];
        return architecture ? [[architecture, join(folder, name)]] : [];
    });
    if (found.length === 0) throw new Error(`${folder} holds no object of bpf2go's for a machine (NAME_x86_bpfel.o)`);
    return found;
}

/** The arguments of the published Containerfiles. */
export function buildArguments(inputs: readonly BuildInput[]): [name: string, value: string][] {
    return inputs.map(({ platform, path }) => {
        const architecture = platform?.replace("linux/", "");
        const order = machines.find(([known]) => known === architecture)?.[1] ?? "el";
        const name = architecture ? `BC_${architecture.toUpperCase()}_${order.toUpperCase()}` : "BYTECODE_FILE";
        return [name, resolve(path)];
    });
}

export const fileName = ({ path }: BuildInput) => basename(path);
