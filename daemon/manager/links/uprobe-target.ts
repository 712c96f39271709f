// SPDX-License-Identifier: Apache-2.0
// Where a uprobe goes: which file, in whose file system, at which byte.
import path from "node:path";
import type { Fd } from "../../kernel/fd.ts";
import { Executable } from "../../kernel/hooks/executable.ts";
import { libraryPaths } from "../../kernel/hooks/library.ts";
import { ProcessRoot } from "../../kernel/hooks/process-root.ts";
import { suggest } from "../../kernel/near-names.ts";
import { BpfmanError } from "../../model/error.ts";
import type { ProbeHook, ProbeHookRequest } from "../../model/hooks.ts";
import { didYouMean } from "./probe-error.ts";

type Request = Extract<ProbeHookRequest, { kind: "uprobe" }>;
type UprobeHook = Extract<ProbeHook, { kind: "uprobe" | "uretprobe" }>;

export interface UprobeTarget {
    readonly hook: UprobeHook;
    /** the open file; the caller closes it */
    readonly file: Fd;
    /** the path by which the kernel finds the same file */
    readonly kernelPath: string;
}

interface Found {
    readonly file: Fd;
    readonly path: string;
    readonly executable: Executable;
}

/**
 * A path is the daemon's, or the container's; a library's name that of the process too. namesAreTold: whether an error
 * may name what is near in the file or in its folder, which the caller may not be allowed to read.
 */
export function findUprobeTarget(kind: UprobeHook["kind"], request: Request, namesAreTold: boolean): UprobeTarget {
    const { target, function: name, offset, pid, containerPid } = request;
    const isPath = target.startsWith("/");
    const owner = containerPid ?? (isPath ? undefined : pid);
    using root = ProcessRoot.open(owner);
    const found = isPath ? openPath(root, target, namesAreTold) : openLibrary(root, target, pid ?? containerPid);
    try {
        const fileOffset = placeIn(found, name, offset, namesAreTold);
        const hook = { kind, target, path: found.path, function: name, offset, fileOffset, pid, containerPid };
        // what is in another root is named by our descriptor; what is in ours by a name that tools show
        const kernelPath = owner === undefined ? found.path : `/proc/self/fd/${found.file.number}`;
        return { hook, file: found.file, kernelPath };
    } catch (error) {
        found.file[Symbol.dispose]();
        throw error;
    }
}

function openPath(root: ProcessRoot, target: string, namesAreTold: boolean): Found {
    const file = root.openFile(target);
    if (file === undefined) {
        const near = namesAreTold ? suggest(path.basename(target), root.entries(path.dirname(target))) : [];
        throw new BpfmanError("NOT_FOUND", `file ${JSON.stringify(target)} not found${root.whose}${didYouMean(near)}`, {
            errno: "ENOENT",
        });
    }
    try {
        return { file, path: target, executable: new Executable(file.number, `${target}${root.whose}`) };
    } catch (error) {
        file[Symbol.dispose]();
        throw error;
    }
}

/** A cache lists libraries for several kinds of processor under one name: the first that fits. */
function openLibrary(root: ProcessRoot, target: string, pid: number | undefined): Found {
    let refused: unknown;
    for (const candidate of libraryPaths(root, target, pid)) {
        const file = root.openFile(candidate);
        if (file === undefined) continue;
        try {
            return { file, path: candidate, executable: new Executable(file.number, `${candidate}${root.whose}`) };
        } catch (error) {
            refused ??= error;
            file[Symbol.dispose]();
        }
    }
    throw refused ?? new BpfmanError("NOT_FOUND", `library ${JSON.stringify(target)} not found${root.whose}`);
}

function placeIn({ executable, path: name }: Found, wanted: string, offset: number, namesAreTold: boolean): number {
    if (wanted === "") {
        if (!executable.isCode(offset))
            throw new BpfmanError("INVALID_ARGUMENT", `byte ${offset} of ${name} is no code`, {
                hint: "Without a function, the offset counts from the beginning of the file.",
            });
        return offset;
    }
    const found = executable.find(wanted, namesAreTold);
    if (found.sizeBytes > 0 && offset >= found.sizeBytes)
        throw new BpfmanError(
            "INVALID_ARGUMENT",
            `offset ${offset} is past the end of function ${wanted} (${found.sizeBytes} bytes) of ${name}`,
        );
    return found.offset + offset;
}
