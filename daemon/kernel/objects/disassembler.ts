// SPDX-License-Identifier: Apache-2.0
// eBPF instructions as text, in the words of the kernel's own disassembler (kernel/bpf/disasm.c). Pure. What the verifier
// has rewritten is shown as it is; opcodes are those of Documentation/bpf/standardization/instruction-set.rst.

export interface Decoded {
    /** its place in slots of eight bytes, which is how jumps count */
    readonly index: number;
    /** 1, or 2 for a load of 64 bits */
    readonly slots: number;
    readonly text: string;
    readonly hex: string;
    readonly jumpTo: number | undefined;
}

/** Names for what an instruction refers to by number. */
export interface Names {
    /** a helper or a kernel function, by its distance from __bpf_call_base */
    readonly call: (imm: number) => string;
    readonly map: (id: number) => string;
    /** a function of the program that begins at an instruction */
    readonly subprogram: (index: number) => string;
}

const instructionBytes = 8;
const cls = { ld: 0, ldx: 1, st: 2, stx: 3, alu: 4, jmp: 5, jmp32: 6, alu64: 7 } as const;
const sizes: Readonly<Record<number, string>> = { 0: "u32", 8: "u16", 16: "u8", 24: "u64" };
const signedSizes: Readonly<Record<number, string>> = { 0: "s32", 8: "s16", 16: "s8", 24: "s64" };
const mode = {
    imm: 0x00,
    abs: 0x20,
    ind: 0x40,
    mem: 0x60,
    memsx: 0x80,
    mem32: 0xa0,
    atomic: 0xc0,
    mem32sx: 0xe0,
} as const;
const aluOperators: Readonly<Record<number, string>> = {
    0: "+=",
    16: "-=",
    32: "*=",
    48: "/=",
    64: "|=",
    80: "&=",
    96: "<<=",
    112: ">>=",
    144: "%=",
    160: "^=",
    176: "=",
    192: "s>>=",
};
const op = {
    div: 0x30,
    neg: 0x80,
    mod: 0x90,
    mov: 0xb0,
    end: 0xd0,
    ja: 0x00,
    call: 0x80,
    exit: 0x90,
    jcond: 0xe0,
} as const;
const conditions: Readonly<Record<number, string>> = {
    16: "==",
    32: ">",
    48: ">=",
    64: "&",
    80: "!=",
    96: "s>",
    112: "s>=",
    160: "<",
    176: "<=",
    192: "s<",
    208: "s<=",
};
const atomicWords: Readonly<Record<number, string>> = { 0: "add", 64: "or", 80: "and", 160: "xor" };
const atomic = { fetch: 0x01, xchg: 0xe1, cmpxchg: 0xf1, loadAcquire: 0x100, storeRelease: 0x110 } as const;
const SRC_X = 0x08;
/** off of a mov from a register, where it is no sign extension */
const castToArena = 1;
const perCpuAddress = -1;

interface Instruction {
    readonly index: number;
    readonly code: number;
    readonly dst: number;
    readonly src: number;
    readonly off: number;
    readonly imm: number;
    /** the second half of a load of 64 bits */
    readonly nextImm: number | undefined;
}

const signed = (value: number): string => (value < 0 ? String(value) : `+${value}`);

export function disassemble(bytes: Uint8Array, names: Names): Decoded[] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const found: Decoded[] = [];
    const count = Math.floor(bytes.length / instructionBytes);
    for (let index = 0; index < count; ) {
        const at = index * instructionBytes;
        const code = view.getUint8(at);
        const wide = code === 0x18 && index + 1 < count;
        const registers = view.getUint8(at + 1);
        const instruction = {
            index,
            code,
            dst: registers & 0xf,
            src: registers >> 4,
            off: view.getInt16(at + 2, true),
            imm: view.getInt32(at + 4, true),
            nextImm: wide ? view.getInt32(at + 12, true) : undefined,
        };
        const slots = wide ? 2 : 1;
        const hex = Buffer.from(bytes.subarray(at, at + slots * instructionBytes)).toString("hex");
        found.push({ index, slots, hex, text: textOf(instruction, names), jumpTo: targetOf(instruction) });
        index += slots;
    }
    return found;
}

