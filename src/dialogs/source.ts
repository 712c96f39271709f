// SPDX-License-Identifier: Apache-2.0
// The bytes of an object, from this host or from the browser's machine.
import { _, format } from "../i18n.ts";
import { bytes } from "../words.ts";

export interface Source {
    /** where the bytes came from, for people */
    readonly path: string;
    readonly object: Uint8Array;
}

const maxObjectBytes = 16 * 1024 * 1024;

/** Reads with the session's rights: the daemon is nobody's deputy. */
export async function readHostFile(path: string): Promise<Source> {
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
        return { path, object };
    } finally {
        file.close();
    }
}

export async function readUpload(file: File): Promise<Source> {
    checkSize(file.size);
    return { path: file.name, object: new Uint8Array(await file.arrayBuffer()) };
}

function checkSize(size: number): void {
    if (size === 0) throw new Error(_("The file is empty"));
    if (size > maxObjectBytes) {
        throw new Error(format(_("The file has $0; objects may have $1"), bytes(size), bytes(maxObjectBytes)));
    }
}
