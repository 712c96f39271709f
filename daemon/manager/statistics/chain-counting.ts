// SPDX-License-Identifier: Apache-2.0
// Counting in chains. The kernel counts only a chain's dispatcher, so while somebody watches statistics that want it,
// each chain runs a revision whose dispatcher counts what its slots do (bpf/counting.h). It is swapped in as every
// revision is, and out again after the last watch; a start swaps out what a kill left. The links are the same all along,
// so the revision keeps its number, and nobody is told of a change.
import { openPin } from "../../kernel/bpf.ts";
import { countsPin } from "../../kernel/dispatch/backend.ts";
import { lookup, possibleCpus } from "../../kernel/objects/map-calls.ts";
import type { HookKey } from "../../model/hooks.ts";
import type { LinkId } from "../../model/ids.ts";
import type { ChainRecord } from "../../model/records.ts";
import { chainRow, changeChain, retire } from "../chains/chain-change.ts";
import { type ChainLink, chainLinks } from "../chains/chain-links.ts";
import type { Context } from "../context.ts";
import { hookId, hookText, revisionFolder } from "../pins.ts";
import { withUndo } from "../undo.ts";
import { asBpfmanError } from "../unexpected.ts";
import type { WriterScope } from "../writer-lock.ts";
import type { ChainCounts, VerdictCounts } from "./statistics-record.ts";

/** struct slot_counts and the number of them, as bpf/counting.h and bpf/dispatcher.h have them */
const answers = 33;
const slotBytes = 16 + 8 * answers;
const wholeChain = 10;
/** An answer that is out of range. */
const otherAnswer = 256;

export class ChainCounting {
    #watches = 0;
    /** why chains can't be counted, one sentence each, by hook */
    readonly #refusals = new Map<string, string>();
    /** what revisions counted that are gone, by hook */
    readonly #past = new Map<string, ChainCounts>();
    /** revisions that run no more and are not yet gone, by folder */
    readonly #leaving = new Map<string, ChainRecord>();

    isWanted(hook: HookKey): boolean {
        return this.#watches > 0 && !this.#refusals.has(hookId(hook));
    }

    get isWatched(): boolean {
        return this.#watches > 0;
    }

    refuse(context: Context, chain: Pick<ChainRecord, "hook" | "interface">, error: unknown): void {
        const { message } = asBpfmanError(error, context.log);
        context.log(`${hookText(chain)} can't be counted: ${message}`);
        this.#refusals.set(hookId(chain.hook), message);
    }

    refusal(hook: HookKey): string | undefined {
        return this.#refusals.get(hookId(hook));
    }

    /** Resolves when every chain counts that can. */
    async begin(context: Context): Promise<void> {
        this.#watches++;
        await context.lock.run(scope => this.settle(scope, context));
    }

    async end(context: Context): Promise<void> {
        this.#watches--;
        await context.lock.run(scope => this.settle(scope, context));
        if (this.#watches > 0) return;
        this.#refusals.clear();
        this.#past.clear();
    }

    /** Swaps in, or out, what is not as it is wanted. A chain that can't be swapped stays as it is. */
    async settle(scope: WriterScope, context: Context): Promise<void> {
        for (const chain of context.store.chains()) {
            // a chain without links is on its way
            if (chain.backend === "libxdp" || chain.members.length === 0) continue;
            if (chain.counting === this.isWanted(chain.hook)) continue;
            try {
                await this.#recount(scope, context, chain);
            } catch (error) {
                if (chain.counting)
                    context.log(`${hookText(chain)} counts on: ${asBpfmanError(error, context.log).message}`);
                else this.refuse(context, chain, error);
            }
        }
    }

    async #recount(scope: WriterScope, context: Context, chain: ChainRecord): Promise<void> {
        const { hook, interface: name, netns } = chain;
        const links = chainLinks(context, hook);
        const change = { hook, interface: name, netns, links, mode: "auto", device: undefined, recount: true } as const;
        await withUndo(context.log, async undo => {
            const changed = await changeChain<ChainLink>(scope, context, change, undo);
            const row = chainRow(changed, context.bootId, ({ id }) => {
                if (id === undefined) throw new Error("a link of a chain that stays as it is has a row");
                return id;
            });
            context.store.transaction(() => context.store.putChain(row));
            undo.done();
        });
        await retire(context, chain);
    }