function targetOf({ index, code, off, imm }: Instruction): number | undefined {
    const kind = code & 7;
    if (kind !== cls.jmp && kind !== cls.jmp32) return undefined;
    switch (code & 0xf0) {
        case op.call:
        case op.exit:
            return undefined;
        case op.ja:
            return index + 1 + (kind === cls.jmp32 ? imm : off);
        default:
            return index + 1 + off;
    }
}

function textOf(instruction: Instruction, names: Names): string {
    switch (instruction.code & 7) {
        case cls.alu:
        case cls.alu64:
            return arithmetic(instruction);
        case cls.jmp:
        case cls.jmp32:
            return jump(instruction, names);
        case cls.ldx:
            return load(instruction);
        case cls.stx:
        case cls.st:
            return store(instruction);
        default:
            return wideOrPacket(instruction, names);
    }
}

const unknown = ({ code }: Instruction): string => `unknown opcode ${code.toString(16).padStart(2, "0")}`;

function arithmetic(one: Instruction): string {
    const { code, dst, src, off, imm } = one;
    const is64 = (code & 7) === cls.alu64;
    const register = is64 ? "r" : "w";
    const operation = code & 0xf0;
    if (operation === op.end) {
        const order = is64 ? "bswap" : (code & SRC_X) === 0 ? "le" : "be";
        return `r${dst} = ${order}${imm} r${dst}`;
    }
    if (operation === op.neg) return `${register}${dst} = -${register}${dst}`;
    let operator = aluOperators[operation];
    if (operator === undefined) return unknown(one);
    // off 1: signed; of a division or a remainder
    if ((operation === op.div || operation === op.mod) && off === 1) operator = `s${operator}`;
    if ((code & SRC_X) === 0) return `${register}${dst} ${operator} ${imm}`;
    if (operation !== op.mov || off === 0) return `${register}${dst} ${operator} ${register}${src}`;
    if (is64 && off === castToArena) return `r${dst} = addr_space_cast(r${src}, ${imm >>> 16}, ${imm & 0xffff})`;
    if (is64 && off === perCpuAddress) return `r${dst} = &(void __percpu *)(r${src})`;
    return `${register}${dst} = (s${off})${register}${src}`;
}

function load(one: Instruction): string {
    const { code, dst, src, off } = one;
    const place = `(r${src} ${signed(off)})`;
    switch (code & 0xe0) {
        case mode.mem:
        // of pointers that may fault, into an arena: as the verifier marks them
        case mode.abs:
        case mode.mem32:
            return `r${dst} = *(${sizes[code & 0x18]} *)${place}`;
        case mode.memsx:
        case mode.ind:
        case mode.mem32sx:
            return `r${dst} = *(${signedSizes[code & 0x18]} *)${place}`;
        default:
            return unknown(one);
    }
}

function store(one: Instruction): string {
    const { code, dst, src, off, imm } = one;
    const place = `(${sizes[code & 0x18]} *)(r${dst} ${signed(off)})`;
    const kind = code & 0xe0;
    if ((code & 7) === cls.st) {
        if (kind === mode.mem || kind === mode.mem32) return `*${place} = ${imm}`;
        return kind === mode.atomic ? "nospec" : unknown(one);
    }
    if (kind === mode.mem || kind === mode.mem32) return `*${place} = r${src}`;
    // 0xe0: an atomic operation in an arena
    if (kind !== mode.atomic && kind !== mode.mem32sx) return unknown(one);
    const bits = (code & 0x18) === 0x18 ? "64" : "";
    if (imm === atomic.cmpxchg) return `r0 = atomic${bits}_cmpxchg(${place}, r0, r${src})`;
    if (imm === atomic.xchg) return `r${src} = atomic${bits}_xchg(${place}, r${src})`;
    if (imm === atomic.loadAcquire) return `r${dst} = load_acquire((${sizes[code & 0x18]} *)(r${src} ${signed(off)}))`;
    if (imm === atomic.storeRelease) return `store_release(${place}, r${src})`;
    const word = atomicWords[imm & ~atomic.fetch];
    if (word === undefined) return unknown(one);
    if ((imm & atomic.fetch) === 0) return `lock *${place} ${aluOperators[imm]} r${src}`;
    return `r${src} = atomic${bits}_fetch_${word}(${place}, r${src})`;
}

