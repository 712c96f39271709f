// SPDX-License-Identifier: Apache-2.0
// Pages left open for an hour keep their memory. By hand, outside a night: three minutes.
import { after, before, test } from "node:test";
import { howMany } from "../scale.ts";
import { assertBounded, describeKept, leaveOpen } from "./memory.ts";
import { Stack } from "./stack.ts";

const seconds = howMany(180, 3600);

let stack: Stack;

before(async () => {
    stack = await Stack.start();
});
after(() => stack?.stop());

test(`pages left open for ${seconds} seconds keep their memory`, async t => {
    const all = await leaveOpen(stack, ["#/overview", "#/programs", "#/interfaces/uplink", "#/events"], seconds);
    for (const kept of all) t.diagnostic(describeKept(kept));
    all.forEach(assertBounded);
    await stack.closePages();
});
