// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { compareLibxdp, type LibxdpOrdered } from "./libxdp-order.ts";

const program = (name: string, more: Partial<LibxdpOrdered> = {}): LibxdpOrdered => ({
    priority: 50,
    name,
    tag: "00",
    loadedAt: "2026-01-01T00:00:00.000Z",
    ...more,
});

const order = (...programs: LibxdpOrdered[]) => programs.sort(compareLibxdp).map(({ name }) => name);

test("a lower priority value goes first, whatever the name", () => {
    assert.deepEqual(order(program("a", { priority: 60 }), program("z", { priority: 9 })), ["z", "a"]);
});

test("equal priority: by name in byte order", () => {
    assert.deepEqual(order(program("b"), program("_"), program("a"), program("B")), ["B", "_", "a", "b"]);
});

test("equal priority and name: by tag, then the older first", () => {
    const old = program("a", { tag: "ff" });
    const older = program("a", { tag: "0f", loadedAt: "2026-01-01T00:00:01.000Z" });
    const young = program("a", { tag: "0f", loadedAt: "2026-01-01T00:00:02.000Z" });
    assert.deepEqual([old, young, older].sort(compareLibxdp), [older, young, old]);
});
