// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { findTarget } from "./target-search.ts";

const names = ["do_vfs_read", "vfs_read", "xvfs_readv", "vfs_readv", "sched/vfs", "VFS_x"].map(name => ({ name }));
const found = (query: string, limit = 10) => findTarget(names, query, limit).targets.map(({ name }) => name);

test("names that begin with the query come first, then those where a word does", () => {
    assert.deepEqual(found("vfs"), ["vfs_read", "vfs_readv", "VFS_x", "do_vfs_read", "sched/vfs", "xvfs_readv"]);
    assert.deepEqual(found("vfs_readv"), ["vfs_readv", "xvfs_readv"]);
    assert.deepEqual(found("nothing"), []);
});

test("a limit cuts the list, not the count", () => {
    const { targets, total } = findTarget(names, "vfs", 2);
    assert.deepEqual([targets.length, total], [2, 6]);
    assert.deepEqual(found("", 3), ["do_vfs_read", "vfs_read", "xvfs_readv"]);
});
