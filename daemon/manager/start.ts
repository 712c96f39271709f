// SPDX-License-Identifier: Apache-2.0
// Puts the manager together and brings rows and kernel in line, before anybody is answered.
import fs from "node:fs";
import path from "node:path";
import type { Abilities } from "../chain/plan.ts";
import { Images } from "../image/images.ts";
import { BpfFs } from "../kernel/bpffs.ts";
import { probeFreplace } from "../kernel/dispatch/dispatcher.ts";
import { checkObject } from "../kernel/elf/elf.ts";
import { typedObjectFacts } from "../kernel/elf/object-types.ts";
import { probeTcx } from "../kernel/features/probe-links.ts";
import { Copies } from "../kernel/load/copies.ts";
import { Loader, type LoaderOptions } from "../kernel/load/loader.ts";
import { NetThread } from "../kernel/net/net-thread.ts";
import type { Caller } from "../model/caller.ts";
import { BpfmanError } from "../model/error.ts";
import type { ConfiguredXdpMode } from "../model/hooks.ts";
import type { SigningRules } from "../model/images.ts";
import type { MapSelector } from "../model/maps.ts";
import type { Store } from "../store/store.ts";
import { ClsactChains } from "./chains/clsact.ts";
import { LibxdpChains } from "./chains/libxdp-state.ts";
import type { Context } from "./context.ts";
import { Events } from "./events.ts";
import { startInterfaceWatch } from "./interface-watch.ts";
import { InventoryReader } from "./inventory/inventory.ts";
import { KernelView } from "./kernel-view.ts";
import { startKernelWatch } from "./kernel-watch.ts";
import { attach } from "./links/attach.ts";
import { noticeDeadLinks } from "./links/dead-links.ts";
import { detach } from "./links/detach.ts";
import { TargetNames } from "./links/target-names.ts";
import { updateLinks } from "./links/update-link.ts";
import type { Manager } from "./manager.ts";
import { deleteMapEntry, dumpMap, lookupMap, updateMap } from "./maps/map-entries.ts";
import { mapDetail, mapDetails } from "./maps/map-view.ts";
import { watchMap } from "./maps/map-watch.ts";
import { hookText } from "./pins.ts";
import { load } from "./programs/load.ts";
import { programCode } from "./programs/program-code.ts";
import { readObject } from "./programs/read-object.ts";
import { replaceProgram } from "./programs/replace.ts";
import { testRun } from "./programs/test-run.ts";
import { unload } from "./programs/unload.ts";
import { verifierLog } from "./programs/verifier-log.ts";
import { restore } from "./restore.ts";
import { apply } from "./sets/apply.ts";
import { ChainCounting } from "./statistics/chain-counting.ts";
import { Statistics } from "./statistics/statistics.ts";
import { chainViews, interfaceViews } from "./views/chain-view.ts";
import { linkView, linkViews } from "./views/link-view.ts";
import { programView, programViews } from "./views/program-view.ts";
import { WriterLock } from "./writer-lock.ts";

export interface StartOptions {
    readonly runtimeDir: string;
    readonly stateDir: string;
    readonly bootId: string;
    readonly store: Store;
    readonly log: (line: string) => void;
    /** of pulls; undefined: the same */
    readonly imageLog?: (line: string) => void;
    /** how a caller is named in rows and events */
    readonly describe: (caller: Caller) => string;
    /** where pulled images are kept */
    readonly imageCacheDir?: string;
    readonly signing?: SigningRules;
    /** what the configuration says of interfaces, by name */
    readonly xdpModes?: ReadonlyMap<string, ConfiguredXdpMode>;
    /** interfaces whose XDP chain is shared with libxdp, by name */
    readonly sharedInterfaces?: ReadonlySet<string>;
    /** tests put a loader in that misbehaves */
    readonly loader?: LoaderOptions;
}

/** Why TC chains are not held by TCX links. The variable is for tests: clsact on a kernel that has TCX. */
const withoutTcx = (): string | undefined =>
    process.env["BPFMAN_TEST_CLSACT"] === "1" ? "TCX is not to be used (BPFMAN_TEST_CLSACT)" : probeTcx();

/** Pins and rows belong together: another store's start would take these pins for leftovers and remove them. */
function claimRuntimeDir(runtimeDir: string, stateDir: string): void {
    const claim = path.join(runtimeDir, "state-dir");
    const mine = fs.realpathSync(stateDir);
    try {
        const other = fs.readFileSync(claim, "utf8").trim();
        if (other !== mine)
            throw new BpfmanError("FAILED_PRECONDITION", `${runtimeDir} belongs to the state folder ${other}`, {
                hint: `Start with --state-dir ${other}, or with another --runtime-dir.`,
            });
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        // whole or not at all: a claim cut off by a kill would be somebody else's for ever
        fs.writeFileSync(`${claim}.new`, `${mine}\n`, { mode: 0o600 });
        fs.renameSync(`${claim}.new`, claim);
    }
}