    /** The revision is about to be replaced or taken away: until keep() its counts are read too. */
    leave(chain: ChainRecord): void {
        if (chain.counting && this.#watches > 0) this.#leaving.set(revisionFolder(chain), chain);
    }

    /**
     * Nobody is in the revision any more, and it is about to be removed: what it counted is added to what is past, so that
     * a chain which comes to the hook later goes on from there. Never throws: the removal matters more.
     */
    keep(context: Context, chain: ChainRecord): void {
        this.#leaving.delete(revisionFolder(chain));
        if (!chain.counting || this.#watches === 0) return;
        const key = hookId(chain.hook);
        try {
            this.#past.set(key, sum(this.#past.get(key), countsOf(context, chain)));
        } catch (error) {
            context.log(`counts of ${hookText(chain)} are lost: ${asBpfmanError(error, context.log).message}`);
        }
    }

    /**
     * By hook: what was counted there since the first watch began, whichever revisions did it. Of hooks where nothing
     * counts any more too, so that no figure ever falls.
     */
    read(context: Context, chains: readonly ChainRecord[]): Map<string, ChainCounts> {
        const counts = new Map(this.#past);
        const running = chains.filter(({ counting }) => counting);
        const folders = new Set(running.map(revisionFolder));
        const leaving = Array.from(this.#leaving).flatMap(([folder, chain]) => (folders.has(folder) ? [] : [chain]));
        for (const chain of [...running, ...leaving]) {
            const key = hookId(chain.hook);
            counts.set(key, sum(counts.get(key), countsOf(context, chain)));
        }
        return counts;
    }
}

function countsOf({ bpffs }: Context, chain: ChainRecord): ChainCounts {
    const pin = `${revisionFolder(chain)}/${countsPin}`;
    // TC answers begin at -1
    const shift = chain.hook.kind === "xdp" ? 0 : 1;
    using map = openPin(bpffs.path(pin));
    const slot = (index: number): VerdictCounts => {
        const key = Buffer.alloc(4);
        key.writeUInt32LE(index);
        const values = lookup(map, key, slotBytes * possibleCpus());
        return values === undefined ? { runs: 0n, timeNs: 0n, verdicts: new Map() } : slotCounts(values, shift);
    };
    return {
        whole: slot(wholeChain),
        slots: new Map(chain.members.map(({ linkId }, position): [LinkId, VerdictCounts] => [linkId, slot(position)])),
    };
}

/** Added up over the CPUs. */
function slotCounts(values: Buffer, shift: number): VerdictCounts {
    let runs = 0n;
    let timeNs = 0n;
    const verdicts = new Map<number, bigint>();
    for (let at = 0; at < values.length; at += slotBytes) {
        runs += values.readBigUInt64LE(at);
        timeNs += values.readBigUInt64LE(at + 8);
        for (let answer = 0; answer < answers; answer++) {
            const count = values.readBigUInt64LE(at + 16 + 8 * answer);
            if (count === 0n) continue;
            const action = answer === answers - 1 ? otherAnswer : answer - shift;
            verdicts.set(action, (verdicts.get(action) ?? 0n) + count);
        }
    }
    return { runs, timeNs, verdicts };
}

function sum(a: ChainCounts | undefined, b: ChainCounts): ChainCounts {
    if (a === undefined) return b;
    const ids = new Set([...a.slots.keys(), ...b.slots.keys()]);
    return {
        whole: add(a.whole, b.whole),
        slots: new Map(Array.from(ids, id => [id, add(a.slots.get(id), b.slots.get(id))])),
    };
}

function add(a: VerdictCounts | undefined, b: VerdictCounts | undefined): VerdictCounts {
    const verdicts = new Map(a?.verdicts);
    for (const [action, count] of b?.verdicts ?? []) verdicts.set(action, (verdicts.get(action) ?? 0n) + count);
    return { runs: (a?.runs ?? 0n) + (b?.runs ?? 0n), timeNs: (a?.timeNs ?? 0n) + (b?.timeNs ?? 0n), verdicts };
}
