// SPDX-License-Identifier: Apache-2.0
// The commands that tell of the whole system.
import type { Option } from "../args.ts";
import type { BpfmanCommand } from "./commands.ts";

export const systemCommands = (output: Option): readonly BpfmanCommand[] => [
    {
        name: "overview",
        summary: "Shows all BPF in the kernel, whoever loaded it, by owner",
        options: [output],
        examples: ["bpfman overview", "bpfman overview -o json"],
        run: () => import("../verbs/overview.ts").then(verbs => verbs.overview),
    },
    {
        name: "events",
        summary: "Shows the latest changes, oldest first, and who made them",
        options: [
            { name: "follow", short: "f", help: "goes on with those to come" },
            { name: "limit", value: "N", help: "so many of the latest (default 50)" },
            output,
        ],
        examples: ["bpfman events", "bpfman events --follow -o json"],
        run: () => import("../verbs/events.ts").then(verbs => verbs.events),
    },
    {
        name: "settings",
        summary: "Shows the configuration in force, the policy of images, and who may use the socket",
        options: [output],
        examples: ["bpfman settings", "bpfman settings -o json"],
        run: () => import("../verbs/settings.ts").then(verbs => verbs.settings),
    },
];
