// SPDX-License-Identifier: Apache-2.0
// Where an object comes from: the bytes themselves, a path, an image.
import type { LoadRequest as LoadRequestMessage } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Manager } from "../manager/manager.ts";
import type { Caller } from "../model/caller.ts";
import { BpfmanError } from "../model/error.ts";
import type { ImageFacts, ImageOrigin } from "../model/images.ts";
import { invalid } from "./errors.ts";
import { imageBytecode, imageRequest } from "./host-images.ts";
import * as validate from "./validate.ts";

interface Bytecode {
    readonly object: Uint8Array;
    /** for people */
    readonly sourcePath: string;
    readonly image?: ImageOrigin;
}

interface Known extends Omit<Bytecode, "image"> {
    readonly image?: { readonly origin: ImageOrigin; readonly facts: ImageFacts };
}

type Source = LoadRequestMessage["bytecode"];

/** As a request of bpfman.host.v1 names it. */
export async function givenBytecode(source: Source, path: string, manager: Manager, caller: Caller): Promise<Bytecode> {
    const { object, sourcePath, image } = await sourceOf(source, path, manager, caller);
    return { object, sourcePath, ...(image && { image: image.origin }) };
}

/** The same, with what is known of an image. */
export async function sourceOf(source: Source, path: string, manager: Manager, caller: Caller): Promise<Known> {
    switch (source.case) {
        case "object": {
            const sourcePath = validate.checkText(path, "the source's path", validate.limits.pathBytes);
            return { object: validate.checkObject(source.value), sourcePath };
        }
        case "file":
            return fileBytecode(source.value, manager, caller);
        case "image": {
            const { object, ...image } = await imageBytecode(imageRequest(source.value, caller), manager, caller);
            return { object, sourcePath: "", image };
        }
        default:
            throw invalid("neither an object nor a file nor an image is given");
    }
}

/** The daemon opens a path for root alone: it is nobody's deputy. */
export function fileBytecode(file: string, manager: Manager, caller: Caller) {
    const path = validate.checkPath(file, "the object's path");
    if (caller.uid !== 0)
        throw new BpfmanError("PERMISSION_DENIED", "only root may let the daemon open a file", {
            hint: "Send the object's bytes, as the bpfman command does.",
        });
    return { object: validate.checkObject(manager.readObject(path, caller)), sourcePath: path };
}
