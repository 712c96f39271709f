// SPDX-License-Identifier: Apache-2.0
// From a library's name (libc, libssl.so.3) to its file: first what a process has mapped, then what its dynamic
// linker's cache says, then the folders that every linker searches.
import { BpfmanError } from "../../model/error.ts";
import { suggestAmong } from "../near-names.ts";
import type { ProcessRoot } from "./process-root.ts";

const maxCacheBytes = 16 << 20;
const magic = "glibc-ld.so.cache1.1";
const headerBytes = 48;
const entryBytes = 24;

/** Name and path of each library in /etc/ld.so.cache (glibc's sysdeps/generic/dl-cache.h, the format since 2.2). */
export function readLinkerCache(bytes: Buffer): { name: string; path: string }[] {
    // until glibc 2.32 the older format comes first
    const start = bytes.indexOf(magic, 0, "latin1");
    if (start < 0 || start + headerBytes > bytes.length) return [];
    const cache = bytes.subarray(start);
    const count = Math.min(cache.readUInt32LE(20), Math.floor((cache.length - headerBytes) / entryBytes));
    const text = (at: number): string => {
        const end = at < cache.length ? cache.indexOf(0, at) : -1;
        return end < 0 ? "" : cache.toString("utf8", at, end);
    };
    return Array.from({ length: count }, (_, index) => {
        const at = headerBytes + index * entryBytes;
        return { name: text(cache.readUInt32LE(at + 4)), path: text(cache.readUInt32LE(at + 8)) };
    }).filter(({ name, path }) => name !== "" && path.startsWith("/"));
}

const folders = ["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib", "/usr/local/lib64"];

/** Whether a file's name is that of the library: libc is libc.so, libc.so.6, libc-2.31.so; c is libc. */
export function namesLibrary(wanted: string, file: string): boolean {
    if (file === wanted) return true;
    if (wanted.includes(".so")) return file.startsWith(`${wanted}.`);
    return [wanted, `lib${wanted}`].some(
        stem =>
            file.startsWith(`${stem}.so`) || /^-[0-9.]+\.so/.test(file.startsWith(stem) ? file.slice(stem.length) : ""),
    );
}

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** Paths that may be the library, the likeliest first. NOT_FOUND with near names where there is none. */
export function libraryPaths(root: ProcessRoot, wanted: string, pid: number | undefined): string[] {
    const mapped = pid === undefined ? [] : root.mappedFiles(pid);
    const cache = readLinkerCache(root.readFile("/etc/ld.so.cache", maxCacheBytes) ?? Buffer.alloc(0));
    const listed = folders.flatMap(folder => root.entries(folder).map(name => ({ name, path: `${folder}/${name}` })));
    const candidates = [
        ...mapped.filter(path => namesLibrary(wanted, baseName(path))),
        ...cache.filter(({ name }) => namesLibrary(wanted, name)).map(({ path }) => path),
        ...listed.filter(({ name }) => namesLibrary(wanted, name)).map(({ path }) => path),
    ];
    if (candidates.length > 0) return [...new Set(candidates)];
    const known = [...cache.map(({ name }) => name), ...mapped.map(baseName), ...listed.map(({ name }) => name)];
    const near = suggestAmong(wanted.startsWith("lib") ? wanted : `lib${wanted}`, new Set(known));
    throw new BpfmanError(
        "NOT_FOUND",
        `library ${JSON.stringify(wanted)} not found${root.whose}${near.length === 0 ? "" : `; did you mean: ${near.join(", ")}?`}`,
        { hint: "Name the file by its absolute path." },
    );
}
