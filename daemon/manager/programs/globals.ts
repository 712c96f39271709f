// SPDX-License-Identifier: Apache-2.0
// Global variables of an object: bytes or values as they were given, to the bytes that the variables are set to before
// the programs are loaded.
import type { Btf } from "../../kernel/btf/btf.ts";
import { valueTypeName } from "../../kernel/btf/btf.ts";
import { encodeText } from "../../kernel/btf/btf-encode.ts";
import type { ElfGlobal, ElfObject } from "../../kernel/elf/elf.ts";
import { globalType, objectBtf } from "../../kernel/elf/object-types.ts";
import type { LoaderGlobal } from "../../kernel/load/loader-protocol.ts";
import { BpfmanError } from "../../model/error.ts";
import type { GlobalText } from "../../model/requests.ts";

export interface PlannedGlobals {
    /** what is recorded: every variable that was given, as bytes */
    readonly data: ReadonlyMap<string, Uint8Array>;
    readonly loader: readonly LoaderGlobal[];
    /** what may have been meant otherwise, one sentence each */
    readonly warnings: readonly string[];
}

export function planGlobals(
    elf: ElfObject,
    object: Uint8Array,
    bytes: ReadonlyMap<string, Uint8Array>,
    texts: ReadonlyMap<string, GlobalText>,
): PlannedGlobals {
    const data = new Map<string, Uint8Array>();
    const warnings: string[] = [];
    for (const [name, value] of bytes) data.set(name, checkSize(find(elf, object, name), value));
    if (texts.size > 0) {
        const btf = objectBtf(elf, object);
        for (const [name, text] of texts) {
            const global = find(elf, object, name);
            if (data.has(name)) throw invalid(`${title(name)} is given twice, as bytes and as a value`);
            const { value, warning } = bytesOfGlobal(global, text, btf);
            data.set(name, value);
            if (warning !== undefined) warnings.push(warning);
        }
    }
    const loader = [...data].map(([name, value]) => {
        const { section, offset } = find(elf, object, name);
        return { section, offset, base64: Buffer.from(value).toString("base64") };
    });
    return { data, loader, warnings };
}

const title = (name: string): string => `global variable ${JSON.stringify(name)}`;
const invalid = (message: string, hint?: string): BpfmanError => new BpfmanError("INVALID_ARGUMENT", message, { hint });

function find(elf: ElfObject, object: Uint8Array, name: string): ElfGlobal {
    const global = elf.globals.find(candidate => candidate.name === name);
    if (global !== undefined) return global;
    const available = elf.globals.map(candidate => candidate.name).join(" ");
    const btf = elf.hasBtf ? objectBtf(elf, object) : undefined;
    const typed = elf.globals.map(one => {
        const type = globalType(btf, one);
        const word = btf === undefined || type === undefined ? `${one.sizeBytes} bytes` : valueTypeName(btf, type);
        return `${one.name} (${word})`;
    });
    throw invalid(
        `${title(name)} not found in program; available: [${available}]`,
        typed.length === 0 ? undefined : `It has: ${typed.join(", ")}.`,
    );
}

function checkSize({ name, sizeBytes }: ElfGlobal, value: Uint8Array, hint?: string): Uint8Array {
    if (value.length === sizeBytes) return value;
    throw invalid(`${title(name)} has ${sizeBytes} bytes, ${value.length} were given`, hint);
}

/**
 * An even number of hexadecimal digits has always stood for bytes. So they do where they are as many as the variable
 * has bytes, and with 0x in front; whatever bytes cannot be is a value of the variable's type.
 */
function bytesOfGlobal(
    global: ElfGlobal,
    { text, typed }: GlobalText,
    btf: Btf | undefined,
): { value: Uint8Array; warning?: string } {
    const { name, sizeBytes } = global;
    const type = globalType(btf, global);
    const digits = /^(?:0[xX])?((?:[0-9a-fA-F]{2})+)$/.exec(text)?.[1];
    if (!typed && digits !== undefined) {
        const bytes = Uint8Array.from(Buffer.from(digits, "hex"));
        const isNumber = /^[1-9]\d*$/.test(text);
        const fits = bytes.length === sizeBytes;
        const whole = type !== undefined && ["int", "enum"].includes(btf?.resolve(type).kind ?? "");
        if (fits && isNumber && whole)
            return {
                value: bytes,
                warning: `${name}=${text} was taken for the bytes ${digits.match(/../g)?.join(" ")}; for the number write ${name}:=${text}`,
            };
        const asValue = type !== undefined && !/^0[xX]/.test(text) && (isNumber || !whole);
        if (fits || !asValue)
            return {
                value: checkSize(global, bytes, whole ? `For a value of its type write ${name}:=${text}.` : undefined),
            };
    }
    if (btf === undefined || type === undefined)
        throw invalid(
            `the object has no BTF that tells the type of ${title(name)}`,
            `Give its ${sizeBytes} bytes in hexadecimal.`,
        );
    return { value: encodeText(btf, type, text, title(name)) };
}
