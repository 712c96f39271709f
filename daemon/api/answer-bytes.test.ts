// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "@bufbuild/protobuf";
import { answerBytes } from "./answer-bytes.ts";

test("the bytes are what JSON.stringify gives", () => {
    const frozen = Object.freeze({ id: 1, name: 'a"b\u2028\u00e9', list: [1, 2] });
    const answers: unknown[] = [
        {},
        { programs: [] },
        { programs: [frozen, { id: 2 }, frozen], next: "x", none: undefined, count: 0 },
        { 'odd "name"': [undefined, null, "text", 5, true, [frozen]], at: Object.freeze([1, frozen]) },
        { nested: { programs: [frozen] }, last: null },
    ];
    for (const answer of answers) {
        for (let round = 0; round < 2; round++)
            assert.equal(answerBytes(answer as JsonObject).toString(), JSON.stringify(answer));
    }
});

test("a frozen element is made once, any other anew", () => {
    let writings = 0;
    const element = { toJSON: () => ({ written: ++writings }) } as unknown as JsonObject;
    answerBytes({ list: [element] });
    assert.equal(answerBytes({ list: [element] }).toString(), '{"list":[{"written":2}]}');
    Object.freeze(element);
    answerBytes({ list: [element] });
    assert.equal(answerBytes({ list: [element] }).toString(), '{"list":[{"written":3}]}');
});
