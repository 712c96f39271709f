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

function osRelease(): Map<string, string> {
    const lines = readFileSync("/etc/os-release", "utf8").split("\n");
    return new Map(lines.map(line => [line.split("=")[0] ?? "", line.replace(/^[^=]*=/, "").replaceAll('"', "")]));
}

// An APT of its own: other sources, lists and cache than the machine's, and no installed packages to weigh.
function unpackDebian(suite: string, work: string): string {
    for (const folder of ["sources", "lists/partial", "cache/archives/partial", "tree"])
        mkdirSync(join(work, folder), { recursive: true });
    writeFileSync(
        join(work, "sources/vm.sources"),
        execFileSync(join(root, "packaging/debian-source.sh"), [suite], { encoding: "utf8" }),
    );
    writeFileSync(join(work, "status"), "");
    const options = [
        "Dir::Etc::sourcelist=/dev/null",
        `Dir::Etc::sourceparts=${work}/sources`,
        `Dir::State::lists=${work}/lists`,
        `Dir::State::status=${work}/status`,
        `Dir::Cache=${work}/cache`,
        // a mirror or snapshot whose index has expired still serves a kernel to test on
        "Acquire::Check-Valid-Until=false",
        // _apt could not write into a folder of the caller
        "APT::Sandbox::User=root",
    ].flatMap(option => ["-o", option]);
    const apt = (tool: string, ...args: string[]): string =>
        execFileSync(tool, [...options, ...args], {
            cwd: work,
            encoding: "utf8",
            stdio: ["ignore", "pipe", "inherit"],
        });
    apt("apt-get", "-q", "update");
    const architecture = execFileSync("dpkg", ["--print-architecture"], { encoding: "utf8" }).trim();
    // the flavour for machines, because the cloud flavour has no 9p
    const newest = /Depends: (linux-image-\S+)/.exec(apt("apt-cache", "show", `linux-image-${architecture}`))?.[1];
    if (newest === undefined) throw new Error(`${suite} has no package linux-image-${architecture}`);
    apt("apt-get", "-q", "download", newest);
    const [archive] = globSync("*.deb", { cwd: work });
    execFileSync("dpkg-deb", ["-x", join(work, archive ?? newest), join(work, "tree")]);
    return join(work, "tree");
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
