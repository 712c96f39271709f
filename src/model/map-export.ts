// SPDX-License-Identifier: Apache-2.0
// A whole map as JSON: page after page, each turned into text at once, so that a million entries never lie in memory
// as objects.
import type { DumpMapResponseJson, MapEntryJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type Entry, entryOf, type MapInfo } from "./map-model.ts";
import { hexOf } from "./map-text.ts";

export interface ExportProgress {
    readonly entries: number;
    readonly characters: number;
}

export interface ExportOptions {
    readonly page: (token: string) => Promise<DumpMapResponseJson>;
    readonly onProgress: (progress: ExportProgress) => void;
    readonly signal: AbortSignal;
}

/** Pieces of text that together are the document; throws the signal's reason. */
export async function* mapAsJson(map: MapInfo, { page, onProgress, signal }: ExportOptions): AsyncGenerator<string> {
    const { id, name, type, keyType, valueType, perCpu, maxEntries } = map;
    const head = JSON.stringify({ id, name, type, keyType, valueType, perCpu, maxEntries });
    yield `${head.slice(0, -1)},"entries":[`;
    let entries = 0;
    let characters = head.length;
    let token = "";
    do {
        const answer = await page(token);
        signal.throwIfAborted();
        const lines = (answer.entries ?? []).map(line);
        const text = lines.length === 0 ? "" : `${entries === 0 ? "" : ","}\n${lines.join(",\n")}`;
        entries += lines.length;
        characters += text.length;
        onProgress({ entries, characters });
        yield text;
        token = answer.nextPageToken ?? "";
    } while (token !== "");
    yield "\n]}\n";
}

function line(json: MapEntryJson): string {
    return JSON.stringify(exported(entryOf(json)));
}

/** Bytes always, for who reads it by program; what they mean where it is known. */
function exported({ key, value, cpus, sum }: Entry): object {
    return {
        key: { hex: hex(key.bytes), value: key.json },
        ...(cpus.length === 0
            ? { value: { hex: hex(value.bytes), value: value.json } }
            : { cpus: cpus.map(one => ({ cpu: one.cpu, hex: hex(one.value.bytes), value: one.value.json })), sum }),
    };
}

function hex(base64: string): string {
    return hexOf(base64, Number.POSITIVE_INFINITY).replaceAll(" ", "");
}

/** "counts-12.json", of characters that every file system takes. */
export function exportFileName({ id, name }: MapInfo): string {
    const safe = name.replace(/[^A-Za-z0-9_-]/g, "_");
    return `${safe === "" ? "map" : safe}-${id}.json`;
}
