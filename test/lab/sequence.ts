// SPDX-License-Identifier: Apache-2.0
// Reads what the sequence fixtures logged: which program saw which packet, in which order.
import path from "node:path";
import { openMapPinReadOnly } from "../../daemon/kernel/bpf.ts";
import type { Fd } from "../../daemon/kernel/fd.ts";
import { lookup } from "../../daemon/kernel/objects/map-calls.ts";
import { updateElementRaw } from "./maps.ts";

const entries = 65536;

export class SequenceLog {
    readonly #folder: string;
    /** folder: the map pins of one of the programs */
    constructor(mapPinPath: string) {
        this.#folder = mapPinPath;
    }

    #map(name: string): Fd {
        return openMapPinReadOnly(path.join(this.#folder, name));
    }

    /** How many entries were written since the log was cleared. */
    count(): number {
        using map = this.#map("sequence_next");
        return Number(lookup(map, Buffer.alloc(4), 8)?.readBigUInt64LE(0) ?? 0n);
    }

    clear(): void {
        updateElementRaw(path.join(this.#folder, "sequence_next"), Buffer.alloc(4), Buffer.alloc(8));
    }

    /** The numbers of the programs that saw each packet, in order, by packet. */
    packets(): Map<number, number[]> {
        using map = this.#map("sequence_log");
        const seen = new Map<number, number[]>();
        const total = this.count();
        if (total > entries) throw new Error(`the log has room for ${entries} entries, ${total} were written`);
        const key = Buffer.alloc(4);
        for (let n = 0; n < total; n++) {
            key.writeUInt32LE(n);
            const value = lookup(map, key, 8);
            if (value === undefined) throw new Error(`entry ${n} is missing`);
            const packet = value.readUInt32LE(4);
            const ids = seen.get(packet);
            if (ids === undefined) seen.set(packet, [value.readUInt32LE(0)]);
            else ids.push(value.readUInt32LE(0));
        }
        return seen;
    }
}
