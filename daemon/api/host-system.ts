// SPDX-License-Identifier: Apache-2.0
// The part of bpfman.host.v1 that tells of the whole system: inventory, statistics, code, targets, events, settings.
import type { Host } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { BpfmanError } from "../model.ts";
import type { Handlers } from "./service.ts";

type SystemHandlers = Pick<Handlers<typeof Host>, "getSettings">;

function unserved(name: string): BpfmanError {
    return new BpfmanError("UNIMPLEMENTED", `${name} is not served`);
}

export function systemHandlers(): SystemHandlers {
    const refuse = (name: string) => async (): Promise<never> => {
        throw unserved(name);
    };
    return {
        getSettings: refuse("GetSettings"),
    };
}
