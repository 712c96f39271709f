// SPDX-License-Identifier: Apache-2.0
// Maps, test runs and replacement of programs: the part of bpfman.host.v1 that looks inside what is loaded.
import type {
    Host,
    MapChangeJson,
    MapDetailJson,
    MapEntryJson,
    MapSelector as MapSelectorMessage,
    MapValue as MapValueMessage,
} from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Manager } from "../manager/manager.ts";
import { BpfmanError } from "../model/error.ts";
import type { MapChangeView, MapDetail, MapEntryView, MapInput, MapSelector, MapUpdateMode } from "../model/maps.ts";
import { givenBytecode } from "./bytecode.ts";
import * as convert from "./convert.ts";
import { invalid } from "./errors.ts";
import type { Handlers, Sink } from "./service.ts";
import { mapTypeWords } from "./type-words.ts";
import * as validate from "./validate.ts";
import { maxPendingBytes } from "./watch.ts";

const defaultIntervalMs = 1000;
const shortestIntervalMs = 100;
const longestIntervalMs = 3_600_000;

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

export function mapHandlers(manager: Manager): Pick<Handlers<typeof Host>, MapMethods> {
    return {
        listMaps: async ({ programId, types, managedOnly }) => {
            const wanted = mapTypeWords(types);
            const maps = (await manager.listMaps()).filter(
                one =>
                    (programId === 0 || one.usedBy.some(id => id === programId)) &&
                    (wanted.length === 0 || wanted.includes(one.kernel.typeName)) &&
                    (!managedOnly || one.managed),
            );
            return { maps: maps.map(mapDetail) };
        },

        getMap: async request => mapDetail(await manager.getMap(mapSelector(request.map))),

        dumpMap: async ({ map, pageSize, pageToken }) => {
            const token = validate.checkText(pageToken, "the page token", 4096);
            const page = await manager.dumpMap(mapSelector(map), { size: pageSize, token });
            return { entries: page.entries.map(mapEntry), nextPageToken: page.nextPageToken };
        },

        lookupMap: async ({ map, key }) => mapEntry(await manager.lookupMap(mapSelector(map), mapInput(key))),

        updateMap: async ({ map, key, value, mode, force }, caller) => {
            const entry = { key: mapInput(key), value: mapInput(value), mode: updateMode(mode) };
            return mapEntry(await manager.updateMap(mapSelector(map), entry, force, caller));
        },

        deleteMapEntry: async ({ map, key, force }, caller) =>
            mapEntry(await manager.deleteMapEntry(mapSelector(map), mapInput(key), force, caller)),

        watchMap: ({ map, intervalMs }, _caller, sink) =>
            watchMap(manager, mapSelector(map), interval(intervalMs), sink),

        testRun: async ({ programId, packet, repeat, force }) => {
            const id = validate.checkProgramId(programId);
            if (packet.length === 0) throw invalid("the packet is missing");
            if (packet.length > validate.limits.testPacketBytes)
                throw invalid(`the packet is longer than ${validate.limits.testPacketBytes} bytes`);
            if (repeat > validate.limits.testRuns) throw invalid(`more than ${validate.limits.testRuns} runs`);
            const run = await manager.testRun(id, { packet, repeat, force });
            return { ...run, packet: base64(run.packet), nsPerRun: String(run.nsPerRun) };
        },

        replaceProgram: async (request, caller) => {
            const { bytecode, programName } = request;
            const id = validate.checkProgramId(request.programId);
            const asked = {
                programName: programName === "" ? "" : validate.checkName(programName, "the program's name"),
                globalData: validate.checkGlobals(request.globalData),
                globalValues: validate.checkGlobalValues(request.globalValues),
            };
            const object = await givenBytecode(bytecode, request.sourcePath, manager, caller);
            return convert.program(await manager.replaceProgram(id, { ...asked, ...object }, caller));
        },
    };
}

function mapSelector(map: MapSelectorMessage | undefined): MapSelector {
    const { id = 0, name = "", programId = 0 } = map ?? {};
    if (id === 0 && name === "") throw invalid("the map is missing: give its id or its name");
    if (id !== 0 && name !== "") throw invalid("a map is given by its id or by its name, not by both");
    return {
        id: id === 0 ? undefined : validate.checkMapId(id),
        name: name === "" ? "" : validate.checkName(name, "the map's name"),
        programId: programId === 0 ? undefined : validate.checkProgramId(programId),
    };
}

/** A missing key or value is an empty one: maps without keys take it, others say what they need. */
function mapInput(input: MapValueMessage | undefined): MapInput {
    switch (input?.value.case) {
        case "text":
            return validate.checkText(input.value.value, "the text", validate.limits.mapValueBytes);
        case "bytes":
            if (input.value.value.length > validate.limits.mapValueBytes)
                throw invalid(`a key or value is longer than ${validate.limits.mapValueBytes} bytes`);
            return input.value.value;
        default:
            return "";
    }
}

function updateMode(word: string): MapUpdateMode {
    if (word === "" || word === "any") return "any";
    if (word === "noexist" || word === "exist") return word;
    throw invalid(`unknown update mode ${word}: any, noexist or exist`);
}

function interval(ms: number): number {
    if (ms === 0) return defaultIntervalMs;
    if (ms < shortestIntervalMs || ms > longestIntervalMs)
        throw invalid(`a map is looked at every ${shortestIntervalMs} to ${longestIntervalMs} ms, not every ${ms}`);
    return ms;
}

function watchMap(manager: Manager, selector: MapSelector, intervalMs: number, sink: Sink<MapChangeJson>): () => void {
    let stop: (() => void) | undefined;
    stop = manager.watchMap(selector, intervalMs, {
        change: change => {
            if (sink.pendingBytes <= maxPendingBytes) {
                sink.send(mapChange(change));
                return;
            }
            stop?.();
            sink.cut(new BpfmanError("RESOURCE_EXHAUSTED", "the watcher does not read the changes"));
        },
        end: error => {
            if (error === undefined) sink.end();
            else sink.cut(error);
        },
    });
    return stop;
}

const base64 = (bytes: Uint8Array): string =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");

function mapDetail(detail: MapDetail): MapDetailJson {
    return {
        map: convert.map({ kernel: detail.kernel, pinPath: detail.pinPaths[0] ?? "" }),
        name: detail.name,
        programIds: [...detail.programIds],
        usedBy: [...detail.usedBy],
        pinPaths: [...detail.pinPaths],
        managed: detail.managed,
        partOf: detail.partOf,
        keyType: detail.keyType,
        valueType: detail.valueType,
        perCpu: detail.perCpu,
        unreadable: detail.unreadable,
        unwritable: detail.unwritable,
        shared: detail.shared,
    };
}

function mapEntry(entry: MapEntryView): MapEntryJson {
    return {
        key: base64(entry.key),
        ...(entry.keyJson !== undefined && { keyJson: entry.keyJson }),
        value: base64(entry.value),
        ...(entry.valueJson !== undefined && { valueJson: entry.valueJson }),
        cpus: entry.cpus.map(({ cpu, value, valueJson }) => ({
            cpu,
            value: base64(value),
            ...(valueJson !== undefined && { valueJson }),
        })),
        ...(entry.sum !== undefined && { sum: entry.sum }),
    };
}

function mapChange({ kind, entry, entryCount, time }: MapChangeView): MapChangeJson {
    return { kind, ...(entry && { entry: mapEntry(entry) }), entryCount, time };
}
