// SPDX-License-Identifier: Apache-2.0
// What every view and dialog needs of the page around it.
import {
    createContext,
    type ReactNode,
    useCallback,
    useContext,
    useEffect,
    useMemo,
    useState,
    useSyncExternalStore,
} from "react";
import type { HostClient } from "../client/host-client.ts";
import type {
    EventJson,
    FeaturesResponseJson,
    ImageJson,
    SettingsJson,
    VersionResponseJson,
} from "../proto/gen/bpfman/host/v1/host_pb.js";
import type { Live, Resource } from "./connection/live.ts";
import { type InventoryRow, inventoryRows } from "./model/inventory.ts";
import { type MapInfo, mapInfoOf } from "./model/map-model.ts";
import { type Interface, interfaceOf, type ListedLink, linkOf, type Program, programOf } from "./model/model.ts";
import type { Toast } from "./ui/alert.tsx";

export interface Page {
    readonly client: HostClient;
    /** a connection of its own: what is fetched meanwhile does not wait for an upload */
    readonly bulk: HostClient;
    readonly live: Live;
    /** Shows a toast; a warning stays until it is closed. */
    notify(text: string, variant?: Toast["variant"]): void;
    /** Shows a dialog in place of the one shown; null closes it. */
    show(dialog: ReactNode): void;
}

export const PageContext = createContext<Page | undefined>(undefined);

export function usePage(): Page {
    const page = useContext(PageContext);
    if (!page) throw new Error("no page around this component");
    return page;
}

export function usePrograms(all: boolean): Resource<Program[]> {
    const { client } = usePage();
    const fetch = useCallback(async () => {
        const { programs = [] } = await client.listPrograms(all ? { all } : {});
        return programs.map(programOf);
    }, [client, all]);
    return useKept(all ? "programs all" : "programs", fetch);
}

export function useProgram(id: number): Resource<Program> {
    const { client } = usePage();
    const fetch = useCallback(async () => programOf(await client.getProgram(id)), [client, id]);
    return useKept(`program ${id}`, fetch);
}

export function useInterfaces(): Resource<Interface[]> {
    const { client } = usePage();
    const fetch = useCallback(async () => {
        const { interfaces = [] } = await client.listInterfaces();
        return interfaces.map(interfaceOf);
    }, [client]);
    return useKept("interfaces", fetch);
}

export function useMaps(all: boolean): Resource<MapInfo[]> {
    const { client } = usePage();
    const fetch = useCallback(async () => {
        const { maps = [] } = await client.listMaps(all ? {} : { managedOnly: true });
        return maps.map(mapInfoOf);
    }, [client, all]);
    return useKept(all ? "maps all" : "maps", fetch);
}

export function useMap(id: number): Resource<MapInfo> {
    const { client } = usePage();
    const fetch = useCallback(async () => mapInfoOf(await client.getMap({ id })), [client, id]);
    return useKept(`map ${id}`, fetch);
}

/** Those of the daemon's cache. */
export function useImages(): Resource<ImageJson[]> {
    const { client } = usePage();
    const fetch = useCallback(async () => (await client.listImages()).images ?? [], [client]);
    return useKept("images", fetch);
}

export interface KnownEvents {
    readonly events: readonly EventJson[];
    /** older ones are kept too */
    readonly more: boolean;
}

/** The newest. */
export function useEvents(): Resource<KnownEvents> {
    const { client } = usePage();
    const fetch = useCallback(async () => {
        const { events = [], more = false } = await client.listEvents();
        return { events, more };
    }, [client]);
    return useKept("events", fetch);
}

export function useSettings(): Resource<SettingsJson> {
    const { client } = usePage();
    const fetch = useCallback(() => client.getSettings(), [client]);
    return useKept("settings", fetch);
}

export interface KnownInventory {
    readonly rows: readonly InventoryRow[];
    /** why owners are not known; empty where they are */
    readonly ownersUnknown: string;
}

export function useInventory(): Resource<KnownInventory> {
    const { client } = usePage();
    const fetch = useCallback(async () => {
        const inventory = await client.getInventory();
        return { rows: inventoryRows(inventory), ownersUnknown: inventory.ownersUnknown ?? "" };
    }, [client]);
    return useKept("inventory", fetch);
}

export function useLinks(): Resource<ListedLink[]> {
    const { client } = usePage();
    const fetch = useCallback(async () => {
        const { links = [] } = await client.listLinks();
        return links.map(linkOf);
    }, [client]);
    return useKept("links", fetch);
}

export function useLink(id: number): Resource<ListedLink> {
    const { client } = usePage();
    const fetch = useCallback(async () => linkOf(await client.getLink(id)), [client, id]);
    return useKept(`link ${id}`, fetch);
}

export interface HostFacts {
    readonly features: FeaturesResponseJson;
    readonly version: VersionResponseJson;
}

/** What does not change while the daemon runs. */
export function useHostFacts(): Resource<HostFacts> {
    const { client } = usePage();
    const fetch = useCallback(async () => {
        const [features, version] = await Promise.all([client.features(), client.version()]);
        return { features, version };
    }, [client]);
    return useFetched(fetch);
}

/** What is fetched once for a view, not again with each change; anew where the daemon was away meanwhile. */
export function useFetched<T>(fetch: () => Promise<T>): Resource<T> {
    const { live } = usePage();
    const times = useSyncExternalStore(live.subscribe, live.timesReady);
    const [resource, setResource] = useState<Resource<T>>({ value: undefined, error: undefined });
    // biome-ignore lint/correctness/useExhaustiveDependencies: another time is perhaps another daemon
    useEffect(() => {
        let isCurrent = true;
        fetch().then(
            value => isCurrent && setResource({ value, error: undefined }),
            (error: unknown) =>
                isCurrent &&
                setResource({ value: undefined, error: error instanceof Error ? error : new Error(String(error)) }),
        );
        return () => {
            isCurrent = false;
        };
    }, [fetch, times]);
    return resource;
}

function useKept<T>(key: string, fetch: () => Promise<T>): Resource<T> {
    const { live } = usePage();
    useEffect(() => live.keep(key, fetch), [live, key, fetch]);
    const snapshot = useMemo(() => () => live.resource(key), [live, key]);
    // the key stands for the type: each is used by one function above
    return useSyncExternalStore(live.subscribe, snapshot) as Resource<T>;
}