export async function startManager(options: StartOptions): Promise<{ manager: Manager; stop(): Promise<void> }> {
    const { runtimeDir, stateDir, bootId, store, log, describe } = options;
    claimRuntimeDir(runtimeDir, stateDir);
    const bpffs = BpfFs.open(path.join(runtimeDir, "fs"));
    const loader = new Loader(options.loader);
    const net = new NetThread();
    let abilities: Abilities | undefined;
    const context: Context = {
        bootId,
        store,
        bpffs,
        loader,
        net,
        copies: new Copies(bpffs, loader, sha256 => store.readObject(sha256)),
        kernel: new KernelView(),
        lock: new WriterLock(path.join(runtimeDir, "daemon.lock")),
        events: new Events({
            keep: event => store.addEvent(event),
            names: () => ({
                programs: new Map(store.programs().map(({ id, name }) => [id, name])),
                links: new Map(store.links().map(link => [link.id, hookText(link)])),
            }),
            log,
        }),
        // asked when the first chain needs to know
        abilities: () => (abilities ??= { noFreplace: probeFreplace(), noTcx: withoutTcx() }),
        xdpModes: options.xdpModes ?? new Map(),
        libxdp: new LibxdpChains(options.sharedInterfaces ?? new Set()),
        counting: new ChainCounting(),
        clsact: new ClsactChains(),
        log,
        describe,
    };
    await context.lock.run(scope => restore(scope, context));
    context.events.emit("DAEMON_STARTED", "", {});
    const stopWatching = startInterfaceWatch(context);
    const stopLooking = startKernelWatch(context);
    loader.warm();
    const images = new Images({
        cacheDir: options.imageCacheDir ?? "/var/cache/bpfman",
        log: options.imageLog ?? log,
        checkObject: object => void checkObject(object),
        ...(options.signing && { signing: options.signing }),
    });
    const statistics = new Statistics(context);
    return {
        manager: managerOf(context, images, statistics),
        stop: async () => {
            await images.stop();
            stopWatching();
            stopLooking();
            // the changes that this asks for are waited for below
            statistics.stop();
            await context.lock.idle();
            loader.stop();
            await net.stop();
        },
    };
}

function managerOf(context: Context, images: Images, statistics: Statistics): Manager {
    // other tools change shared chains at any time, and interfaces of other namespaces go unheard
    const current = async <T>(read: () => T): Promise<Awaited<T>> => {
        await context.libxdp.refresh(context);
        await context.clsact.refresh(context);
        await noticeDeadLinks(context);
        return await read();
    };
    const targets = new TargetNames();
    // several may have waited for one pull: it is told once, as of who heard of it first
    const told = new WeakSet<object>();
    const inventory = new InventoryReader();
    return {
        inspect: object => typedObjectFacts(checkObject(object), object),
        readObject,
        load: (request, caller) => load(context, request, caller),
        unload: (ids, options, caller) => unload(context, ids, options, caller),
        attach: (items, caller) => attach(context, items, caller),
        detach: (ids, options, caller) => detach(context, ids, options, caller),
        updateLinks: (changes, caller) => updateLinks(context, changes, caller),
        apply: (request, caller) => apply(context, request, caller),
        listPrograms: options => current(() => programViews(context, options)),
        getProgram: id => current(() => programView(context, id)),
        listLinks: () => current(() => linkViews(context)),
        getLink: id => current(() => linkView(context, id)),
        listChains: () => current(() => chainViews(context)),
        listInterfaces: () => current(() => interfaceViews(context)),
        // some hundred probes that most starts never need
        features: async () => (await import("../kernel/features/features.ts")).probeFeatures(),
        getImage: async (request, caller, imageOptions) => {
            const pulled = await images.get(request, imageOptions);
            // one that somebody only looks at is not kept
            if (pulled.cached || imageOptions?.demand !== undefined || told.has(pulled)) return pulled;
            told.add(pulled);
            context.events.emit("IMAGE_PULLED", context.describe(caller), { subjects: [pulled.facts.reference] });
            return pulled;
        },
        listImages: () => images.list(),
        inspectImage: name => images.inspect(name),
        removeImages: async (names, removeOptions, caller) =>
            imagesRemoved(context, await images.remove(names, removeOptions), caller),
        pruneImages: ({ all }, caller) =>
            imagesRemoved(context, images.prune(all ? new Set() : digestsInUse(context)), caller),
        subscribe: listener => context.events.subscribe(listener),
        programCode: (id, withJited) => programCode(context, id, withJited),
        verifierLog: id => verifierLog(context, id),
        inventory: () => current(() => inventory.read(context)),
        listTargets: (request, caller) => targets.list(context, request, caller),
        listMaps: async () => mapDetails(context),
        getMap: async selector => mapDetail(context, selector),
        dumpMap: async (selector, page) => dumpMap(context, selector, page),
        lookupMap: async (selector, key) => lookupMap(context, selector, key),
        updateMap: async (selector, entry, force, caller) => {
            const view = updateMap(context, selector, entry, force);
            mapChanged(context, selector, "entry set", caller);
            return view;
        },
        deleteMapEntry: async (selector, key, force, caller) => {
            const view = deleteMapEntry(context, selector, key, force);
            mapChanged(context, selector, "entry deleted", caller);
            return view;
        },
        refused: (subject, message, caller) =>
            context.events.emit("REFUSED", context.describe(caller), { ...subject, message }),
        listEvents: query => context.store.events(query),
        replaceProgram: (id, request, caller) => replaceProgram(context, id, request, caller),
        testRun: (id, request) => testRun(context, id, request),
        watchStatistics: (request, watcher) => statistics.watch(request, watcher),
        watchMap: (selector, intervalMs, watcher) => watchMap(context, selector, intervalMs, watcher),
    };
}

function mapChanged(context: Context, selector: MapSelector, message: string, caller: Caller): void {
    const { kernel, name } = mapDetail(context, selector);
    const subjects = [name || kernel.name];
    context.events.emit("MAP_CHANGED", context.describe(caller), { maps: [kernel.id], subjects, message });
}

function imagesRemoved<R extends { readonly removed: readonly string[] }>(
    { events, describe }: Context,
    result: R,
    caller: Caller,
): R {
    if (result.removed.length > 0) events.emit("IMAGE_REMOVED", describe(caller), { subjects: result.removed });
    return result;
}

const digestsInUse = ({ store }: Context): Set<string> =>
    new Set(store.programs().flatMap(({ image }) => (image === undefined ? [] : [image.digest])));
