// SPDX-License-Identifier: Apache-2.0
// What is measured in the VM, where freplace and so libxdp work: `node test/bench/guest.ts commands|instructions`.
import "./environment.ts";
import fs from "node:fs";
import { Lab } from "../lab/lab.ts";
import { measureCommands } from "./commands.ts";
import { attachedChain, candidate, lengths, libxdpChain, opened, passingPrograms, tailCallChain } from "./packets.ts";
import { type Candidate, inTurn } from "./rounds.ts";

// the clock of the VM counts instructions, so few runs are enough
const repeat = 20_000;

async function instructions(lab: Lab): Promise<Map<string, number>> {
    const ids = await passingPrograms(lab);
    using stack = new DisposableStack();
    const candidates: Candidate[] = [candidate("program", stack.use(opened(ids[0])), repeat)];
    for (const length of lengths) {
        const members = ids.slice(0, length);
        if (length === 1) {
            const lone = await attachedChain(lab, lab.wire(), members, "as needed");
            expectBackend(lone.backend, "direct");
            candidates.push(candidate("direct 1", stack.use(lone.program), repeat));
        }
        const chain = await attachedChain(lab, lab.wire(), members, "always");
        expectBackend(chain.backend, "freplace");
        candidates.push(candidate(`freplace ${length}`, stack.use(chain.program), repeat));
        const tailCall = tailCallChain(members);
        stack.use(tailCall.keep);
        candidates.push(candidate(`tail-call ${length}`, tailCall.program, repeat));
        const wire = lab.wire();
        stack.defer(() => wire.inside("xdp-loader", "unload", "--all", wire.interface));
        candidates.push(candidate(`libxdp ${length}`, stack.use(libxdpChain(wire, length)), repeat));
    }
    return await inTurn(9, candidates);
}

function expectBackend(backend: string, expected: string): void {
    if (backend !== expected) throw new Error(`the chain is ${backend}, not ${expected}`);
}

const [what] = process.argv.slice(2);
await using lab = await Lab.start();
const figures =
    what === "instructions" ? await instructions(lab) : await measureCommands(lab, { rounds: 7, xdpLoader: true });
fs.writeFileSync("/run/vm/figures", JSON.stringify(Object.fromEntries(figures)));
