// SPDX-License-Identifier: Apache-2.0
// What the daemon does, as the rooms above see it. manager/ implements it: one file per verb.
import type { ApplyRequest, ApplyResult } from "../model/apply.ts";
import type { Caller } from "../model/caller.ts";
import type { BpfmanError } from "../model/error.ts";
import type { ChangeEvent, EventPage, EventQuery } from "../model/events.ts";
import type { LinkId, ProgramId } from "../model/ids.ts";
import type {
    ImageFacts,
    ImageOrigin,
    ImageRequest,
    PulledImage,
    PullProgress,
    SignatureDemand,
} from "../model/images.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Feature } from "../model/kernel.ts";
import type {
    MapChangeView,
    MapDetail,
    MapEntryView,
    MapInput,
    MapPage,
    MapSelector,
    MapUpdateMode,
} from "../model/maps.ts";
import type { ObjectFacts } from "../model/object-facts.ts";
import type { ProgramCode, VerifierLog } from "../model/program-code.ts";
import type { AttachItem, BatchResult, GlobalText, LoadRequest } from "../model/requests.ts";
import type { StatisticsRequest, StatisticsView } from "../model/statistics.ts";
import type { TestRun } from "../model/test-run.ts";
import type { ChainView, InterfaceView, LinkView, ProgramView } from "../model/views.ts";
import type { EventFacts } from "./events.ts";
import type { TargetList, TargetRequest } from "./links/target-names.ts";

/** An object that takes a program's place; globals that are not given keep their values. */
export interface ReplaceRequest {
    readonly object: Uint8Array;
    readonly sourcePath: string;
    /** where the object came from an image */
    readonly image?: ImageOrigin | undefined;
    /** empty: the function of the same name */
    readonly programName: string;
    readonly globalData: ReadonlyMap<string, Uint8Array>;
    readonly globalValues: ReadonlyMap<string, GlobalText>;
}

/** What is to change of a link. What several name with a priority stands, at equal priority, in their order. */
export interface LinkChange {
    readonly id: LinkId;
    readonly priority?: number | undefined;
    readonly proceedOn?: readonly number[] | undefined;
}

export interface ImageGetOptions {
    readonly onProgress?: (progress: PullProgress) => void;
    readonly signal?: AbortSignal;
    /** who must have signed; the image is not kept */
    readonly demand?: SignatureDemand;
}

export interface RemovedImages {
    readonly removed: readonly string[];
    readonly freedBytes: number;
}

export interface StatisticsWatcher {
    /** false: not taken; what it holds is in the next one too */
    record(view: StatisticsView): boolean;
    /** the watch is over */
    fail(error: BpfmanError): void;
}
export type { TargetList, TargetRequest };

export interface Manager {
    inspect(object: Uint8Array): ObjectFacts;
    /** Reads a path for a caller that is root: opened once, regular file, no link, size cap. */
    readObject(path: string, caller: Caller): Uint8Array;
    /** The loaded programs and, in the order asked for, their links. All or nothing. */
    load(
        request: LoadRequest,
        caller: Caller,
    ): Promise<{ programs: ProgramView[]; links: LinkView[]; warnings: readonly string[] }>;
    unload(
        ids: readonly ProgramId[],
        options: { ignoreMissing: boolean },
        caller: Caller,
    ): Promise<BatchResult<ProgramId>>;
    attach(items: readonly AttachItem[], caller: Caller): Promise<LinkView[]>;
    detach(ids: readonly LinkId[], options: { ignoreMissing: boolean }, caller: Caller): Promise<BatchResult<LinkId>>;
    /** In the order of the request; all or none, one rebuild for each chain. */
    updateLinks(changes: readonly LinkChange[], caller: Caller): Promise<LinkView[]>;
    /** Makes a set match what is described, or changes nothing. */
    apply(request: ApplyRequest, caller: Caller): Promise<ApplyResult>;
    /** Sorted by id. With all: also what others loaded. */
    listPrograms(options: { all: boolean }): Promise<ProgramView[]>;
    /** NOT_FOUND where the kernel has no such program. */
    getProgram(id: ProgramId): Promise<ProgramView>;
    /** Sorted by id. */
    listLinks(): Promise<LinkView[]>;
    getLink(id: LinkId): Promise<LinkView>;
    /** XDP and TC chains of ours, sorted by interface. */
    listChains(): Promise<ChainView[]>;
    listInterfaces(): Promise<InterfaceView[]>;
    features(): Promise<{ kernel: string; libbpf: string; features: Feature[] }>;
    /** The object of an image, from the cache or its registry. */
    getImage(request: ImageRequest, caller: Caller, options?: ImageGetOptions): Promise<PulledImage>;
    /** Sorted by reference. */
    listImages(): ImageFacts[];
    /** By reference or digest; NOT_FOUND where the cache has none. */
    inspectImage(name: string): Promise<ImageFacts>;
    removeImages(names: readonly string[], options: { ignoreMissing: boolean }, caller: Caller): Promise<RemovedImages>;
    /** With all: also what loaded programs came from. */
    pruneImages(options: { all: boolean }, caller: Caller): RemovedImages;
    /** A program's translated instructions; NOT_FOUND where the kernel has no such program. */
    programCode(id: ProgramId, withJited: boolean): Promise<ProgramCode>;
    /** What the verifier said when a program of ours was loaded. */
    verifierLog(id: ProgramId): Promise<VerifierLog>;
    /** All of the kernel's BPF, whoever made it. */
    inventory(): Promise<Inventory>;
    /** A request for a change failed: told as an event. names are those beside the programs' and links'. */
    refused(subject: Pick<EventFacts, "programs" | "links" | "maps" | "names">, message: string, caller: Caller): void;
    /** The latest changes. */
    listEvents(query: EventQuery): EventPage;
    /** Names that a hook's target may have, for completion. */
    listTargets(request: TargetRequest, caller: Caller): Promise<TargetList>;
    /** Calls back for each change until the returned function is called. */
    subscribe(listener: (event: ChangeEvent) => void): () => void;
    /** Every map in the kernel, sorted by id. */
    listMaps(): Promise<MapDetail[]>;
    getMap(selector: MapSelector): Promise<MapDetail>;
    dumpMap(selector: MapSelector, page: { size: number; token: string }): Promise<MapPage>;
    lookupMap(selector: MapSelector, key: MapInput): Promise<MapEntryView>;
    /** force: also a map that no program of ours has. The entry as it then is. */
    updateMap(
        selector: MapSelector,
        entry: { key: MapInput; value: MapInput; mode: MapUpdateMode },
        force: boolean,
        caller: Caller,
    ): Promise<MapEntryView>;
    /** The entry as it was. */
    deleteMapEntry(selector: MapSelector, key: MapInput, force: boolean, caller: Caller): Promise<MapEntryView>;
    /** Calls back for each change until the returned function is called; end comes at most once, and nothing after it. */
    watchMap(
        selector: MapSelector,
        intervalMs: number,
        watcher: { change(change: MapChangeView): void; end(error: BpfmanError | undefined): void },
    ): () => void;
    /** Puts new bytecode in a program's place, links and matching maps kept; what then runs. */
    replaceProgram(id: ProgramId, request: ReplaceRequest, caller: Caller): Promise<ProgramView>;
    /** Has runs counted until the returned function is called; the first record comes at once and holds totals alone. */
    watchStatistics(request: StatisticsRequest, watcher: StatisticsWatcher): () => void;
    /** Runs a program of ours on a packet; force: also one of others. */
    testRun(id: ProgramId, request: { packet: Uint8Array; repeat: number; force: boolean }): Promise<TestRun>;
}
