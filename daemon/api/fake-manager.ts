// SPDX-License-Identifier: Apache-2.0
// A manager without a kernel, for the tests of this room: it keeps what it is told and remembers what it was asked.
import type {
    ImageGetOptions,
    LinkChange,
    Manager,
    ReplaceRequest,
    StatisticsWatcher,
    TargetRequest,
} from "../manager/manager.ts";
import type { ApplyRequest, ApplyResult, ApplyStep } from "../model/apply.ts";
import type { Caller } from "../model/caller.ts";
import { BpfmanError } from "../model/error.ts";
import type { ChangeEvent, EventQuery } from "../model/events.ts";
import type { LinkId, MapId, ProgramId } from "../model/ids.ts";
import type { ImageRequest, PulledImage } from "../model/images.ts";
import type { Inventory } from "../model/inventory.ts";
import type { MapChangeView, MapInput, MapPage, MapSelector } from "../model/maps.ts";
import type { ObjectFacts } from "../model/object-facts.ts";
import type { ProgramCode, VerifierLog } from "../model/program-code.ts";
import type { LinkRecord, ProgramRecord } from "../model/records.ts";
import type { AttachItem, LoadRequest } from "../model/requests.ts";
import type { StatisticsRequest, StatisticsView } from "../model/statistics.ts";
import type { TestRun } from "../model/test-run.ts";
import type { ChainView, InterfaceView, LinkView, ProgramView } from "../model/views.ts";
import {
    fakeInventory,
    fakePlace,
    imageFacts,
    kernelMap,
    kernelProgram,
    mapDetail,
    mapEntry,
    objectMap,
    programCode,
} from "./fake-facts.ts";

export const root: Caller = { uid: 0, gid: 0, pid: 7, loginUid: undefined };
export const member: Caller = { uid: 1000, gid: 1000, pid: 8, loginUid: 1000 };

export class FakeManager implements Manager {
    readonly programs = new Map<number, ProgramView>();
    readonly links = new Map<number, LinkView>();
    chains: ChainView[] = [];
    interfaces: InterfaceView[] = [];
    events: ChangeEvent[] = [];
    readonly listeners = new Set<(event: ChangeEvent) => void>();
    /** the last request of each verb */
    asked: Record<string, unknown> = {};
    /** thrown by the next call of a verb that changes something */
    fails: Error | undefined;
    /** what such a call waits for */
    gate: Promise<void> = Promise.resolve();
    #nextProgram = 10;
    #nextLink = 1;

    inspect(): ObjectFacts {
        return {
            programs: [],
            maps: ["counts"],
            globals: [],
            mapDefinitions: [objectMap],
            license: "GPL",
            hasBtf: true,
        };
    }

    readObject(path: string): Uint8Array {
        this.asked["readObject"] = path;
        return new Uint8Array([0x7f, 0x45, 0x4c, 0x46]);
    }

    async load(request: LoadRequest, caller: Caller) {
        await this.#change("load", { request, caller });
        const programs = request.programs.map(({ name, type }) =>
            this.add({ name, type, metadata: request.metadata, sourcePath: request.sourcePath, image: request.image }),
        );
        return { programs, links: [], warnings: [] };
    }

    async unload(ids: readonly ProgramId[], options: { ignoreMissing: boolean }, caller: Caller) {
        await this.#change("unload", { ids, options, caller });
        return this.#batch(ids, this.programs, "program");
    }

