// SPDX-License-Identifier: Apache-2.0
// One target's inputs, in a process of its own: node test/fuzz/child.ts TARGET SEED FROM TO [PROGRESS-FILE]
// The number of the input at work is written to the file before it is tried, so that who watches knows it after a crash.
// With an input alone (TO = FROM + 1) and no file, it is kept in test-results/ and told how it ended: to look into a finding.
import fs from "node:fs";
import { join } from "node:path";
import { targetOf } from "./all-targets.ts";
import { inputOf } from "./mutate.ts";

const [name = "", seedText = "", fromText = "", toText = "", progress] = process.argv.slice(2);
const [seed, from, to] = [Number(seedText), Number(fromText), Number(toText)];
const target = await targetOf(name);
const fd = progress === undefined ? undefined : fs.openSync(progress, "w");
const position = Buffer.alloc(8);

function atWork(number: number): void {
    if (fd === undefined) return;
    position.writeBigUInt64LE(BigInt(number));
    fs.writeSync(fd, position, 0, 8, 0);
}

let current = from;
function finding(error: unknown): never {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    // at once: this process may not come to its end in order
    fs.writeSync(2, `input ${current}: ${what}\n`);
    process.exit(1);
}
// also what a callback throws after its input was answered
process.on("uncaughtException", finding);
process.on("unhandledRejection", finding);

for (; current < to; current++) {
    atWork(current);
    const { input, random } = inputOf(target, seed, name, current);
    if (fd === undefined && to === from + 1) {
        const folder = join(import.meta.dirname, "../../test-results");
        fs.mkdirSync(folder, { recursive: true });
        fs.writeFileSync(join(folder, `fuzz-${name}-${seed}-${current}`), input);
    }
    try {
        const result = target.run(input, random);
        if (result instanceof Promise) await result;
    } catch (error) {
        finding(error);
    }
    // promises that were let go are told of in a turn of their own
    if (current % 256 === 0) await new Promise(resolve => setImmediate(resolve));
}
atWork(to);
await target.finish?.();
process.exit(0);
