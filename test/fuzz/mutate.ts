// SPDX-License-Identifier: Apache-2.0
// Samples made wrong: bytes, numbers at their borders, pieces lost, doubled, moved and mixed, words of the format. An
// input follows from the seed, the target's name and its number alone.
import { Random } from "../lab/random.ts";

export type Mutation = (bytes: Buffer, random: Random) => Buffer;

/** The numbers at which additions wrap and comparisons turn. */
const borders: readonly bigint[] = [
    ...[0n, 1n, 2n, 3n, 4n, 7n, 8n, 15n, 16n, 24n, 31n, 32n, 63n, 64n, 100n, 127n, 128n, 255n, 256n, 511n, 512n],
    ...[0x7fffn, 0x8000n, 0xfff1n, 0xffffn, 0x10000n, 0x7fffffffn, 0x80000000n, 0xfffffff8n, 0xffffffffn],
    ...[0x100000000n, 0x1fffffffffffffn, 0x20000000000000n, 0x7fffffffffffffffn, 0x8000000000000000n],
    ...[0xfffffffffffffff8n, 0xffffffffffffffffn],
];

export function border(random: Random, bits: 8 | 16 | 32 | 64): bigint {
    const value = random.below(8) === 0 ? BigInt(random.below(2 ** 32)) : random.pick(borders);
    return BigInt.asUintN(bits, random.below(4) === 0 ? -value : value);
}

/** A whole number of 1, 2, 4 or 8 bytes, in place. */
export function putNumber(bytes: Buffer, at: number, width: 1 | 2 | 4 | 8, value: bigint): void {
    if (at < 0 || at + width > bytes.length) return;
    for (let index = 0; index < width; index++) bytes[at + index] = Number((value >> BigInt(8 * index)) & 0xffn);
}

const position = (bytes: Buffer, random: Random) => random.below(Math.max(1, bytes.length));
/** Mostly short: a long one leaves little of the sample. */
const length = (random: Random, most: number) => 1 + random.below(random.pick([2, 8, 64, Math.max(1, most)]));

const flipBit: Mutation = (bytes, random) => {
    const at = position(bytes, random);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    return bytes;
};
const setByte: Mutation = (bytes, random) => {
    bytes[position(bytes, random)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
    return bytes;
};
const setNumber: Mutation = (bytes, random) => {
    const width = random.pick([2, 4, 8] as const);
    const at = position(bytes, random);
    putNumber(bytes, random.below(2) === 0 ? at - (at % width) : at, width, border(random, 64));
    return bytes;
};
const step: Mutation = (bytes, random) => {
    const at = position(bytes, random);
    bytes[at] = (bytes[at] ?? 0) + random.pick([1, -1, 2, -2, 8, -8]);
    return bytes;
};
const cutEnd: Mutation = (bytes, random) => bytes.subarray(0, position(bytes, random));
const remove: Mutation = (bytes, random) => {
    const at = position(bytes, random);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length(random, bytes.length))]);
};
const double: Mutation = (bytes, random) => {
    const at = position(bytes, random);
    const piece = bytes.subarray(at, at + length(random, 4096));
    const times = random.pick([1, 1, 2, 16]);
    return Buffer.concat([bytes.subarray(0, at), ...Array.from({ length: times }, () => piece), bytes.subarray(at)]);
};
const move: Mutation = (bytes, random) => {
    const [from, to] = [position(bytes, random), position(bytes, random)];
    const piece = Buffer.from(bytes.subarray(from, from + length(random, 256)));
    piece.copy(bytes, to);
    return bytes;
};
const noise: Mutation = (bytes, random) => {
    const at = position(bytes, random);
    const end = Math.min(bytes.length, at + length(random, 64));
    for (let index = at; index < end; index++) bytes[index] = random.below(256);
    return bytes;
};

const anywhere: readonly Mutation[] = [
    ...[flipBit, flipBit, setByte, setByte, setNumber, setNumber, setNumber, step],
    ...[cutEnd, remove, double, move, noise],
];

/** Inserts a word, or writes it over what is there. */
export function words(list: readonly string[]): Mutation {
    return (bytes, random) => {
        const at = position(bytes, random);
        const word = Buffer.from(random.pick(list));
        const end = random.below(2) === 0 ? at : at + word.length;
        return Buffer.concat([bytes.subarray(0, at), word, bytes.subarray(end)]);
    };
}

export interface Samples {
    readonly samples: readonly Buffer[];
    /** mutations that know the format; half of all are of these where there are any */
    readonly own?: readonly Mutation[];
    /** puts right what a reader checks before anything else (a checksum, a length) */
    readonly repair?: Mutation;
}

function hash(text: string): number {
    let value = 0x811c9dc5;
    for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193);
    return value;
}

/** The input of that number. */
export function inputOf(
    { samples, own = [], repair }: Samples,
    seed: number,
    name: string,
    number: number,
): { input: Buffer; random: Random } {
    const random = new Random(hash(`${seed} ${name} ${number}`));
    let bytes = Buffer.from(random.pick(samples));
    const times = random.pick([1, 1, 1, 2, 3, 5, 9]);
    for (let done = 0; done < times; done++) {
        if (random.below(40) === 0) {
            const other = random.pick(samples);
            const at = random.below(bytes.length + 1);
            bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(random.below(other.length + 1))]);
        }
        const from = own.length > 0 && random.below(2) === 0 ? own : anywhere;
        bytes = Buffer.from(random.pick(from)(bytes, random));
    }
    if (repair !== undefined && random.below(4) > 0) bytes = Buffer.from(repair(bytes, random));
    return { input: bytes, random };
}
