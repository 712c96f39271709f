// SPDX-License-Identifier: Apache-2.0
// Images from objects, for `bpfman image build`: no daemon and no root is needed, the objects are read without the kernel.
import { imageLayout, type Layout, type LayoutInput, layoutIndex } from "./image/layout.ts";
import { hostPlatform } from "./image/manifest.ts";
import { parseReference } from "./image/reference.ts";
import { checkObject } from "./kernel/elf/elf.ts";
import { typedObjectFacts } from "./kernel/elf/object-types.ts";
import { BpfmanError } from "./model/error.ts";

export { hostPlatform, layoutIndex, parseReference };

/** The labels of the bytecode image specification, made by reading the objects. */
export function labelsOf(inputs: readonly LayoutInput[]): Record<string, string> {
    const programs = new Map<string, string>();
    const maps = new Map<string, string>();
    // those of the other byte order hold the same, and can't be read here
    const readable = inputs.filter(({ object }) => object[5] === 1);
    for (const { object, platform } of readable) {
        const facts = typedObjectFacts(checkObject(object), object);
        for (const { name, type } of facts.programs) if (type !== undefined) put(programs, name, type, platform);
        for (const { name, typeName } of facts.mapDefinitions) put(maps, name, mapWord(typeName), platform);
    }
    if (readable.length > 0 && programs.size === 0)
        throw new BpfmanError("INVALID_ARGUMENT", "the objects hold no program that bpfman knows a type for");
    return { "io.ebpf.maps": sorted(maps), "io.ebpf.programs": sorted(programs) };
}

function put(into: Map<string, string>, name: string, type: string, platform: string): void {
    const before = into.get(name);
    if (before !== undefined && before !== type)
        throw new BpfmanError("INVALID_ARGUMENT", `${name} is ${type} for ${platform} and ${before} for another`);
    into.set(name, type);
}

/** As the labels of published images write it. */
const mapWord = (typeName: string) => typeName.replace(/^(lru_)?percpu_/, "$1per_cpu_");

const sorted = (map: ReadonlyMap<string, string>) =>
    JSON.stringify(Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1))));

export function buildLayout(inputs: readonly LayoutInput[], seconds: number): Layout {
    return imageLayout(inputs, labelsOf(inputs), seconds);
}
