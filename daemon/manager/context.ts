// SPDX-License-Identifier: Apache-2.0
// What every verb works with.
import type { Abilities } from "../chain/plan.ts";
import type { BpfFs } from "../kernel/bpffs.ts";
import type { Copies } from "../kernel/load/copies.ts";
import type { Loader } from "../kernel/load/loader.ts";
import type { NetThread } from "../kernel/net/net-thread.ts";
import type { Caller } from "../model/caller.ts";
import type { ConfiguredXdpMode } from "../model/hooks.ts";
import type { Store } from "../store/store.ts";
import type { ClsactChains } from "./chains/clsact.ts";
import type { LibxdpChains } from "./chains/libxdp-state.ts";
import type { Events } from "./events.ts";
import type { KernelView } from "./kernel-view.ts";
import type { ChainCounting } from "./statistics/chain-counting.ts";
import type { WriterLock } from "./writer-lock.ts";

export interface Context {
    readonly bootId: string;
    readonly store: Store;
    readonly bpffs: BpfFs;
    readonly loader: Loader;
    readonly net: NetThread;
    readonly copies: Copies;
    readonly kernel: KernelView;
    readonly lock: WriterLock;
    readonly events: Events;
    readonly abilities: () => Abilities;
    /** what the configuration says of an interface, by name */
    readonly xdpModes: ReadonlyMap<string, ConfiguredXdpMode>;
    readonly libxdp: LibxdpChains;
    readonly counting: ChainCounting;
    readonly clsact: ClsactChains;
    readonly log: (line: string) => void;
    /** how a caller is named in rows and events */
    readonly describe: (caller: Caller) => string;
}
