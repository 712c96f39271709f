// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { Events } from "./events.ts";
import { startKernelWatch } from "./kernel-watch.ts";

function setUp() {
    const log: string[] = [];
    const events = new Events({
        keep: () => 1,
        names: () => ({ programs: new Map(), links: new Map() }),
        log: line => log.push(line),
    });
    const kernel = { ids: "1/2/3", walks: 0 };
    const stop = startKernelWatch({ events, log: line => log.push(line) }, () => {
        kernel.walks++;
        if (kernel.ids === "") throw new Error("no ids");
        return kernel.ids;
    });
    const told: string[] = [];
    return { events, kernel, log, stop, told, watch: () => events.subscribe(({ kind }) => told.push(kind)) };
}

test("what others load is told within a second, whatever this daemon did before", context => {
    context.mock.timers.enable({ apis: ["setInterval"] });
    const { events, kernel, stop, told, watch } = setUp();
    const leave = watch();
    // this changes nothing in the kernel, and must not hide what does
    events.emit("REFUSED", "root", {});
    context.mock.timers.tick(5000);
    kernel.ids = "1 4/2/3";
    context.mock.timers.tick(1000);
    assert.deepEqual(told, ["REFUSED", "KERNEL_CHANGED"]);
    context.mock.timers.tick(5000);
    assert.equal(told.length, 2, "it is told once");
    // ours is in the kernel when its event comes; somebody else's is a moment later
    kernel.ids = "1 4 5/2/3";
    events.emit("PROGRAM_LOADED", "root", {});
    kernel.ids = "1 4 5 6/2/3";
    context.mock.timers.tick(1000);
    assert.deepEqual(told.slice(2), ["PROGRAM_LOADED", "KERNEL_CHANGED"]);
    kernel.ids = "1 4 5 6 7/2/3";
    events.emit("PROGRAM_LOADED", "root", {});
    context.mock.timers.tick(3000);
    assert.deepEqual(told.slice(4), ["PROGRAM_LOADED"], "a change of ours has its own event");
    leave();
    stop();
});

test("nobody watches: nothing is walked; a walk that fails ends nothing", context => {
    context.mock.timers.enable({ apis: ["setInterval"] });
    const { events, kernel, log, stop, told, watch } = setUp();
    events.emit("REFUSED", "root", {});
    context.mock.timers.tick(5000);
    assert.equal(kernel.walks, 0);
    const leave = watch();
    const { ids } = kernel;
    kernel.ids = "";
    context.mock.timers.tick(3000);
    assert.equal(log.filter(line => line.startsWith("the kernel's ids can't be walked")).length, 1);
    kernel.ids = ids;
    context.mock.timers.tick(1000);
    assert.deepEqual(told, []);
    leave();
    const { walks } = kernel;
    context.mock.timers.tick(5000);
    assert.equal(kernel.walks, walks);
    stop();
});
