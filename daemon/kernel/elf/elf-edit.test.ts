// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { fixtureObject } from "../../../test/fixtures/objects.ts";
import { checkObject } from "./elf.ts";
import { withoutFrags, withoutMapValues } from "./elf-edit.ts";

test("FragsSectionsBecomePlainOnesAndNothingElseChanges", () => {
    const object = fixtureObject("xdp_frags");
    const before = checkObject(object);
    const after = checkObject(withoutFrags(object));
    const sections = (elf: typeof before) => elf.functions.map(({ name, section }) => `${name} ${section}`);
    assert.deepEqual(sections(before), ["xdp_frags xdp.frags", "xdp_linear xdp"]);
    assert.deepEqual(sections(after), ["xdp_frags xdp", "xdp_linear xdp"]);
    assert.deepEqual(after.maps, before.maps);
});

test("ProgArraysStartEmpty", () => {
    const object = fixtureObject("xdp_tail_call");
    const before = checkObject(object);
    const after = checkObject(withoutMapValues(object));
    assert.deepEqual(before.neededByProgArrays, ["tail_call_target"]);
    assert.deepEqual(after.neededByProgArrays, []);
    assert.deepEqual(after.maps, before.maps);
});
