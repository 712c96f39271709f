// SPDX-License-Identifier: Apache-2.0
// BTF, the kernel's and clang's description of C types (Documentation/bpf/btf.rst): read from raw bytes, asked by type
// id. What values look like by these types is btf-decode.ts and btf-encode.ts. Bytes come from objects of strangers:
// whatever does not fit is refused with one sentence.
import { BpfmanError } from "../../model/error.ts";
import { checkBtf } from "./elf-btf.ts";

export interface BtfMember {
    readonly name: string;
    readonly type: number;
    readonly bitOffset: number;
    /** 0: no bit field */
    readonly bits: number;
}

interface Named {
    readonly name: string;
}

type Modifier = Named & {
    readonly kind: "typedef" | "volatile" | "const" | "restrict" | "type tag";
    readonly type: number;
};

export type BtfType =
    | { readonly kind: "void" }
    | (Named & {
          readonly kind: "int";
          readonly size: number;
          readonly signed: boolean;
          readonly char: boolean;
          readonly bool: boolean;
          /** bit fields of older compilers are made of these */
          readonly bits: number;
          readonly bitOffset: number;
      })
    | (Named & { readonly kind: "float"; readonly size: number })
    | { readonly kind: "pointer"; readonly type: number }
    | { readonly kind: "array"; readonly type: number; readonly count: number }
    | (Named & {
          readonly kind: "struct" | "union";
          readonly size: number;
          readonly members: readonly BtfMember[];
      })
    | (Named & {
          readonly kind: "enum";
          readonly size: number;
          readonly signed: boolean;
          readonly values: readonly { readonly name: string; readonly value: bigint }[];
      })
    | (Named & { readonly kind: "forward"; readonly union: boolean })
    | Modifier
    | (Named & { readonly kind: "function"; readonly type: number })
    | {
          readonly kind: "prototype";
          readonly type: number;
          /** a last one without a name and a type: any more */
          readonly parameters: readonly { readonly name: string; readonly type: number }[];
      }
    | (Named & { readonly kind: "variable"; readonly type: number })
    | (Named & {
          readonly kind: "section";
          readonly size: number;
          readonly variables: readonly { readonly type: number; readonly offset: number; readonly size: number }[];
      })
    | { readonly kind: "other" };

/** Types nest: deeper than this was not written by a person. */
const maxDepth = 64;
const pointerBytes = 8;

export function badBtf(what: string): BpfmanError {
    return new BpfmanError("INVALID_ARGUMENT", `broken BTF: ${what}`);
}

const voidType: BtfType = { kind: "void" };

export class Btf {
    readonly #view: DataView;
    readonly #namesAt: number;
    /** where each type begins, by id; type 0 is void */
    readonly #starts: readonly number[];
    readonly #types = new Map<number, BtfType>();
    readonly #bytes: Uint8Array;

    private constructor(bytes: Uint8Array) {
        checkBtf(bytes);
        this.#bytes = bytes;
        this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const header = this.#view.getUint32(4, true);
        this.#namesAt = header + this.#view.getUint32(16, true);
        const start = header + this.#view.getUint32(8, true);
        this.#starts = this.#findTypes(start, start + this.#view.getUint32(12, true));
    }

    /** Throws INVALID_ARGUMENT where the bytes are no BTF. */
    static parse(bytes: Uint8Array): Btf {
        return new Btf(bytes);
    }

