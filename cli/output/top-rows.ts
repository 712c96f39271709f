// SPDX-License-Identifier: Apache-2.0
// What `top` shows of a record of statistics: rows, in order, as cells. Pure.
import type {
    ChainStatisticsJson,
    ProgramStatisticsJson,
    SlotStatisticsJson,
    StatisticsJson,
    VerdictCountJson,
} from "../../proto/gen/bpfman/host/v1/host_pb.js";

export const sortColumns = ["cpu", "runs", "ns", "id", "type", "name"] as const;
export type SortColumn = (typeof sortColumns)[number];

/** What the statistics don't tell of a program: its hook, or who owns it. */
export type Where = (programId: number) => string;

interface Measured {
    readonly id: number;
    readonly type: string;
    readonly name: string;
    readonly runs: number;
    readonly ns: number;
    /** of one CPU, from 0 */
    readonly cpu: number;
}

/** Cells of one line; those of a chain come with its slots below. */
export interface TopRow extends Measured {
    readonly cells: readonly string[];
    readonly slots: readonly (readonly string[])[];
}

export const headings: Readonly<Record<string, SortColumn | undefined>> = {
    ID: "id",
    TYPE: "type",
    NAME: "name",
    WHERE: undefined,
    "RUNS/S": "runs",
    "NS/RUN": "ns",
    "CPU%": "cpu",
    VERDICTS: undefined,
};
/** Columns of numbers, which end in line. */
export const rightAligned: ReadonlySet<number> = new Set([0, 4, 5, 6]);

/** 1,234; below ten with one digit more, so that a rare event is not 0 */
export function number(value: number): string {
    if (value > 0 && value < 10 && !Number.isInteger(value)) return value.toFixed(1);
    return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

const percent = (share: number): string => (share * 100).toFixed(2);
const asNumber = (value: number | string | undefined): number => Number(value ?? 0);

/** drop 12/s, pass 1,040/s */
function verdictText(verdicts: readonly VerdictCountJson[] | undefined): string {
    return (verdicts ?? []).map(({ name = "", perSecond }) => `${name} ${number(asNumber(perSecond))}/s`).join(", ");
}

function programRow(program: ProgramStatisticsJson, where: Where): TopRow {
    const { id = 0, type = "", name = "", unmeasured = "" } = program;
    const runs = asNumber(program.runsPerSecond);
    const ns = asNumber(program.nsPerRun);
    const cpu = asNumber(program.cpuShare);
    // no figure is not the figure 0
    const known = unmeasured === "" || runs > 0;
    const figures = known ? [number(runs), number(ns), percent(cpu)] : ["-", "-", "-"];
    return {
        id,
        type,
        name,
        runs,
        ns,
        cpu,
        cells: [`${id}`, type, name, where(id), ...figures, unmeasured],
        slots: [],
    };
}

function chainRow(chain: ChainStatisticsJson, seconds: number, programName: (id: number) => string): TopRow {
    const { type = "", slots = [], unmeasured = "" } = chain;
    const name = chain.interface ?? "";
    const runs = asNumber(chain.packetsPerSecond);
    const timeNs = slots.reduce((sum, slot) => sum + asNumber(slot.runTimeNs), 0);
    const packets = asNumber(chain.packets);
    const ns = packets === 0 ? 0 : timeNs / packets;
    const cpu = seconds === 0 ? 0 : timeNs / (seconds * 1e9);
    const known = unmeasured === "";
    const figures = known ? [number(runs), number(ns), percent(cpu)] : ["-", "-", "-"];
    const note = known ? verdictText(chain.verdicts) : unmeasured;
    return {
        ...{ id: 0, type, name, runs, ns, cpu },
        cells: [
            "",
            type,
            `chain of ${name}`,
            `${slots.length} ${slots.length === 1 ? "link" : "links"}`,
            ...figures,
            note,
        ],
        slots: slots.map(slot => slotCells(slot, seconds, programName, known)),
    };
}

function slotCells(
    slot: SlotStatisticsJson,
    seconds: number,
    programName: (id: number) => string,
    known: boolean,
): string[] {
    const { position = 0, programId = 0, linkId = 0 } = slot;
    const cpu = seconds === 0 ? 0 : asNumber(slot.runTimeNs) / (seconds * 1e9);
    const figures = known
        ? [number(asNumber(slot.runsPerSecond)), number(asNumber(slot.nsPerRun)), percent(cpu)]
        : ["-", "-", "-"];
    const verdicts = known ? verdictText(slot.verdicts) : "";
    return [`${programId}`, "", `  ${position} ${programName(programId)}`, `link ${linkId}`, ...figures, verdicts];
}

/** Programs and chains in order. A member that a chain counts is shown there. */
export function topRows(
    record: StatisticsJson,
    sort: { readonly column: SortColumn; readonly reversed: boolean },
    where: Where,
): TopRow[] {
    const { programs = [], chains = [] } = record;
    const seconds = asNumber(record.intervalMs) / 1000;
    const names = new Map(programs.map(({ id = 0, name = "" }) => [id, name]));
    const counted = new Set(
        chains.filter(({ unmeasured = "" }) => unmeasured === "").flatMap(({ slots = [] }) => slots),
    );
    const shownInChain = new Set(Array.from(counted, ({ programId = 0 }) => programId));
    const rows = [
        ...programs.filter(({ id = 0 }) => !shownInChain.has(id)).map(program => programRow(program, where)),
        ...chains
            .filter(({ unmeasured = "" }) => unmeasured === "")
            .map(chain => chainRow(chain, seconds, id => names.get(id) ?? "")),
    ];
    const direction = sort.reversed ? -1 : 1;
    return rows.sort((a, b) => direction * compare(sort.column, a, b) || a.id - b.id);
}

/** Numbers with the largest first, words by the alphabet. */
function compare(column: SortColumn, a: Measured, b: Measured): number {
    switch (column) {
        case "id":
            return a.id - b.id;
        case "type":
        case "name":
            return a[column] < b[column] ? -1 : a[column] > b[column] ? 1 : 0;
        default:
            return b[column] - a[column];
    }
}
