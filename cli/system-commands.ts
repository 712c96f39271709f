// SPDX-License-Identifier: Apache-2.0
// The commands that tell of the whole system.
import type { Option } from "./args.ts";
import type { BpfmanCommand } from "./commands.ts";

export const systemCommands = (output: Option): readonly BpfmanCommand[] => [
    {
        name: "overview",
        summary: "Shows all BPF in the kernel, whoever loaded it, by owner",
        options: [output],
        examples: ["bpfman overview", "bpfman overview -o json"],
        run: () => import("./verbs/overview.ts").then(verbs => verbs.overview),
    },
];
