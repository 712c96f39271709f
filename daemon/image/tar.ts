// SPDX-License-Identifier: Apache-2.0
// Reads a tar archive that comes in pieces, in memory, and keeps one member of it. Nothing is ever unpacked, so a name
// is only a name; what is no plain file or folder (links, devices) is refused all the same, as is every broken header.
// Formats: POSIX ustar and pax (IEEE Std 1003.1, pax), and GNU's long names (tar.info, "Basic Tar Format").
import { broken } from "./manifest.ts";

const block = 512;

export const tarLimits = { entries: 1024, memberBytes: 16 << 20, headerBytes: 64 << 10 } as const;

export interface Member {
    readonly name: string;
    readonly bytes: Uint8Array;
}

/** Whether a member of that name is kept; the first one that is wanted wins, and a later better one replaces it. */
export type Rank = (name: string) => number;

export class TarReader {
    readonly #rank: Rank;
    #buffer: Buffer = Buffer.alloc(0);
    #entries = 0;
    /** what is left of the member that is being read, with its padding, and how much of that is padding */
    #left = 0;
    #padding = 0;
    #keep: { name: string; chunks: Buffer[]; sizeBytes: number; left: number; rank: number } | undefined;
    #meta: { type: string; chunks: Buffer[]; left: number } | undefined;
    #longName: string | undefined;
    #pax: ReadonlyMap<string, string> = new Map();
    #global: ReadonlyMap<string, string> = new Map();
    #zeroBlocks = 0;
    #found: { member: Member; rank: number } | undefined;
    readonly #names: string[] = [];

    /** rank: higher is better, 0 is not wanted */
    constructor(rank: Rank) {
        this.#rank = rank;
    }

    get found(): Member | undefined {
        return this.#found?.member;
    }

    /** the first names, for an error */
    get names(): readonly string[] {
        return this.#names;
    }

