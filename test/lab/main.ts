// SPDX-License-Identifier: Apache-2.0
// What the tests run as bpfman: the source; with BPFMAN_TEST_BUNDLE=1, as `make check` sets it, what was built from it,
// which starts in a fraction of the time.
import path from "node:path";

const file = process.env["BPFMAN_TEST_BUNDLE"] === "1" ? "dist/bin/bpfman" : "cli/main.ts";

/** For Node. */
export const main = path.resolve(import.meta.dirname, "../..", file);
