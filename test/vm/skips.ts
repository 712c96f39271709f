// SPDX-License-Identifier: Apache-2.0
// Whether a guest was right to skip a test. A skip names the feature that the kernel lacks, as test/lab/needs.ts has it.
import { kernelProbes } from "../../daemon/kernel/features/features.ts";

/** First Linux of what is not asked for by bpf(2). */
const others: Readonly<Record<string, string>> = {
    "event/kprobe": "4.17",
    "event/uprobe": "4.17",
    "lsm/bpf": "5.7",
    "clsact/tc": "4.5",
};

function numbers(release: string): [number, number] {
    const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
    return [major, minor];
}

/** Whether a kernel of this release is as new as the version. */
export function atLeast(release: string, since: string): boolean {
    const [major, minor] = numbers(release);
    const [sinceMajor, sinceMinor] = numbers(since);
    return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
}

/** What is wrong with a skip on a distribution's kernel; undefined: nothing is. */
export function skipProblem(reason: string, release: string): string | undefined {
    // the guest is no place for it, whatever its kernel
    if (reason.startsWith("emulated: ")) return undefined;
    const name = /^([a-z]+\/[\w./]+): ./.exec(reason)?.[1] ?? "";
    const since = kernelProbes.find(probe => probe.name === name)?.since ?? others[name];
    if (since === undefined) return `${JSON.stringify(reason)} names no feature`;
    if (atLeast(release, since)) return `${reason}; but Linux has it since ${since}, and this is ${release}`;
    return undefined;
}