    push(chunk: Buffer): void {
        this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
        while (this.#step());
    }

    /**
     * Throws where the archive breaks off within a member. That padding or the closing blocks of zeros are missing is no
     * harm, since the digest of the whole was checked: umoci insert writes neither.
     */
    end(): void {
        if (this.#left > this.#padding || this.#buffer.length > 0) throw broken("a layer's archive breaks off");
        if (this.#left > 0) this.#finish();
    }

    #step(): boolean {
        if (this.#left > 0) {
            if (this.#buffer.length === 0) return false;
            const part = this.#take(Math.min(this.#left, this.#buffer.length));
            this.#left -= part.length;
            this.#data(part);
            if (this.#left === 0) this.#finish();
            return true;
        }
        if (this.#buffer.length < block) return false;
        this.#header(this.#take(block));
        return true;
    }

    #take(length: number): Buffer {
        const part = this.#buffer.subarray(0, length);
        this.#buffer = this.#buffer.subarray(length);
        return part;
    }

    #data(part: Buffer): void {
        const target = this.#meta ?? this.#keep;
        if (target === undefined) return;
        const wanted = part.subarray(0, Math.min(part.length, target.left));
        target.left -= wanted.length;
        // the piece belongs to a buffer that decompression may use again
        target.chunks.push(Buffer.from(wanted));
    }

    #header(header: Buffer): void {
        if (header.every(byte => byte === 0)) {
            this.#zeroBlocks++;
            return;
        }
        if (this.#zeroBlocks > 0) throw broken("a layer's archive goes on behind its end");
        checkSum(header);
        if (++this.#entries > tarLimits.entries) throw broken(`a layer has more than ${tarLimits.entries} entries`);
        const type = String.fromCharCode(header[156] ?? 0);
        const declared = octal(header, 124, 12, "size");
        if ("xgLK".includes(type)) {
            if (declared > tarLimits.headerBytes) throw broken("a layer's archive has a header that is too long");
            this.#meta = { type, chunks: [], left: declared };
            this.#expect(declared);
            if (this.#left === 0) this.#finish();
            return;
        }
        this.#member(header, type, declared);
    }

    #member(header: Buffer, type: string, declared: number): void {
        const pax = (key: string) => this.#pax.get(key) ?? this.#global.get(key);
        const paxSize = pax("size");
        if (paxSize !== undefined && !/^[0-9]{1,15}$/.test(paxSize)) throw broken("a layer's archive has a wrong size");
        const sizeBytes = paxSize === undefined ? declared : Number(paxSize);
        const name = pax("path") ?? this.#longName ?? ustarName(header);
        this.#longName = undefined;
        this.#pax = new Map();
        const shown = JSON.stringify(name.slice(0, 100));
        if (name === "" || name.includes("\0")) throw broken("a layer's archive has a member without a name");
        if (name.split("/").includes("..")) throw broken(`a layer's archive has the name ${shown}`);
        if (this.#names.length < 10) this.#names.push(name.slice(0, 100));
        switch (type) {
            case "0":
            case "\0":
            case "7":
                break;
            case "5":
                if (sizeBytes !== 0) throw broken(`the folder ${shown} of a layer has a size`);
                return;
            default:
                throw broken(`${shown} in a layer is ${kinds[type] ?? "of an unknown kind"}, not a plain file`);
        }
        const rank = this.#rank(name);
        if (rank > (this.#found?.rank ?? 0)) {
            if (sizeBytes > tarLimits.memberBytes)
                throw broken(`${shown} has ${sizeBytes} bytes, an object may have ${tarLimits.memberBytes}`);
            this.#keep = { name, chunks: [], sizeBytes, left: sizeBytes, rank };
        }
        this.#expect(sizeBytes);
        if (this.#left === 0) this.#finish();
    }

    #expect(sizeBytes: number): void {
        this.#left = Math.ceil(sizeBytes / block) * block;
        this.#padding = this.#left - sizeBytes;
    }

    #finish(): void {
        if (this.#meta !== undefined) {
            const { type, chunks } = this.#meta;
            this.#meta = undefined;
            const bytes = Buffer.concat(chunks);
            if (type === "x") this.#pax = paxRecords(bytes);
            else if (type === "g") this.#global = paxRecords(bytes);
            else if (type === "L") this.#longName = text(bytes);
            return;
        }
        if (this.#keep === undefined) return;
        const { name, chunks, sizeBytes, rank } = this.#keep;
        this.#found = { member: { name, bytes: Buffer.concat(chunks, sizeBytes) }, rank };
        this.#keep = undefined;
    }
}

const kinds: Readonly<Record<string, string>> = {
    "1": "a hard link",
    "2": "a symbolic link",
    "3": "a character device",
    "4": "a block device",
    "6": "a FIFO",
    S: "a sparse file",
};

function text(bytes: Buffer): string {
    const end = bytes.indexOf(0);
    return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
}

function ustarName(header: Buffer): string {
    const name = text(header.subarray(0, 100));
    const isUstar = header.toString("latin1", 257, 262) === "ustar" && header[262] === 0;
    const prefix = isUstar ? text(header.subarray(345, 500)) : "";
    return prefix === "" ? name : `${prefix}/${name}`;
}

/** The sum of the header's bytes, those of the sum itself counted as spaces. */
function checkSum(header: Buffer): void {
    let sum = 8 * 0x20;
    for (const [at, byte] of header.entries()) if (at < 148 || at >= 156) sum += byte;
    if (sum !== octal(header, 148, 8, "checksum")) throw broken("a layer is no tar archive, or it is damaged");
}

function octal(header: Buffer, offset: number, length: number, what: string): number {
    const field = header.subarray(offset, offset + length);
    // GNU's base-256 for what octal digits can't hold: far past every limit here
    if (((field[0] ?? 0) & 0x80) !== 0) throw broken(`a member's ${what} is past every limit`);
    const digits = text(field).trim();
    if (!/^[0-7]*$/.test(digits)) throw broken(`a layer is no tar archive: a ${what} is no octal number`);
    return digits === "" ? 0 : Number.parseInt(digits, 8);
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts all of it */
function paxRecords(bytes: Buffer): ReadonlyMap<string, string> {
    const records = new Map<string, string>();
    for (let at = 0; at < bytes.length; ) {
        const space = bytes.indexOf(0x20, at);
        // bytes after the last record that are none: without this the last one would be read for ever
        if (space < 0) throw broken("a layer's archive has a damaged pax header");
        const digits = bytes.toString("latin1", at, space);
        const length = /^[0-9]{1,6}$/.test(digits) ? Number(digits) : 0;
        const record = bytes.subarray(space + 1, at + length);
        const equals = record.indexOf(0x3d);
        if (length <= space + 1 - at || at + length > bytes.length || equals < 1 || record.at(-1) !== 0x0a)
            throw broken("a layer's archive has a damaged pax header");
        records.set(record.toString("utf8", 0, equals), record.toString("utf8", equals + 1, record.length - 1));
        at += length;
    }
    return records;
}
