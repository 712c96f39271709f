// SPDX-License-Identifier: Apache-2.0
// Where the bytecode comes from: this host, the browser's machine, or an image.
import { toBase64 } from "../../../client/base64.ts";
import type { ImageJson, ImageSourceJson, LoadRequestJson } from "../../../proto/gen/bpfman/host/v1/host_pb.js";
import { _, format } from "../../text/i18n.ts";
import { bytes } from "../../text/words.ts";

export type Source = ObjectSource | PulledSource;

export interface ObjectSource {
    readonly kind: "object";
    /** where the bytes came from, for people */
    readonly path: string;
    readonly object: Uint8Array;
}

export interface PulledSource {
    readonly kind: "image";
    /** as it was asked for */
    readonly image: ImageSourceJson;
    /** what was pulled */
    readonly pulled: ImageJson;
}

const maxObjectBytes = 16 * 1024 * 1024;

/** The request's part that says what to load. */
export function bytecodeOf(source: Source): Pick<LoadRequestJson, "object" | "image" | "sourcePath"> {
    if (source.kind === "object") return { object: toBase64(source.object), sourcePath: source.path };
    // it is in the cache now, and what was looked at is what is loaded
    const { url = "", pullPolicy = "" } = source.image;
    return { image: { url, pullPolicy: pullPolicy === "Never" ? pullPolicy : "IfNotPresent" } };
}

export function sourceName(source: Source): string {
    return source.kind === "object" ? source.path : (source.image.url ?? "");
}

/** Reads with the session's rights: the daemon is nobody's deputy. */
export async function readHostFile(path: string): Promise<ObjectSource> {
    // cockpit.file would open a FIFO too, and its bridge then waits for ever
    const facts = await cockpit.spawn(["stat", "--dereference", "--format=%f %s", "--", path], {
        superuser: "try",
        err: "message",
    });
    const [mode = "", size = ""] = facts.trim().split(" ");
    const isRegular = (Number.parseInt(mode, 16) & 0o170000) === 0o100000;
    if (!isRegular) throw new Error(format(_("$0 is not a regular file"), path));
    checkSize(Number(size));
    const file = cockpit.file(path, { binary: true, max_read_size: maxObjectBytes, superuser: "try" });
    try {
        const object = await file.read();
        if (!object) throw new Error(format(_("$0 does not exist"), path));
        return { kind: "object", path, object };
    } finally {
        file.close();
    }
}

export async function readUpload(file: File): Promise<ObjectSource> {
    checkSize(file.size);
    return { kind: "object", path: file.name, object: new Uint8Array(await file.arrayBuffer()) };
}

function checkSize(size: number): void {
    if (size === 0) throw new Error(_("The file is empty"));
    if (size > maxObjectBytes) {
        throw new Error(format(_("The file has $0; objects may have $1"), bytes(size), bytes(maxObjectBytes)));
    }
}

export interface FolderEntry {
    readonly name: string;
    readonly isFolder: boolean;
    readonly sizeBytes: number;
}

/** Folders first, then files, by name; read with the session's rights. What is neither, a FIFO say, is left out. */
export async function listFolder(path: string): Promise<FolderEntry[]> {
    // no name holds a slash, and text channels of Cockpit drop the NUL that usually parts names
    const format_ = "%Y %s %f//";
    const text = await cockpit.spawn(
        ["find", "-L", path, "-mindepth", "1", "-maxdepth", "1", "-printf", format_],
        // what can't be read within is told on stderr and is no failure of the whole
        { superuser: "try", err: "ignore" },
    );
    const entries = text.split("//").flatMap(line => {
        const [, type, size, name] = /^([a-zA-Z?]) (\d+) (.+)$/s.exec(line) ?? [];
        if (name === undefined || (type !== "d" && type !== "f")) return [];
        return [{ name, isFolder: type === "d", sizeBytes: Number(size) }];
    });
    return entries.sort((a, b) => Number(b.isFolder) - Number(a.isFolder) || a.name.localeCompare(b.name));
}
