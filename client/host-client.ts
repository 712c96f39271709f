// SPDX-License-Identifier: Apache-2.0
// bpfman.host.v1.Host as one method per call. Messages are proto3 JSON as it is: fields that hold their default
// (0, "", false, an empty list) are left out in both directions.
import type {
    ApplyRequestJson,
    ApplyResponseJson,
    AttachRequestJson,
    AttachResponseJson,
    BatchResponseJson,
    ChainJson,
    DeleteMapEntryRequestJson,
    DetachRequestJson,
    DumpMapRequestJson,
    DumpMapResponseJson,
    EventJson,
    FeaturesResponseJson,
    GetChainRequestJson,
    ImageJson,
    InspectRequestJson,
    InspectResponseJson,
    InventoryJson,
    LinkJson,
    ListChainsRequestJson,
    ListChainsResponseJson,
    ListEventsRequestJson,
    ListEventsResponseJson,
    ListImagesResponseJson,
    ListInterfacesResponseJson,
    ListLinksRequestJson,
    ListLinksResponseJson,
    ListMapsRequestJson,
    ListMapsResponseJson,
    ListProgramsRequestJson,
    ListProgramsResponseJson,
    ListTargetsRequestJson,
    ListTargetsResponseJson,
    LoadRequestJson,
    LoadResponseJson,
    LookupMapRequestJson,
    MapChangeJson,
    MapDetailJson,
    MapEntryJson,
    MapSelectorJson,
    ProgramCodeJson,
    ProgramJson,
    PruneImagesRequestJson,
    PullImageRequestJson,
    PullProgressJson,
    RemoveImageRequestJson,
    RemoveImagesResponseJson,
    ReplaceProgramRequestJson,
    SettingsJson,
    StatisticsJson,
    TestRunRequestJson,
    TestRunResponseJson,
    UnloadRequestJson,
    UpdateLinkRequestJson,
    UpdateLinksRequestJson,
    UpdateLinksResponseJson,
    UpdateMapRequestJson,
    VerifierLogJson,
    VerifyImageRequestJson,
    VersionResponseJson,
    WatchMapRequestJson,
    WatchStatisticsRequestJson,
} from "../proto/gen/bpfman/host/v1/host_pb.js";
import type { Dial } from "./byte-stream.ts";
import { serverStream } from "./connect-stream.ts";
import { httpError, TransportError } from "./errors.ts";
import { HttpClient } from "./http.ts";

export interface CallOptions {
    /** bytes of the request that the transport took, and all of them */
    readonly onProgress?: (sent: number, total: number) => void;
    readonly signal?: AbortSignal;
}

const service = "/bpfman.host.v1.Host/";

export class HostClient {
    readonly #dial: Dial;
    readonly #http: HttpClient;
    readonly #lockTimeoutMs: number;

    /** lockTimeoutMs: how long a change waits for others to end; 0: for ever */
    constructor(dial: Dial, lockTimeoutMs = 0) {
        this.#lockTimeoutMs = lockTimeoutMs;
        this.#dial = dial;
        this.#http = new HttpClient(dial);
    }

    inspect(request: InspectRequestJson, options?: CallOptions): Promise<InspectResponseJson> {
        return this.#read("Inspect", request, options);
    }

    load(request: LoadRequestJson, options?: CallOptions): Promise<LoadResponseJson> {
        return this.#change("Load", request, options);
    }

    unload(request: UnloadRequestJson, options?: CallOptions): Promise<BatchResponseJson> {
        return this.#change("Unload", request, options);
    }

    attach(request: AttachRequestJson, options?: CallOptions): Promise<AttachResponseJson> {
        return this.#change("Attach", request, options);
    }

    detach(request: DetachRequestJson, options?: CallOptions): Promise<BatchResponseJson> {
        return this.#change("Detach", request, options);
    }

    updateLink(request: UpdateLinkRequestJson, options?: CallOptions): Promise<LinkJson> {
        return this.#change("UpdateLink", request, options);
    }

