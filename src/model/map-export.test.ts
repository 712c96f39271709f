// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DumpMapResponseJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { exportFileName, mapAsJson } from "./map-export.ts";
import { mapInfoOf } from "./map-model.ts";

const map = mapInfoOf({ map: { id: 12, typeName: "hash", maxEntries: 3 }, name: "counts", keyType: "__u32" });
const key = (value: number) => Buffer.from([value, 0, 0, 0]).toString("base64");

const pages: Readonly<Record<string, DumpMapResponseJson>> = {
    "": { entries: [{ key: key(1), keyJson: 1, value: key(9), valueJson: { x: 9 } }], nextPageToken: "two" },
    two: { nextPageToken: "three" },
    three: {
        entries: [
            {
                key: key(2),
                keyJson: 2,
                cpus: [
                    { value: key(3), valueJson: 3 },
                    { cpu: 1, value: key(4), valueJson: 4 },
                ],
                sum: 7,
            },
        ],
    },
};

async function whole(onProgress: (entries: number) => void, signal = new AbortController().signal): Promise<string> {
    let text = "";
    const page = (token: string) => Promise.resolve(pages[token] ?? {});
    for await (const piece of mapAsJson(map, { page, onProgress: ({ entries }) => onProgress(entries), signal }))
        text += piece;
    return text;
}

test("all pages make one document", async () => {
    const seen: number[] = [];
    const document = JSON.parse(await whole(entries => seen.push(entries)));
    assert.equal(document.name, "counts");
    assert.deepEqual(document.entries, [
        { key: { hex: "01000000", value: 1 }, value: { hex: "09000000", value: { x: 9 } } },
        {
            key: { hex: "02000000", value: 2 },
            cpus: [
                { cpu: 0, hex: "03000000", value: 3 },
                { cpu: 1, hex: "04000000", value: 4 },
            ],
            sum: 7,
        },
    ]);
    assert.deepEqual(seen, [1, 1, 2]);
});

test("who cancels gets no document", async () => {
    const stop = new AbortController();
    await assert.rejects(
        whole(() => stop.abort(new Error("cancelled")), stop.signal),
        /cancelled/,
    );
});

test("a file's name is made of plain characters", () => {
    assert.equal(exportFileName(map), "counts-12.json");
    assert.equal(exportFileName({ ...map, name: "../ä b" }), "_____b-12.json");
    assert.equal(exportFileName({ ...map, name: "" }), "map-12.json");
});
