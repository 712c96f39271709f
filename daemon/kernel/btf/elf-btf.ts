// SPDX-License-Identifier: Apache-2.0
// The shape of .BTF and .BTF.ext: header, types, names, and that no type points past the last one. What the types mean
// is libbpf's and the kernel's business.
import { broken } from "../errors.ts";

const magic = 0xeb9f;
const headerBytes = 24;
const extHeaderBytes = 24;
const extHeaderWithCoreBytes = 32;
const typeBytes = 12;

/** Bytes after the common part, for a type with this vlen; by BTF_KIND_*. */
const tailBytes: readonly ((vlen: number) => number)[] = [
    () => 0, // unknown (void)
    () => 4, // int
    () => 0, // pointer
    () => 12, // array
    vlen => 12 * vlen, // struct
    vlen => 12 * vlen, // union
    vlen => 8 * vlen, // enum
    () => 0, // forward
    () => 0, // typedef
    () => 0, // volatile
    () => 0, // const
    () => 0, // restrict
    () => 0, // function
    vlen => 8 * vlen, // function prototype
    () => 4, // variable
    vlen => 12 * vlen, // data section
    () => 0, // float
    () => 4, // declaration tag
    () => 0, // type tag
    vlen => 12 * vlen, // enum64
];

const kindArray = 3;
const kindsWithMemberTypes = new Set([4, 5, 13, 15]);
/** kinds whose size_or_type is a type: pointer, typedef, volatile, const, restrict, func, func_proto, var, tags */
const kindsWithType = new Set([2, 8, 9, 10, 11, 12, 13, 14, 17, 18]);

function viewOf(bytes: Uint8Array): DataView {
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function checkStart(view: DataView, section: string, smallest: number): number {
    if (view.byteLength < smallest) throw broken(`${section} has ${view.byteLength} bytes, less than its header`);
    if (view.getUint16(0, true) !== magic) throw broken(`${section} does not begin with its magic number`);
    const version = view.getUint8(2);
    if (version !== 1) throw broken(`${section} has version ${version}, not 1`);
    const length = view.getUint32(4, true);
    if (length < smallest || length > view.byteLength) throw broken(`the header of ${section} has ${length} bytes`);
    return length;
}

export function checkBtf(bytes: Uint8Array): void {
    const view = viewOf(bytes);
    const header = checkStart(view, ".BTF", headerBytes);
    const typesAt = header + view.getUint32(8, true);
    const typesEnd = typesAt + view.getUint32(12, true);
    const namesAt = header + view.getUint32(16, true);
    const namesBytes = view.getUint32(20, true);
    if (typesAt % 4 !== 0 || typesEnd > bytes.length) throw broken("the types of .BTF lie outside of it");
    if (namesAt < typesEnd || namesAt + namesBytes > bytes.length) throw broken("the names of .BTF lie outside of it");
    if (namesBytes === 0 || bytes[namesAt] !== 0 || bytes[namesAt + namesBytes - 1] !== 0) {
        throw broken("the names of .BTF don't begin and end with NUL");
    }
    checkTypes(view, typesAt, typesEnd, namesBytes);
}

function checkTypes(view: DataView, start: number, end: number, namesBytes: number): void {
    const references: number[] = [];
    let count = 1; // type 0 is void
    let at = start;
    for (; at < end; count += 1) {
        if (at + typeBytes > end) throw broken(`type ${count} of .BTF is cut off`);
        const info = view.getUint32(at + 4, true);
        const kind = (info >>> 24) & 0x1f;
        const vlen = info & 0xffff;
        const tail = tailBytes[kind]?.(vlen);
        // a kind of a newer compiler: its size is unknown, so nothing after it can be read
        if (tail === undefined) return;
        if (kind === 0) throw broken(`type ${count} of .BTF is of no kind`);
        if (at + typeBytes + tail > end) throw broken(`type ${count} of .BTF is cut off`);
        if (view.getUint32(at, true) >= namesBytes)
            throw broken(`the name of type ${count} of .BTF lies outside of it`);
        if (kindsWithType.has(kind)) references.push(view.getUint32(at + 8, true));
        collectMembers(view, kind, vlen, at + typeBytes, references);
        at += typeBytes + tail;
    }
    for (const reference of references) {
        if (reference >= count) throw broken(`.BTF refers to type ${reference} of ${count}`);
    }
}

function collectMembers(view: DataView, kind: number, vlen: number, at: number, references: number[]): void {
    if (kind === kindArray) {
        references.push(view.getUint32(at, true), view.getUint32(at + 4, true));
    } else if (kindsWithMemberTypes.has(kind)) {
        // struct btf_member and btf_param begin with the name, btf_var_secinfo with the type
        const step = kind === 13 ? 8 : 12;
        const typeAt = kind === 15 ? 0 : 4;
        for (let index = 0; index < vlen; index += 1) references.push(view.getUint32(at + index * step + typeAt, true));
    }
}

export function checkBtfExt(bytes: Uint8Array): void {
    const view = viewOf(bytes);
    const header = checkStart(view, ".BTF.ext", extHeaderBytes);
    const parts: [string, number][] = [
        ["function", 8],
        ["line", 16],
    ];
    if (header >= extHeaderWithCoreBytes) parts.push(["CO-RE relocation", 24]);
    for (const [what, at] of parts) {
        const start = header + view.getUint32(at, true);
        const length = view.getUint32(at + 4, true);
        if (length === 0) continue;
        if (start % 4 !== 0 || length < 4 || start + length > bytes.length) {
            throw broken(`the ${what} records of .BTF.ext lie outside of it`);
        }
        const recordBytes = view.getUint32(start, true);
        if (recordBytes === 0 || recordBytes % 4 !== 0) {
            throw broken(`the ${what} records of .BTF.ext have ${recordBytes} bytes each`);
        }
    }
}