    /** Several at once, all or none; those of equal priority stand in the order given. */
    updateLinks(request: UpdateLinksRequestJson, options?: CallOptions): Promise<UpdateLinksResponseJson> {
        return this.#change("UpdateLinks", request, options);
    }

    apply(request: ApplyRequestJson, options?: CallOptions): Promise<ApplyResponseJson> {
        return this.#change("Apply", request, options);
    }

    listPrograms(request: ListProgramsRequestJson = {}, options?: CallOptions): Promise<ListProgramsResponseJson> {
        return this.#read("ListPrograms", request, options);
    }

    getProgram(id: number, options?: CallOptions): Promise<ProgramJson> {
        return this.#read("GetProgram", { id }, options);
    }

    listLinks(request: ListLinksRequestJson = {}, options?: CallOptions): Promise<ListLinksResponseJson> {
        return this.#read("ListLinks", request, options);
    }

    getLink(id: number, options?: CallOptions): Promise<LinkJson> {
        return this.#read("GetLink", { id }, options);
    }

    listChains(request: ListChainsRequestJson = {}, options?: CallOptions): Promise<ListChainsResponseJson> {
        return this.#read("ListChains", request, options);
    }

    getChain(request: GetChainRequestJson, options?: CallOptions): Promise<ChainJson> {
        return this.#read("GetChain", request, options);
    }

    listInterfaces(options?: CallOptions): Promise<ListInterfacesResponseJson> {
        return this.#read("ListInterfaces", {}, options);
    }

    features(options?: CallOptions): Promise<FeaturesResponseJson> {
        return this.#read("Features", {}, options);
    }

    version(options?: CallOptions): Promise<VersionResponseJson> {
        return this.#read("Version", {}, options);
    }

    /** Looks for signatures anew, at the registry unless the policy says otherwise; takes as long as a pull does. */
    verifyImage(request: VerifyImageRequestJson, options?: CallOptions): Promise<ImageJson> {
        return this.#read("VerifyImage", request, options);
    }

    listImages(options?: CallOptions): Promise<ListImagesResponseJson> {
        return this.#read("ListImages", {}, options);
    }

    /** By reference or digest. */
    inspectImage(image: string, options?: CallOptions): Promise<ImageJson> {
        return this.#read("InspectImage", { image }, options);
    }

    removeImage(request: RemoveImageRequestJson, options?: CallOptions): Promise<RemoveImagesResponseJson> {
        return this.#change("RemoveImage", request, options);
    }

    pruneImages(request: PruneImagesRequestJson = {}, options?: CallOptions): Promise<RemoveImagesResponseJson> {
        return this.#change("PruneImages", request, options);
    }

