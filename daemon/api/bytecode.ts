// SPDX-License-Identifier: Apache-2.0
// Where an object comes from: the bytes themselves, a path, an image.
import type { LoadRequest as LoadRequestMessage } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Manager } from "../manager/manager.ts";
import { BpfmanError, type Caller, type ImageOrigin } from "../model.ts";
import { invalid } from "./errors.ts";
import { imageBytecode, imageRequest } from "./host-images.ts";
import * as validate from "./validate.ts";

interface Bytecode {
    readonly object: Uint8Array;
    /** for people */
    readonly sourcePath: string;
    readonly image?: ImageOrigin;
}

/** As a request of bpfman.host.v1 names it. */
export async function givenBytecode(
    bytecode: LoadRequestMessage["bytecode"],
    sourcePath: string,
    manager: Manager,
    caller: Caller,
): Promise<Bytecode> {
    switch (bytecode.case) {
        case "object":
            return {
                object: validate.checkObject(bytecode.value),
                sourcePath: validate.checkText(sourcePath, "the source's path", validate.limits.pathBytes),
            };
        case "file":
            return fileBytecode(bytecode.value, manager, caller);
        case "image":
            return await imageBytecode(imageRequest(bytecode.value), manager);
        default:
            throw invalid("neither an object nor a file nor an image is given");
    }
}

/** The daemon opens a path for root alone: it is nobody's deputy. */
export function fileBytecode(file: string, manager: Manager, caller: Caller): Bytecode {
    const path = validate.checkPath(file, "the object's path");
    if (caller.uid !== 0)
        throw new BpfmanError("PERMISSION_DENIED", "only root may let the daemon open a file", {
            hint: "Send the object's bytes, as the bpfman command does.",
        });
    return { object: validate.checkObject(manager.readObject(path, caller)), sourcePath: path };
}