    async attach(items: readonly AttachItem[], caller: Caller) {
        await this.#change("attach", { items, caller });
        return items.map(item => this.#attachOne(item));
    }

    async detach(ids: readonly LinkId[], options: { ignoreMissing: boolean }, caller: Caller) {
        await this.#change("detach", { ids, options, caller });
        return this.#batch(ids, this.links, "link");
    }

    async updateLinks(changes: readonly LinkChange[]) {
        await this.#change("updateLinks", changes);
        const views: LinkView[] = [];
        for (const { id, priority, proceedOn } of changes) {
            const view = await this.getLink(id);
            const record = { ...view.record, priority: priority ?? view.record.priority };
            const changed = { ...view, record: { ...record, proceedOn: proceedOn ?? record.proceedOn } };
            this.links.set(id, changed);
            views.push(changed);
        }
        return views;
    }

    async apply(request: ApplyRequest, caller: Caller): Promise<ApplyResult> {
        await this.#change("apply", { request, caller });
        const steps = request.programs.map(
            ({ name }): ApplyStep => ({ action: "load", kind: "program", name, id: 0, detail: "" }),
        );
        return { steps, warnings: [], programs: [], links: [] };
    }

    async listPrograms({ all }: { all: boolean }) {
        return [...this.programs.values()].filter(view => all || view.record !== undefined);
    }

    async getProgram(id: ProgramId) {
        const view = this.programs.get(id);
        if (!view) throw new BpfmanError("NOT_FOUND", `no program ${id}`, { errno: "ENOENT" });
        return view;
    }

    async listLinks() {
        return [...this.links.values()];
    }

    async getLink(id: LinkId) {
        const view = this.links.get(id);
        if (!view) throw new BpfmanError("NOT_FOUND", `no link ${id}`);
        return view;
    }

    async listChains() {
        return this.chains;
    }

    async listInterfaces() {
        return this.interfaces;
    }

    async features() {
        const missing = { name: "link/tcx", supported: false, errno: "EINVAL", note: "" };
        return { kernel: "6.1.0", libbpf: "1.1.2", features: [missing] };
    }

    async getImage(request: ImageRequest, caller: Caller, options: ImageGetOptions = {}): Promise<PulledImage> {
        const phases = ["RESOLVING", "PULLING", "CHECKING"] as const;
        for (const phase of phases)
            options.onProgress?.({ phase, bytes: 5, totalBytes: 10, layers: 1, totalLayers: 1 });
        await this.#change("getImage", { request, caller, signal: options.signal, demand: options.demand });
        return { facts: imageFacts, object: new Uint8Array([0x7f, 0x45, 0x4c, 0x46]), cached: false };
    }

    listImages() {
        return [imageFacts];
    }

    async inspectImage(name: string) {
        if (name !== imageFacts.reference) throw new BpfmanError("NOT_FOUND", `${name} is not in the cache`);
        return imageFacts;
    }

    async removeImages(names: readonly string[], options: { ignoreMissing: boolean }) {
        this.asked["removeImages"] = { names, options };
        return { removed: names, freedBytes: 17 };
    }

    pruneImages(options: { all: boolean }) {
        this.asked["pruneImages"] = options;
        return { removed: [], freedBytes: 0 };
    }

    subscribe(listener: (event: ChangeEvent) => void): () => void {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
    }

    refused(subject: object, message: string, caller: Caller): void {
        this.asked["refused"] = { subject, message, caller };
    }

    listEvents(query: EventQuery) {
        this.asked["listEvents"] = query;
        return { events: this.events.slice(0, query.limit), more: this.events.length > query.limit };
    }

    async programCode(id: ProgramId, withJited: boolean): Promise<ProgramCode> {
        await this.getProgram(id);
        return { ...programCode, jited: withJited ? new Uint8Array([0x90, 0xc3]) : undefined };
    }

    async verifierLog(id: ProgramId): Promise<VerifierLog> {
        await this.getProgram(id);
        return { log: "processed 2 insns", unavailable: "", truncated: false };
    }

    async inventory(): Promise<Inventory> {
        return fakeInventory;
    }

    async listTargets(request: TargetRequest, caller: Caller) {
        this.asked["listTargets"] = { request, caller };
        return { targets: [{ name: "libc.so.6", sizeBytes: 5_000_000_000 }], total: 1, unavailable: "" };
    }

    async listMaps() {
        return [mapDetail];
    }

    async getMap(selector: MapSelector) {
        if (selector.id !== mapDetail.kernel.id && selector.name !== mapDetail.name)
            throw new BpfmanError("NOT_FOUND", `no map ${selector.id ?? selector.name}`);
        return mapDetail;
    }

    async dumpMap(selector: MapSelector, page: { size: number; token: string }): Promise<MapPage> {
        this.asked["dumpMap"] = { selector, page };
        return { entries: [mapEntry], nextPageToken: page.token === "" ? "k1:00" : "" };
    }

    async lookupMap(selector: MapSelector, key: MapInput) {
        this.asked["lookupMap"] = { selector, key };
        return mapEntry;
    }

    async updateMap(selector: MapSelector, entry: unknown, force: boolean) {
        await this.#change("updateMap", { selector, entry, force });
        return mapEntry;
    }

    async deleteMapEntry(selector: MapSelector, key: MapInput, force: boolean) {
        await this.#change("deleteMapEntry", { selector, key, force });
        return mapEntry;
    }

    watchMap(
        _selector: MapSelector,
        intervalMs: number,
        watcher: { change(change: MapChangeView): void; end(error: BpfmanError | undefined): void },
    ): () => void {
        this.asked["watchMap"] = { intervalMs };
        const time = "2026-01-01T00:00:00.000Z";
        watcher.change({ kind: "READY", entry: undefined, entryCount: 1, time });
        watcher.change({ kind: "CHANGED", entry: mapEntry, entryCount: 1, time });
        watcher.change({ kind: "GONE", entry: undefined, entryCount: 1, time });
        queueMicrotask(() => watcher.end(undefined));
        return () => {};
    }

    /** told to each watch of statistics, one after the other */
    statistics: StatisticsView[] = [];
    /** what watches of statistics took of it */
    taken: boolean[] = [];

    watchStatistics(request: StatisticsRequest, watcher: StatisticsWatcher): () => void {
        this.asked["watchStatistics"] = request;
        for (const view of this.statistics) this.taken.push(watcher.record(view));
        return () => {
            this.asked["watchStatistics"] = undefined;
        };
    }

    async replaceProgram(id: ProgramId, request: ReplaceRequest, caller: Caller): Promise<ProgramView> {
        await this.#change("replaceProgram", { id, request, caller });
        this.programs.delete(id);
        return this.add({ sourcePath: request.sourcePath });
    }

    async testRun(id: ProgramId, request: { packet: Uint8Array; repeat: number; force: boolean }): Promise<TestRun> {
        await this.#change("testRun", { id, request });
        return { returnCode: 2, returnName: "pass", packet: request.packet, nsPerRun: 25, runs: request.repeat };
    }

    emit(event: Partial<ChangeEvent>): void {
        const whole: ChangeEvent = {
            sequence: 1,
            kind: "PROGRAM_LOADED",
            programIds: [],
            linkIds: [],
            time: "2026-01-01T00:00:00.000Z",
            by: "root",
            mapIds: [],
            subjects: [],
            message: "",
            ...event,
        };
        for (const listener of this.listeners) listener(whole);
    }

    add(facts: Partial<ProgramRecord>): ProgramView {
        const id = (facts.id ?? this.#nextProgram++) as ProgramId;
        const record: ProgramRecord = {
            id,
            bootId: "boot",
            tag: "0123456789abcdef",
            name: "count",
            type: "xdp",
            section: "xdp",
            frags: false,
            attachFunction: "",
            sourcePath: "/tmp/count.o",
            objectSha256: "a".repeat(64),
            globalData: new Map([["limit", new Uint8Array([1, 2])]]),
            metadata: new Map(),
            mapOwnerId: undefined,
            mapSet: 1,
            mapIds: new Map([["counts", 5 as MapId]]),
            license: "GPL",
            gplCompatible: true,
            createdAt: "2026-01-01T00:00:00Z",
            createdBy: "root",
            ...facts,
        };
        const view: ProgramView = {
            id,
            record,
            kernel: kernelProgram(id, record.type === "xdp" ? "xdp" : "sched_cls"),
            links: [],
            maps: [{ kernel: kernelMap, pinPath: "/run/bpfman/fs/maps/1/counts" }],
            mapUsedBy: [],
            stats: undefined,
            partOf: "",
            pinPath: `/run/bpfman/fs/prog_${id}`,
            mapPinPath: "/run/bpfman/fs/maps/1",
            objectPath: `/var/lib/bpfman/objects/${record.objectSha256}.o`,
            pinPresent: true,
        };
        this.programs.set(id, view);
        return view;
    }

    addForeign(id: number, facts: Partial<ProgramView> = {}): ProgramView {
        const view: ProgramView = {
            ...this.add({ id: id as ProgramId }),
            record: undefined,
            maps: [],
            pinPath: "",
            mapPinPath: "",
            objectPath: "",
            pinPresent: false,
            ...facts,
        };
        this.programs.set(id, view);
        return view;
    }

    async #change(verb: string, asked: unknown): Promise<void> {
        this.asked[verb] = asked;
        await this.gate;
        const error = this.fails;
        this.fails = undefined;
        if (error) throw error;
    }

    #attachOne({ programId, hook, metadata }: AttachItem): LinkView {
        const program = this.programs.get(programId);
        if (!program) throw new BpfmanError("NOT_FOUND", `no program ${programId}`);
        const record: LinkRecord = {
            id: this.#nextLink++ as LinkId,
            bootId: "boot",
            programId,
            ...fakePlace(hook),
            request: 1,
            requestIndex: 0,
            metadata,
            createdAt: "2026-01-01T00:00:00Z",
            createdBy: "root",
            kernelLinkId: undefined,
            furtherKernelLinkIds: [],
        };
        const view: LinkView = {
            record,
            programName: program.record?.name ?? "",
            application: program.record?.metadata.get("bpfman.io/application") ?? "",
            position: 0,
            kernelLinkId: undefined,
            pinPath: "",
            pinPaths: [],
            kernelSeen: true,
            pinPresent: true,
            kernel: undefined,
            chain: undefined,
        };
        this.links.set(record.id, view);
        this.programs.set(programId, { ...program, links: [...program.links, view] });
        return view;
    }

    #batch<Id extends number>(ids: readonly Id[], from: Map<number, unknown>, what: string) {
        const done = ids.filter(id => from.delete(id));
        const failures = ids
            .filter(id => !done.includes(id))
            .map(id => ({ id, error: new BpfmanError("NOT_FOUND", `no ${what} ${id}`) }));
        return { done, failures };
    }
}
