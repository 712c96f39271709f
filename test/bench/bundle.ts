// SPDX-License-Identifier: Apache-2.0
// Size of the page as it is delivered, beside cockpit-podman's, fetched once by the distribution's own package tool.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";

const root = path.resolve(import.meta.dirname, "../..");
const cache = path.join(root, ".cache/bench/cockpit-podman");

export interface BundleSize {
    /** kilobytes (1000 bytes), gzipped */
    readonly js: number;
    readonly css: number;
}

/** What a browser fetches before the page stands: the bundle and its style sheet, no catalogues of other languages. */
function sizeOf(folder: string): BundleSize {
    const gzipped = (name: string) => {
        const packed = path.join(folder, `${name}.gz`);
        const plain = fs.existsSync(packed)
            ? execFileSync("gzip", ["-dc", packed], { maxBuffer: 64 << 20 })
            : fs.readFileSync(path.join(folder, name));
        return gzipSync(plain, { level: 9 }).length / 1000;
    };
    return { js: gzipped("index.js"), css: gzipped("index.css") };
}

export function ourBundle(): BundleSize {
    const folder = path.join(root, "dist/cockpit");
    if (fs.existsSync(path.join(folder, "index.js.map")))
        throw new Error("dist/ is a development build: node build.ts all --production");
    return sizeOf(folder);
}

/** undefined where the package can't be had. */
export function podmanBundle(): BundleSize | undefined {
    try {
        if (!fs.existsSync(cache)) fetchPackage();
        return sizeOf(path.join(cache, "usr/share/cockpit/podman"));
    } catch (error) {
        console.error(`cockpit-podman: ${error instanceof Error ? error.message : error}`);
        return undefined;
    }
}

function fetchPackage(): void {
    fs.mkdirSync(path.dirname(cache), { recursive: true });
    const work = fs.mkdtempSync(`${cache}-`);
    // no shell interprets what is fetched, and no path of this machine needs quoting
    const inWork = (file: string, ...args: string[]) =>
        execFileSync(file, args, { cwd: work, stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
    try {
        const release = fs.readFileSync("/etc/os-release", "utf8");
        const tree = path.join(work, "tree");
        fs.mkdirSync(tree);
        if (/^ID(_LIKE)?=.*debian/m.test(release)) {
            // Debian 12's own is two years older than the Cockpit that this page needs
            const suite = /^VERSION_CODENAME=bookworm/m.test(release) ? "/bookworm-backports" : "";
            inWork("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", `cockpit-podman${suite}`);
            inWork("dpkg-deb", "-x", one(work, ".deb"), tree);
        } else {
            inWork("dnf", "-q", "download", "cockpit-podman");
            const archive = inWork("rpm2archive", "-n", one(work, ".rpm")).trim();
            inWork("tar", "-xf", archive || one(work, ".tar"), "-C", tree);
        }
        fs.renameSync(tree, cache);
    } finally {
        fs.rmSync(work, { recursive: true, force: true });
    }
}

function one(folder: string, ending: string): string {
    const found = fs.readdirSync(folder).find(name => name.endsWith(ending));
    if (found === undefined) throw new Error(`no file *${ending} was fetched`);
    return path.join(folder, found);
}
