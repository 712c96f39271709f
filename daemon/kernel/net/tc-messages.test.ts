// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { messages } from "./netlink-messages.ts";
import { clsactRequest, filterDump, parseFilter, parseQdisc, putFilterRequest } from "./tc-messages.ts";

const place = { ifindex: 7, direction: "egress", priority: 50, handle: 1 } as const;
const filter = putFilterRequest(3, place, { fd: 9, name: "dispatcher" }, "add");

test("a filter's request carries what its answer would", () => {
    const [message, ...more] = messages(filter);
    assert.ok(message);
    assert.deepEqual([message.type, message.sequence, more.length], [44, 3, 0]);
    assert.equal(message.flags, 0x1 | 0x4 | 0x200 | 0x400);
    assert.equal(message.payload.readInt32LE(4), 7);
    assert.equal(message.payload.readUInt32LE(12), 0xfffffff3);
    // the protocol is in network order
    assert.equal(message.payload.readUInt32LE(16), (50 << 16) | 0x0300);
    const { programId, ...told } = parseFilter(message.payload) ?? assert.fail();
    assert.deepEqual(told, { priority: 50, handle: 1, chain: 0, kind: "bpf", name: "dispatcher" });
    assert.equal(programId, 0, "a request has a descriptor, an answer an id");
});

test("a change neither makes a filter nor a qdisc over another", () => {
    const [replace] = messages(putFilterRequest(1, place, { fd: 9, name: "d" }, "replace"));
    assert.equal(replace?.flags, 0x1 | 0x4);
    const [add] = messages(clsactRequest(1, 7, "add"));
    assert.equal(add?.flags, 0x1 | 0x4 | 0x200 | 0x400);
    assert.deepEqual(parseQdisc(add?.payload ?? Buffer.alloc(0)), {
        ifindex: 7,
        kind: "clsact",
        sharedBlocks: { ingress: false, egress: false },
    });
});

test("priorities fit, and what is no filter or no clsact is left out", () => {
    const [last] = messages(putFilterRequest(1, { ...place, priority: 0xffff }, { fd: 9, name: "d" }, "add"));
    assert.equal(parseFilter(last?.payload ?? Buffer.alloc(0))?.priority, 0xffff);
    const [asked] = messages(filterDump(1, 7, "ingress"));
    assert.equal(parseFilter(asked?.payload ?? Buffer.alloc(0)), undefined);
    assert.equal(parseQdisc(asked?.payload ?? Buffer.alloc(0)), undefined);
    for (let length = 0; length <= filter.length; length++) {
        const cut = filter.subarray(16, length);
        assert.doesNotThrow(() => [parseFilter(cut), parseQdisc(cut)]);
    }
});
