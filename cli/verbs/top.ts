// SPDX-License-Identifier: Apache-2.0
// top: run statistics, live on a terminal, as tables or lines of JSON elsewhere
import { CallError } from "../../client/errors.ts";
import type { HostClient } from "../../client/host-client.ts";
import type { StatisticsJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type Args, UsageError } from "../args.ts";
import { type Verb, wantsJson } from "../host.ts";
import { printFrame, printJsonLine, printLine, printLines } from "../output/print.ts";
import { Terminal } from "../output/terminal.ts";
import { statisticsJson } from "../output/top-json.ts";
import { type SortColumn, sortColumns, topRows } from "../output/top-rows.ts";
import { frame, initialState, keysOf, pageLinesOf, pressed, title, topLines } from "../output/top-screen.ts";
import { parseCount, parseDuration, parseId } from "../values.ts";

export const top: Verb = async (args, { client }) => {
    const interval = args.value("interval");
    const sort = sortOf(args);
    const count = args.value("count");
    const limit = count === undefined ? Number.POSITIVE_INFINITY : parseCount("count", count);
    const abort = new AbortController();
    const request = {
        intervalMs: interval === undefined ? 1000 : Math.round(parseDuration("interval", interval)),
        programIds: args.values("ID").map(word => parseId("program", word)),
        chains: !args.flag("no-chains"),
    };
    const records = measured(client.watchStatistics(request, abort.signal), limit);
    const places = new Places(client);
    if (args.flag("json") || wantsJson(args)) {
        for await (const record of records) {
            await places.learn(record);
            printJsonLine(statisticsJson(record, places.where));
        }
    } else if (process.stdout.isTTY) await live(records, places, sort, abort);
    else await tables(records, places, sort);
    return 0;
};

function sortOf(args: Args): SortColumn {
    const word = args.value("sort") ?? "cpu";
    const column = sortColumns.find(known => known === word);
    if (column === undefined) throw new UsageError(`invalid sort "${word}": one of ${sortColumns.join(", ")}`);
    return column;
}

/** The first record holds no rates. */
async function* measured(records: AsyncIterable<StatisticsJson>, limit: number): AsyncGenerator<StatisticsJson> {
    let left = limit;
    for await (const record of records) {
        if ((record.intervalMs ?? 0) === 0) continue;
        if (left-- > 0) yield record;
        if (left <= 0) return;
    }
}

async function tables(records: AsyncIterable<StatisticsJson>, places: Places, sort: SortColumn): Promise<void> {
    let first = true;
    for await (const record of records) {
        await places.learn(record);
        if (!first) printLine();
        first = false;
        printLine(title(record, { paused: false }));
        printLines(topLines(topRows(record, { column: sort, reversed: false }, places.where), sort));
    }
}

async function live(
    records: AsyncIterable<StatisticsJson>,
    places: Places,
    sort: SortColumn,
    abort: AbortController,
): Promise<void> {
    let state = initialState(sort);
    let shown: StatisticsJson = {};
    const draw = () => {
        const { size } = terminal;
        const { lines, scrolled } = frame(shown, state, places.where, size);
        state = { ...state, scrolled };
        printFrame(lines);
    };
    const quit = new Error("quit");
    const typed = (text: string) => {
        for (const key of keysOf(text)) {
            if (key === "quit") return abort.abort(quit);
            if (key === "suspend") terminal.suspend();
            state = pressed(state, key, pageLinesOf(terminal.size.rows));
        }
        draw();
    };
    // a call back before it is there has nothing to draw yet
    const taken: { terminal?: Terminal } = {};
    const found = Terminal.take(typed, () => taken.terminal && draw());
    if (found === undefined) throw new Error("the output is no terminal");
    using terminal = found;
    taken.terminal = terminal;
    draw();
    try {
        for await (const record of records) {
            await places.learn(record);
            if (state.paused) continue;
            shown = record;
            draw();
        }
    } catch (error) {
        if (abort.signal.reason !== quit) throw error;
    }
}

/** Where programs run and who owns them, asked for again when programs have come. */
class Places {
    readonly #client: HostClient;
    #places = new Map<number, string>();
    #asked = new Set<number>();
    constructor(client: HostClient) {
        this.#client = client;
    }

    readonly where = (id: number): string => this.#places.get(id) ?? "";

    async learn({ programs = [] }: StatisticsJson): Promise<void> {
        if (programs.every(({ id = 0 }) => this.#asked.has(id))) return;
        this.#asked = new Set(programs.map(({ id = 0 }) => id));
        try {
            const { programs: known = [] } = await this.#client.getInventory();
            this.#places = new Map(
                known.map(({ kernel, hooks = [], partOf = "", owner = "" }) => {
                    const place = partOf || hooks.join(", ");
                    return [kernel?.id ?? 0, [owner, place].filter(word => word !== "").join(": ")];
                }),
            );
        } catch (error) {
            // an older daemon does not tell; whatever it is, the figures go on
            if (!(error instanceof CallError)) throw error;
        }
    }
}