    /** Progress, then the record DONE with the image. Leaving it, or the signal, ends the pull. */
    pullImage(request: PullImageRequestJson, signal?: AbortSignal): AsyncIterable<PullProgressJson> {
        return serverStream(this.#dial, `${service}PullImage`, request, signal) as AsyncIterable<PullProgressJson>;
    }

    /** Events from the call on, READY first. Ends only by an error, the signal's reason among them. */
    watch(signal?: AbortSignal): AsyncIterable<EventJson> {
        return serverStream(this.#dial, `${service}Watch`, {}, signal) as AsyncIterable<EventJson>;
    }

    /** The latest changes, newest first. */
    listEvents(request: ListEventsRequestJson = {}, options?: CallOptions): Promise<ListEventsResponseJson> {
        return this.#read("ListEvents", request, options);
    }

    /** The configuration in force, and what else decides: policy.json, the group. */
    getSettings(options?: CallOptions): Promise<SettingsJson> {
        return this.#read("GetSettings", {}, options);
    }

    /** All of the kernel's BPF, whoever made it. */
    getInventory(options?: CallOptions): Promise<InventoryJson> {
        return this.#read("GetInventory", {}, options);
    }

    /** Rates at intervals; the kernel counts until the stream is left. */
    watchStatistics(request: WatchStatisticsRequestJson, signal?: AbortSignal): AsyncIterable<StatisticsJson> {
        return serverStream(this.#dial, `${service}WatchStatistics`, request, signal) as AsyncIterable<StatisticsJson>;
    }

    /** jited: also the machine code. */
    getProgramCode(id: number, jited = false, options?: CallOptions): Promise<ProgramCodeJson> {
        return this.#read("GetProgramCode", { id, jited }, options);
    }

    /** Verifies the program's bytes once more; unavailable for one that others loaded. */
    getVerifierLog(programId: number, options?: CallOptions): Promise<VerifierLogJson> {
        return this.#read("GetVerifierLog", { programId }, options);
    }

    /** Names that a hook's target may have, those that fit best first. */
    listTargets(request: ListTargetsRequestJson, options?: CallOptions): Promise<ListTargetsResponseJson> {
        return this.#read("ListTargets", request, options);
    }

    listMaps(request: ListMapsRequestJson = {}, options?: CallOptions): Promise<ListMapsResponseJson> {
        return this.#read("ListMaps", request, options);
    }

    getMap(map: MapSelectorJson, options?: CallOptions): Promise<MapDetailJson> {
        return this.#read("GetMap", { map }, options);
    }

    dumpMap(request: DumpMapRequestJson, options?: CallOptions): Promise<DumpMapResponseJson> {
        return this.#read("DumpMap", request, options);
    }

    lookupMap(request: LookupMapRequestJson, options?: CallOptions): Promise<MapEntryJson> {
        return this.#read("LookupMap", request, options);
    }

    updateMap(request: UpdateMapRequestJson, options?: CallOptions): Promise<MapEntryJson> {
        return this.#change("UpdateMap", request, options);
    }

    deleteMapEntry(request: DeleteMapEntryRequestJson, options?: CallOptions): Promise<MapEntryJson> {
        return this.#change("DeleteMapEntry", request, options);
    }

    /** Changes from the call on, READY first; ends when the map is gone. */
    watchMap(request: WatchMapRequestJson, signal?: AbortSignal): AsyncIterable<MapChangeJson> {
        return serverStream(this.#dial, `${service}WatchMap`, request, signal) as AsyncIterable<MapChangeJson>;
    }

    testRun(request: TestRunRequestJson, options?: CallOptions): Promise<TestRunResponseJson> {
        return this.#change("TestRun", request, options);
    }

    replaceProgram(request: ReplaceProgramRequestJson, options?: CallOptions): Promise<ProgramJson> {
        return this.#change("ReplaceProgram", request, options);
    }

    /** Drops the kept connection; a later call dials again. */
    close(): void {
        this.#http.close();
    }

    #read<Response>(method: string, request: object, options: CallOptions = {}): Promise<Response> {
        return this.#call(method, request, true, options);
    }

    #change<Response>(method: string, request: object, options: CallOptions = {}): Promise<Response> {
        return this.#call(method, request, false, options);
    }

    async #call<Response>(
        method: string,
        request: object,
        repeatable: boolean,
        options: CallOptions,
    ): Promise<Response> {
        const answer = await this.#http.post({
            path: service + method,
            headers: {
                "Content-Type": "application/json",
                "Connect-Protocol-Version": "1",
                ...(repeatable || this.#lockTimeoutMs === 0
                    ? {}
                    : { "Bpfman-Lock-Timeout-Ms": String(this.#lockTimeoutMs) }),
            },
            body: new TextEncoder().encode(JSON.stringify(request)),
            repeatable,
            onProgress: options.onProgress,
            signal: options.signal,
        });
        if (answer.status !== 200) throw httpError(answer.status, [answer.body]);
        try {
            return JSON.parse(new TextDecoder().decode(answer.body));
        } catch (error) {
            throw new TransportError("lost", "the answer is no JSON", error);
        }
    }
}
