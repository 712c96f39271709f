// SPDX-License-Identifier: Apache-2.0
// Names of types of the kernel's and its modules' BTF by their ids, which is how links tell their functions.
import fs from "node:fs";
import { btfObject } from "./btf-objects.ts";
import { KernelBtf, kernelBtfPath } from "./vmlinux-btf.ts";

const btfFolder = kernelBtfPath.replace(/[^/]*$/, "");

export interface TypeReference {
    /** of a BTF object of the kernel; 0: vmlinux */
    readonly objectId: number;
    readonly typeId: number;
}

const keyOf = ({ objectId, typeId }: TypeReference): string => `${objectId} ${typeId}`;

export class KernelTypeNames {
    // neither an object's id nor what a type's id stands for changes while the machine runs
    readonly #names = new Map<string, string>();

    /** Empty where it is not known. */
    name(reference: TypeReference): string {
        return this.#names.get(keyOf(reference)) ?? "";
    }

    /** Reads the names that are not known yet: the kernel's BTF is walked once for all of them. */
    learn(references: readonly TypeReference[]): void {
        const wanted = new Map<number, Set<number>>();
        for (const reference of references) {
            if (this.#names.has(keyOf(reference))) continue;
            const ids = wanted.get(reference.objectId) ?? new Set();
            wanted.set(reference.objectId, ids.add(reference.typeId));
        }
        if (wanted.size === 0) return;
        const vmlinux = KernelBtf.read();
        if (vmlinux === undefined) return;
        for (const [objectId, ids] of wanted) {
            const module = objectId === 0 ? "vmlinux" : (btfObject(objectId)?.name ?? "");
            const names = namesIn(module, vmlinux, ids);
            // one that is not found now never will be
            for (const typeId of ids) this.#names.set(keyOf({ objectId, typeId }), names.get(typeId) ?? "");
        }
    }
}

function namesIn(module: string, vmlinux: KernelBtf, ids: ReadonlySet<number>): Map<number, string> {
    if (module === "vmlinux") return vmlinux.namesById(ids);
    try {
        // the ids of a module go on where the kernel's end
        const own = new KernelBtf(fs.readFileSync(`${btfFolder}${module}`), vmlinux);
        return new Map([...vmlinux.namesById(ids), ...own.namesById(ids)]);
    } catch {
        return new Map();
    }
}
