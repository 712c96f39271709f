// SPDX-License-Identifier: Apache-2.0
// Distribution kernels to boot: fetched once by the distribution's own package tool, kept under .cache/vm as an image and the modules a guest needs.
import { execFileSync } from "node:child_process";
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

/** default: new enough for every backend (TCX came with 6.6). oldest: Debian 12's own 6.1, without TCX. */
export type KernelWanted = "default" | "oldest";

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

/** Fetches it where it is not kept yet (100 MB once for Debian's default). */
export function findKernel(wanted: KernelWanted = "default"): Kernel {
    const os = osRelease();
    const isDebian = os.get("ID") === "debian";
    const codename = os.get("VERSION_CODENAME") ?? "";
    if (!isDebian && wanted === "oldest") throw new Error("the oldest kernel to test comes from Debian 12's archive");
    if (isDebian && wanted === "oldest" && codename !== "bookworm") throw new Error(`Debian ${codename} has no 6.1`);
    const suite = wanted === "default" && codename === "bookworm" ? "bookworm-backports" : codename;
    const kept = join(cache, isDebian ? suite : "installed");
    if (!existsSync(kept)) {
        mkdirSync(cache, { recursive: true });
        const work = mkdtempSync(join(cache, "fetch-"));
        try {
            keep(isDebian ? unpackDebian(suite, work) : "/", join(work, "kept"));
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

// Unpacks the newest kernel of a suite.
function unpackDebian(suite: string, work: string): string {
    const packages = new DebianSuite(suite, work);
    // the flavour for machines, because the cloud flavour has no 9p
    const image = `linux-image-${packages.architecture}`;
    const newest = /Depends: (linux-image-\S+)/.exec(packages.show(image))?.[1];
    if (newest === undefined) throw new Error(`${suite} has no package ${image}`);
    return packages.unpack(newest);
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
