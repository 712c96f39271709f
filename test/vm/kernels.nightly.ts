// SPDX-License-Identifier: Apache-2.0
// Everything that runs in a guest, on every kernel and against both versions of libxdp; `make check` shares it out.
import { env } from "node:process";

env["VM_ALL"] = "1";
await import("./vm.test.ts");
