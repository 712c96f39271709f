// SPDX-License-Identifier: Apache-2.0
// Maps, test runs and replacement of programs: the part of bpfman.host.v1 that looks inside what is loaded.
import type { Host } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Manager } from "../manager/manager.ts";
import { BpfmanError } from "../model.ts";
import type { Handlers } from "./service.ts";

const coming = async () => {
    throw new BpfmanError("UNIMPLEMENTED", "not served yet");
};

type MapMethods =
    | "listMaps"
    | "getMap"
    | "dumpMap"
    | "lookupMap"
    | "updateMap"
    | "deleteMapEntry"
    | "watchMap"
    | "testRun"
    | "replaceProgram";

export function mapHandlers(_manager: Manager): Pick<Handlers<typeof Host>, MapMethods> {
    return {
        listMaps: coming,
        getMap: coming,
        dumpMap: coming,
        lookupMap: coming,
        updateMap: coming,
        deleteMapEntry: coming,
        watchMap: () => {
            throw new BpfmanError("UNIMPLEMENTED", "not served yet");
        },
        testRun: coming,
        replaceProgram: coming,
    };
}
