// SPDX-License-Identifier: Apache-2.0
// Four interfaces under a flood of packets: XDP chains that drop and that pass, a TC chain and TCX links that drop.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { AttachItemJson, ProgramJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { tcItem, tcxItem, u32, xdpItem } from "../lab/items.ts";
import type { Lab } from "../lab/lab.ts";
import type { Flood, Wire } from "../lab/namespaces.ts";
import { SequenceLog } from "../lab/sequence.ts";
import type { LinkState } from "./state.ts";

export type Kind = "xdp" | "tc" | "tcx";

/** Codes after which a chain goes on, as the tests use them: two sets that come to the same. */
export const proceedOn: Readonly<Record<Kind, readonly number[][]>> = {
    xdp: [
        [2, 31],
        [0, 2, 31],
    ],
    tc: [
        [3, 30],
        [3, 4, 30],
    ],
    tcx: [[]],
};

const dropperPriority = 1000;

export class Hook {
    readonly kind: Kind;
    readonly drops: boolean;
    readonly wire: Wire;
    /** programs that log who they are: number n is called …_sequence_n */
    readonly members: readonly ProgramJson[];
    readonly dropper: ProgramJson | undefined;
    readonly #log: SequenceLog;
    #arrived = 0;
    #flood: Flood | undefined;

    private constructor(kind: Kind, wire: Wire, members: readonly ProgramJson[], dropper: ProgramJson | undefined) {
        this.kind = kind;
        this.drops = dropper !== undefined;
        this.wire = wire;
        this.members = members;
        this.dropper = dropper;
        this.#log = new SequenceLog(members[0]?.record?.mapPinPath ?? "");
    }

    static async make(lab: Lab, kind: Kind, drops: boolean): Promise<Hook> {
        const wire = lab.wire();
        const fixture = kind === "xdp" ? "xdp_sequence" : "tc_sequence";
        const five = [0, 1, 2, 3, 4].map(n => `${kind}:${fixture}_${n}`);
        // pipe goes on in a TC chain, unspec among TCX links; XDP's own default passes
        const goesOn = Buffer.concat(Array.from({ length: 10 }, () => u32(kind === "tc" ? 3 : -1)));
        const members = await lab.load(fixture, five, kind === "xdp" ? {} : { globals: { actions: goesOn } });
        let dropper: ProgramJson | undefined;
        if (drops) {
            const action = u32(kind === "xdp" ? 1 : 2);
            [dropper] = await lab.load(fixture, [`${kind}:${fixture}`], { globals: { action, id: u32(99) } });
        }
        return new Hook(kind, wire, members, dropper);
    }

    /** Packets from now on, until assertFlood(). */
    startFlood(): void {
        this.#arrived = this.wire.arrived();
        this.#flood = this.wire.ping(1_000_000, { intervalSeconds: 0.002, waitSeconds: 0.1 });
    }

    item(program: ProgramJson, priority: number, codes: readonly number[]): AttachItemJson {
        const { id } = program;
        if (this.kind === "tcx") return tcxItem(this.wire, id, priority);
        const make = this.kind === "xdp" ? xdpItem : tcItem;
        return make(this.wire, id, priority, { proceedOn: [...codes] });
    }

    /** The link that is there from the beginning. */
    first(): { program: ProgramJson; priority: number } {
        const program = this.dropper ?? this.members[0];
        assert.ok(program !== undefined);
        return { program, priority: dropperPriority };
    }

    link(program: ProgramJson, priority: number, codes: readonly number[]): LinkState {
        const { id = 0, record } = program;
        return {
            netns: this.wire.netns,
            kind: this.kind,
            program: record?.name ?? "",
            programId: id,
            priority,
            proceedOn: codes,
        };
    }

    /** The members that packets really meet are the given ones, in their order, up to the one that drops. */
    async assertRuns(links: readonly LinkState[], why: string): Promise<void> {
        const ordered = links.filter(({ netns }) => netns === this.wire.netns);
        ordered.sort((a, b) => a.priority - b.priority);
        const stop = ordered.findIndex(({ programId }) => programId === this.dropper?.id);
        // the dropper has a log of its own
        const expected = (stop < 0 ? ordered : ordered.slice(0, stop)).map(({ program }) => Number(program.slice(-1)));
        this.#log.clear();
        if (expected.length === 0) {
            await sleep(20);
            assert.equal(this.#log.count(), 0, `${why}: a member runs that is not in the chain`);
            return;
        }
        for (let waited = 0; this.#log.count() < 6 * expected.length; waited += 5) {
            assert.ok(waited < 5000, `${why}: the members ${expected} do not run`);
            await sleep(5);
        }
        // what was on its way while the log was cleared or read is not whole
        const packets = [...this.#log.packets()].filter(([packet]) => packet !== 0).slice(1, -1);
        assert.ok(packets.length >= 3, why);
        for (const [, ids] of packets) assert.deepEqual(ids, expected, why);
    }

    /** No packet came by where packets are dropped. */
    assertDropped(why: string): void {
        if (this.drops) assert.equal(this.wire.arrived(), this.#arrived, `${why}: packets came by the dropping member`);
    }

    stopFlood(): void {
        this.#flood?.stop();
    }

    async assertFlood(): Promise<void> {
        assert.ok(this.#flood?.running, "the flood ended by itself");
        this.#flood.stop();
        const { sent, received } = await this.#flood.result;
        assert.ok(sent > 1000, `${sent} packets were sent`);
        // the last one may have been on its way when the flood was stopped
        if (this.drops) assert.equal(received, 0);
        else assert.ok(sent - received <= 1, `${sent - received} of ${sent} packets were lost`);
        this.assertDropped("at the end");
    }
}
