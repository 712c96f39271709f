// SPDX-License-Identifier: Apache-2.0
// What a test needs of the kernel, by the name that `bpfman features` has for it: a skip says which feature, and what the
// probe answered. The runs in virtual machines hold the name against the Linux version that the feature came with.
import { kernelProbes, runProbes } from "../../daemon/kernel/features/features.ts";
import { pmuType } from "../../daemon/kernel/hooks/perf-event.ts";
import { activeLsms } from "../../daemon/kernel/hooks/tracing-files.ts";

const answers = new Map<string, string | false>();

function ask(name: string): string | false {
    if (name === "event/kprobe" || name === "event/uprobe") {
        const source = name.slice("event/".length);
        return pmuType(source as "kprobe" | "uprobe") === undefined
            ? `this kernel has no event source ${source}`
            : false;
    }
    if (name === "lsm/bpf") {
        const lsms = activeLsms();
        return lsms === undefined || lsms.includes("bpf") ? false : `bpf is no active LSM: ${lsms.join(", ")}`;
    }
    const probe = kernelProbes.find(one => one.name === name);
    if (probe === undefined) throw new Error(`there is no probe for ${name}`);
    const [found] = runProbes([probe]);
    if (found === undefined || found.supported) return false;
    return [found.errno, found.note].filter(word => word !== "").join(". ");
}

/** For { skip }: the reason where this kernel lacks any of the features, else false. */
export function lacks(...features: string[]): string | false {
    for (const name of features) {
        const answer = answers.get(name) ?? ask(name);
        answers.set(name, answer);
        if (answer !== false) return `${name}: ${answer}`;
    }
    return false;
}
