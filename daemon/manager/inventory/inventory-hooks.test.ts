// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProgramId } from "../../model/ids.ts";
import type { KernelProgram } from "../../model/kernel.ts";
import { isOnProgram } from "./inventory-hooks.ts";

const program = (id: number, attachBtfObjId = 0) => ({ id, attachBtfObjId }) as KernelProgram;
const place = (attachType: string, objectId: number) => ({ kind: "tracing", attachType, objectId, typeId: 5 }) as const;

test("a tracing link is told on a function of the kernel or of a program, whose ids look alike", () => {
    const tracer = 9 as ProgramId;
    // the BTF object 1 is the kernel's, and there is a program 1 too
    const onKernel = [program(1), program(9, 1)];
    assert.equal(isOnProgram(place("trace_fentry", 1), tracer, onKernel), false);
    // its target's BTF is object 40, its target program 7
    const onProgram = [program(7), program(9, 40)];
    assert.equal(isOnProgram(place("trace_fexit", 7), tracer, onProgram), true);
    // before Linux 5.17 nothing tells: most are of the kernel
    assert.equal(isOnProgram(place("trace_fentry", 7), tracer, [program(7), program(9)]), false);
    // freplace is of a program always, also of one that is gone
    assert.equal(isOnProgram(place("cgroup_inet_ingress", 7), tracer, []), true);
});
