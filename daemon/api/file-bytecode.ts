// SPDX-License-Identifier: Apache-2.0
// An object by its path.
import type { Manager } from "../manager/manager.ts";
import { BpfmanError, type Caller } from "../model.ts";
import * as validate from "./validate.ts";

/** The daemon opens a path for root alone: it is nobody's deputy. */
export function fileBytecode(file: string, manager: Manager, caller: Caller) {
    const path = validate.checkPath(file, "the object's path");
    if (caller.uid !== 0)
        throw new BpfmanError("PERMISSION_DENIED", "only root may let the daemon open a file", {
            hint: "Send the object's bytes, as the bpfman command does.",
        });
    return { object: validate.checkObject(manager.readObject(path, caller)), sourcePath: path };
}