    #findTypes(start: number, end: number): number[] {
        const starts = [0];
        for (let at = start; at < end; ) {
            const info = this.#view.getUint32(at + 4, true);
            const tail = tailBytes((info >>> 24) & 0x1f, info & 0xffff);
            // of a newer compiler: neither it nor what follows can be read
            if (tail === undefined) break;
            starts.push(at);
            at += 12 + tail;
        }
        return starts;
    }

    /** Ids run from 1 to count - 1. */
    get count(): number {
        return this.#starts.length;
    }

    #name(offset: number): string {
        const start = this.#namesAt + offset;
        const end = this.#bytes.indexOf(0, start);
        return new TextDecoder().decode(this.#bytes.subarray(start, end < 0 ? start : end));
    }

    type(id: number): BtfType {
        if (id === 0) return voidType;
        let type = this.#types.get(id);
        if (type === undefined) {
            const at = this.#starts[id];
            if (at === undefined) throw badBtf(`there is no type ${id}`);
            type = this.#read(at);
            this.#types.set(id, type);
        }
        return type;
    }

    #read(at: number): BtfType {
        const view = this.#view;
        const name = this.#name(view.getUint32(at, true));
        const info = view.getUint32(at + 4, true);
        const flag = info >>> 31 === 1;
        const vlen = info & 0xffff;
        const word = view.getUint32(at + 8, true);
        const each = <T>(bytes: number, read: (at: number) => T): T[] =>
            Array.from({ length: vlen }, (_, index) => read(at + 12 + index * bytes));
        switch ((info >>> 24) & 0x1f) {
            case 1: {
                const facts = view.getUint32(at + 12, true);
                const encoding = (facts >>> 24) & 0xf;
                return {
                    kind: "int",
                    name,
                    size: word,
                    signed: (encoding & 1) !== 0,
                    // clang calls char a signed int of one byte
                    char: (encoding & 2) !== 0 || (name === "char" && word === 1),
                    bool: (encoding & 4) !== 0,
                    bits: facts & 0xff,
                    bitOffset: (facts >>> 16) & 0xff,
                };
            }
            case 2:
                return { kind: "pointer", type: word };
            case 3:
                return { kind: "array", type: view.getUint32(at + 12, true), count: view.getUint32(at + 20, true) };
            case 4:
            case 5: {
                const members = each(12, member => {
                    const offset = view.getUint32(member + 8, true);
                    return {
                        name: this.#name(view.getUint32(member, true)),
                        type: view.getUint32(member + 4, true),
                        bitOffset: flag ? offset & 0xffffff : offset,
                        bits: flag ? offset >>> 24 : 0,
                    };
                });
                return { kind: ((info >>> 24) & 0x1f) === 4 ? "struct" : "union", name, size: word, members };
            }
            case 6: {
                const values = each(8, one => ({
                    name: this.#name(view.getUint32(one, true)),
                    value: BigInt(flag ? view.getInt32(one + 4, true) : view.getUint32(one + 4, true)),
                }));
                return { kind: "enum", name, size: word, signed: flag, values };
            }
            case 7:
                return { kind: "forward", name, union: flag };
            case 8:
                return { kind: "typedef", name, type: word };
            case 9:
                return { kind: "volatile", name, type: word };
            case 10:
                return { kind: "const", name, type: word };
            case 11:
                return { kind: "restrict", name, type: word };
            case 12:
                return { kind: "function", name, type: word };
            case 13:
                return {
                    kind: "prototype",
                    type: word,
                    parameters: each(8, one => ({
                        name: this.#name(view.getUint32(one, true)),
                        type: view.getUint32(one + 4, true),
                    })),
                };
            case 14:
                return { kind: "variable", name, type: word };
            case 15: {
                const variables = each(12, one => ({
                    type: view.getUint32(one, true),
                    offset: view.getUint32(one + 4, true),
                    size: view.getUint32(one + 8, true),
                }));
                return { kind: "section", name, size: word, variables };
            }
            case 16:
                return { kind: "float", name, size: word };
            case 18:
                return { kind: "type tag", name, type: word };
            case 19: {
                const values = each(12, one => {
                    const low = BigInt(view.getUint32(one + 4, true));
                    const value = low | (BigInt(view.getUint32(one + 8, true)) << 32n);
                    return {
                        name: this.#name(view.getUint32(one, true)),
                        value: flag ? BigInt.asIntN(64, value) : value,
                    };
                });
                return { kind: "enum", name, size: word, signed: flag, values };
            }
            default:
                return { kind: "other" };
        }
    }

    /** The type behind typedefs and qualifiers. */
    resolve(id: number): BtfType {
        let type = this.type(id);
        for (let depth = 0; isModifier(type); depth++) {
            if (depth > maxDepth) throw badBtf(`type ${id} refers to itself`);
            type = this.type(type.type);
        }
        return type;
    }

    size(id: number, depth = 0): number {
        if (depth > maxDepth) throw badBtf(`type ${id} nests too deeply`);
        const type = this.resolve(id);
        switch (type.kind) {
            case "int":
            case "float":
            case "struct":
            case "union":
            case "enum":
            case "section":
                return type.size;
            case "pointer":
                return pointerBytes;
            case "array": {
                const bytes = type.count * this.size(type.type, depth + 1);
                if (bytes > 2 ** 32) throw badBtf(`type ${id} has ${bytes} bytes`);
                return bytes;
            }
            case "variable":
                return this.size(type.type, depth + 1);
            default:
                return 0;
        }
    }

    /** The string at an offset, as line information names it. */
    text(offset: number): string {
        return this.#name(offset);
    }

    /** A function as C declares it; empty where it is none. */
    prototype(id: number): string {
        const declared = this.type(id);
        const type = declared.kind === "function" ? this.type(declared.type) : undefined;
        if (declared.kind !== "function" || type?.kind !== "prototype") return "";
        const spaced = (typeName: string, name: string) =>
            name === "" || typeName.endsWith("*") ? `${typeName}${name}` : `${typeName} ${name}`;
        const parameters = type.parameters.map(one =>
            one.type === 0 && one.name === "" ? "..." : spaced(this.cName(one.type), one.name),
        );
        return `${spaced(this.cName(type.type), declared.name)}(${parameters.join(", ") || "void"})`;
    }

    /** The type as C writes it: "const struct event *", "char[16]". */
    cName(id: number, depth = 0): string {
        if (depth > maxDepth) return "…";
        const type = this.type(id);
        const inner = (of: number) => this.cName(of, depth + 1);
        switch (type.kind) {
            case "void":
                return "void";
            case "int":
            case "float":
            case "typedef":
            case "function":
            case "section":
                return type.name;
            case "struct":
            case "union":
            case "enum":
                return type.name === "" ? type.kind : `${type.kind} ${type.name}`;
            case "forward":
                return `${type.union ? "union" : "struct"} ${type.name}`;
            case "pointer": {
                const target = inner(type.type);
                return target.endsWith("*") ? `${target}*` : `${target} *`;
            }
            case "array": {
                // of an array of arrays C writes the outer length first
                const dimensions: number[] = [];
                let element: BtfType = type;
                let elementId = id;
                while (element.kind === "array" && dimensions.length < maxDepth) {
                    dimensions.push(element.count);
                    elementId = element.type;
                    element = this.type(elementId);
                }
                return `${this.cName(elementId, depth + 1)}${dimensions.map(count => `[${count}]`).join("")}`;
            }
            case "const":
            case "volatile":
            case "restrict":
                return `${type.kind} ${inner(type.type)}`;
            case "type tag":
                return inner(type.type);
            case "prototype":
                return "function";
            case "variable":
                return inner(type.type);
            default:
                return "unknown";
        }
    }

    /** The ids of all types of this kind and name. */
    find(kind: BtfType["kind"], name: string): number | undefined {
        for (let id = 1; id < this.count; id++) {
            const type = this.type(id);
            if (type.kind === kind && "name" in type && type.name === name) return id;
        }
        return undefined;
    }

    /** The type of a variable in a section of an object. */
    variable(section: string, name: string): number | undefined {
        const id = this.find("section", section);
        const found = id === undefined ? undefined : this.type(id);
        if (found?.kind !== "section") return undefined;
        for (const { type } of found.variables) {
            const variable = this.type(type);
            if (variable.kind === "variable" && variable.name === name) return variable.type;
        }
        return undefined;
    }
}

function isModifier(type: BtfType): type is Modifier {
    switch (type.kind) {
        case "typedef":
        case "volatile":
        case "const":
        case "restrict":
        case "type tag":
            return true;
        default:
            return false;
    }
}

function tailBytes(kind: number, vlen: number): number | undefined {
    const perMember = [0, 0, 0, 0, 12, 12, 8, 0, 0, 0, 0, 0, 0, 8, 0, 12, 0, 0, 0, 12][kind];
    if (perMember === undefined) return undefined;
    if (kind === 1 || kind === 14 || kind === 17) return 4;
    return kind === 3 ? 12 : perMember * vlen;
}

/** Without const and volatile in front, which say nothing of a value. */
export function valueTypeName(btf: Btf, id: number): string {
    return btf.cName(id).replace(/^(?:(?:const|volatile|restrict) )+/, "");
}