/** What the source register of a load of 64 bits says its value is. */
const pseudo = { mapFd: 1, mapValue: 2, btfId: 3, func: 4, mapIdx: 5, mapIdxValue: 6 } as const;
/** BPF_FUNC_tail_call */
const tailCall = 12;
const pseudoCall = { subprogram: 1, kernelFunction: 2 } as const;

function wideOrPacket(one: Instruction, names: Names): string {
    const { index, code, dst, src, imm, nextImm } = one;
    const size = sizes[code & 0x18];
    if ((code & 0xe0) === mode.abs) return `r0 = *(${size} *)skb[${imm}]`;
    if ((code & 0xe0) === mode.ind) return `r0 = *(${size} *)skb[r${src} + ${imm}]`;
    if (code !== 0x18 || nextImm === undefined) return unknown(one);
    const map = () => {
        const name = names.map(imm >>> 0);
        return `map[id:${imm >>> 0}${name === "" ? "" : ` ${name}`}]`;
    };
    switch (src) {
        case pseudo.mapFd:
        case pseudo.mapIdx:
            return `r${dst} = ${map()}`;
        case pseudo.mapValue:
        case pseudo.mapIdxValue:
            return `r${dst} = ${map()}[0]+${nextImm >>> 0}`;
        case pseudo.func: {
            const name = names.subprogram(index + 1 + imm);
            return `r${dst} = subprog[${signed(imm)}]${name === "" ? "" : ` ${name}`}`;
        }
        default: {
            const value = (BigInt(nextImm >>> 0) << 32n) | BigInt(imm >>> 0);
            return `r${dst} = 0x${value.toString(16)}`;
        }
    }
}

function jump(one: Instruction, names: Names): string {
    const { index, code, dst, src, off, imm } = one;
    const is32 = (code & 7) === cls.jmp32;
    const register = is32 ? "w" : "r";
    switch (code & 0xf0) {
        case op.ja:
            return is32 ? `gotol pc${signed(imm)}` : `goto pc${signed(off)}`;
        case op.exit:
            return is32 ? unknown(one) : "exit";
        case op.jcond:
            return imm === 0 && src === 0 ? `may_goto pc${signed(off)}` : unknown(one);
        case op.call: {
            if (is32) return unknown(one);
            if (src === pseudoCall.subprogram) {
                // a program that is compiled function by function keeps the distance in off (jit_subprogs in verifier.c)
                const distance = off !== 0 ? off : imm;
                const name = names.subprogram(index + 1 + distance);
                return `call pc${signed(distance)}${name === "" ? "" : `#${name}`}`;
            }
            // the one that the kernel shows by its number (bpf_insn_prepare_dump in kernel/bpf/syscall.c)
            const name = src === 0 && imm === tailCall ? "bpf_tail_call" : names.call(imm);
            if (name !== "") return `call ${name}`;
            return src === pseudoCall.kernelFunction ? `call kernel-function#${imm}` : `call unknown#${imm}`;
        }
        default: {
            const condition = conditions[code & 0xf0];
            if (condition === undefined) return unknown(one);
            const other = (code & SRC_X) === 0 ? `0x${(imm >>> 0).toString(16)}` : `${register}${src}`;
            return `if ${register}${dst} ${condition} ${other} goto pc${signed(off)}`;
        }
    }
}
