// SPDX-License-Identifier: Apache-2.0
// Distribution kernels to boot: fetched once by the distribution's own package tool, kept under .cache/vm as an image and the modules a guest needs.
import { execFileSync, spawnSync } from "node:child_process";
import {
    cpSync,
    existsSync,
    globSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    renameSync,
    rmSync,
    statSync,
    writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { DebianSuite, osRelease } from "./debian.ts";

/** Those of Debian 12 and 13, the last ones before and some after TCX (6.6), and the newest that the archive serves. */
export const kernelsWanted = ["6.1", "6.12", "newest"] as const;
export type KernelWanted = (typeof kernelsWanted)[number];

/** Of several suites the newest kernel is taken: backports may be ahead of the development suite. */
const suitesOf: Record<KernelWanted, readonly string[]> = {
    "6.1": ["bookworm"],
    "6.12": ["trixie"],
    newest: ["sid", "trixie-backports"],
};

export interface Kernel {
    readonly release: string;
    readonly imagePath: string;
    /** uncompressed, in the order in which they must be inserted; what is missing here is built in */
    readonly modulePaths: readonly string[];
}

// A module after what it needs, so that inserting in this order works without modules.dep, which only an installed kernel has.
const moduleNames = [
    ...["virtio", "virtio_ring", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci"],
    ...["netfs", "fscache", "9pnet", "9pnet_virtio", "9p", "overlay"],
    ...["veth", "sch_ingress", "cls_bpf", "act_bpf", "netkit", "pktgen"],
];

const root = join(import.meta.dirname, "../..");
const cache = join(root, ".cache/vm");

/** Fetches it where it is not kept yet (100 MB once). A string: why there is none. */
export function findKernel(wanted: KernelWanted): Kernel | string {
    const isDebian = osRelease().get("ID") === "debian";
    if (!isDebian && wanted !== "newest") return `kernel ${wanted} comes from Debian's archive, by Debian's tools`;
    const kept = join(cache, isDebian ? wanted : "installed");
    if (!existsSync(kept)) {
        mkdirSync(cache, { recursive: true });
        const work = mkdtempSync(join(cache, "fetch-"));
        try {
            keep(isDebian ? unpackDebian(suitesOf[wanted], work) : "/", join(work, "kept"));
            renameSync(join(work, "kept"), kept);
        } finally {
            rmSync(work, { recursive: true, force: true });
        }
    }
    return {
        release: readFileSync(join(kept, "release"), "utf8").trim(),
        imagePath: join(kept, "vmlinuz"),
        modulePaths: moduleNames.map(name => join(kept, `${name}.ko`)).filter(path => existsSync(path)),
    };
}

// Unpacks the newest kernel of some suites.
function unpackDebian(names: readonly string[], work: string): string {
    const suites = names.map(name => new DebianSuite(name, join(work, name)));
    // the flavour for machines, because the cloud flavour has no 9p
    const found = suites.map(suite => ({ suite, text: suite.show(`linux-image-${suite.architecture}`) }));
    const version = (text: string): string => /^Version: (.*)$/m.exec(text)?.[1] ?? "";
    const newest = found.reduce((a, b) => (isNewer(version(b.text), version(a.text)) ? b : a));
    const image = /^Depends:.*?(linux-image-\d[^ ,]*)/m.exec(newest.text)?.[1];
    if (image === undefined) throw new Error(`no kernel found in ${names.join(", ")}`);
    // since 7.0 an image is a package that needs one with the file and one with the modules
    const parts = /^Depends:.*$/m.exec(newest.suite.show(image))?.[0].match(/linux-(binary|modules)-\d[^ ,]*/g) ?? [];
    return newest.suite.unpack(image, ...parts);
}

function isNewer(version: string, than: string): boolean {
    return spawnSync("dpkg", ["--compare-versions", version, "gt", than]).status === 0;
}

// Takes the image and the modules out of an unpacked or installed system.
function keep(system: string, kept: string): void {
    const folder = [join(system, "lib/modules"), join(system, "usr/lib/modules")].find(path => existsSync(path));
    const running = execFileSync("uname", ["-r"], { encoding: "utf8" }).trim();
    const releases = folder === undefined ? [] : readdirSync(folder).sort();
    const release = releases.includes(running) ? running : releases.at(-1);
    if (folder === undefined || release === undefined) throw new Error(`no kernel under ${system}`);
    const image = [join(system, `boot/vmlinuz-${release}`), join(folder, release, "vmlinuz")].find(path =>
        existsSync(path),
    );
    if (image === undefined) throw new Error(`no image of kernel ${release} under ${system}`);
    mkdirSync(kept);
    cpSync(image, join(kept, "vmlinuz"));
    const files = globSync("kernel/**/*.ko*", { cwd: join(folder, release) });
    for (const name of moduleNames) {
        const file = files.find(path => basename(path).replace(/\.ko(\.xz|\.zst|\.gz)?$/, "") === name);
        if (file !== undefined) writeFileSync(join(kept, `${name}.ko`), uncompressed(join(folder, release, file)));
    }
    writeFileSync(join(kept, "release"), `${release}\n`);
}

function uncompressed(path: string): Buffer {
    const tool = path.endsWith(".xz") ? "xz" : path.endsWith(".zst") ? "zstd" : path.endsWith(".gz") ? "gzip" : "";
    if (tool === "") return readFileSync(path);
    return execFileSync(tool, ["-dc", path], { maxBuffer: statSync(path).size * 50 });
}
