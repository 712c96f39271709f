// SPDX-License-Identifier: Apache-2.0
// What every view and dialog needs of the page around it.
import {
    createContext,
    type ReactNode,
    useCallback,
    useContext,
    useEffect,
    useMemo,
    useSyncExternalStore,
} from "react";
import type { HostClient } from "../client/host-client.ts";
import type { Live, Resource } from "./live.ts";
import { type MapInfo, mapInfoOf } from "./map-model.ts";
import { type Interface, interfaceOf, type Program, programOf } from "./model.ts";

export interface Page {
    readonly client: HostClient;
    /** a connection of its own: what is fetched meanwhile does not wait for an upload */
    readonly bulk: HostClient;
    readonly live: Live;
    /** whether the session has administrative access; null while that is not known */
    readonly admin: boolean | null;
    /** Shows a toast. */
    notify(text: string): void;
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

function useKept<T>(key: string, fetch: () => Promise<T>): Resource<T> {
    const { live } = usePage();
    useEffect(() => live.keep(key, fetch), [live, key, fetch]);
    const snapshot = useMemo(() => () => live.resource(key), [live, key]);
    // the key stands for the type: each is used by one function above
    return useSyncExternalStore(live.subscribe, snapshot) as Resource<T>;
}
