// SPDX-License-Identifier: Apache-2.0
// What programs cost, measured while the switch is on and this view is on the screen.
import { useMemo, useState } from "react";
import { useStatistics } from "../../connection/use-statistics.ts";
import { busiest, keptRecords, type LiveStatistics, type ProgramHistory, valuesOf } from "../../model/statistics.ts";
import { programHref } from "../../route.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { duration, figure, percent } from "../../text/words.ts";
import { Alert } from "../../ui/alert.tsx";
import { Card } from "../../ui/card.tsx";
import { chartColors, Legend, LineChart, Sparkline } from "../../ui/chart.tsx";
import { Switch } from "../../ui/choice.tsx";
import { EmptyState, Loading } from "../../ui/empty.tsx";
import { matches } from "../../ui/rows.ts";
import { SearchField } from "../../ui/search.tsx";
import { type Column, DataTable } from "../../ui/table.tsx";
import { English } from "../shared/english.tsx";
import { Explained } from "../shared/help.tsx";
import { Refusal } from "../shared/refusal.tsx";

export function StatisticsCard() {
    const [isOn, setOn] = useState(false);
    const { statistics, error } = useStatistics({ isOn });
    return (
        <Card
            title={<Explained topic="runStats">{_("Run statistics")}</Explained>}
            actions={<Switch label={_("Measure")} isOn={isOn} onChange={setOn} />}
            isFlush
        >
            {!isOn && (
                <p className="note inset">
                    {_(
                        "Shows how often programs run and how long they take. While it measures, each run takes the kernel some 80 ns more.",
                    )}
                </p>
            )}
            {error && (
                <div className="inset">
                    <Refusal title={_("Programs can't be measured")} error={error} />
                </div>
            )}
            {isOn && !error && (statistics ? <Measured statistics={statistics} /> : <Loading level={3} />)}
        </Card>
    );
}

function Measured({ statistics }: { statistics: LiveStatistics }) {
    const { unavailable = "" } = statistics.record;
    const top = useMemo(() => busiest(statistics, chartColors), [statistics]);
    if (unavailable !== "") {
        return (
            <div className="inset">
                <Alert variant="warning" title={_("This kernel does not measure programs")}>
                    <English>{unavailable}</English>
                </Alert>
            </div>
        );
    }
    return (
        <>
            <div className="inset">
                <StatisticsCharts programs={top} />
            </div>
            <LiveTable statistics={statistics} />
        </>
    );
}

export function StatisticsCharts({ programs }: { programs: readonly ProgramHistory[] }) {
    const seriesOf = (metric: Parameters<typeof valuesOf>[1]) =>
        programs.map(program => ({
            key: program.id,
            name: historyLabel(program),
            values: valuesOf(program, metric),
        }));
    const common = { slots: keptRecords, since: _("2 min ago") };
    return (
        <>
            <div className="charts">
                <LineChart {...common} title={_("Share of a CPU")} series={seriesOf("cpuShare")} format={percent} />
                <LineChart
                    {...common}
                    title={_("Runs per second")}
                    series={seriesOf("runsPerSecond")}
                    format={figure}
                />
                <LineChart {...common} title={_("Time of a run")} series={seriesOf("nsPerRun")} format={duration} />
            </div>
            {programs.length > 0 ? (
                <Legend series={programs.map(program => ({ key: program.id, name: historyLabel(program) }))} />
            ) : (
                <p className="note">{_("Nothing ran so far.")}</p>
            )}
        </>
    );
}

function historyLabel(program: ProgramHistory): string {
    return format(_("$0 (ID $1)"), program.name === "" ? _("(no name)") : shown(program.name), program.id);
}

function LiveTable({ statistics }: { statistics: LiveStatistics }) {
    const [filter, setFilter] = useState("");
    const columns = useMemo(liveColumns, []);
    const rows = useMemo(() => [...statistics.programs.values()], [statistics]);
    const matching = rows.filter(row => matches([row.name, row.type, String(row.id)], filter));
    return (
        <>
            <div className="toolbar">
                <div className="filter">
                    <SearchField
                        label={_("Filter measured programs")}
                        placeholder={_("Name, type or ID")}
                        value={filter}
                        onChange={setFilter}
                        found={matching.length}
                    />
                </div>
            </div>
            <DataTable
                label={_("Run statistics")}
                columns={columns}
                rows={matching}
                keyOf={row => row.id}
                sort={{ by: "cpu", descending: true }}
                empty={<EmptyState isSmall level={3} title={_("No program matches the filter")} />}
            />
        </>
    );
}

function liveColumns(): Column<ProgramHistory>[] {
    return [
        {
            id: "name",
            title: _("Program"),
            width: 20,
            wrap: "breakWord",
            cell: row => (
                <>
                    <a href={programHref(row.id, "statistics")}>{row.name === "" ? _("(no name)") : shown(row.name)}</a>
                    {row.unmeasured !== "" && (
                        <div className="note">
                            {_("Not measured:")} <English>{row.unmeasured}</English>
                        </div>
                    )}
                    {row.byChain && <div className="note">{_("counted by its chain")}</div>}
                </>
            ),
            sortBy: row => row.name,
        },
        { id: "id", title: _("ID"), width: 10, cell: row => row.id, sortBy: row => row.id },
        { id: "type", title: _("Type"), width: 15, cell: row => shown(row.type), sortBy: row => row.type },
        {
            id: "runs",
            title: _("Runs per second"),
            isNumeric: true,
            cell: row => row.latest && figure(row.latest.runsPerSecond),
            sortBy: row => row.latest?.runsPerSecond ?? -1,
        },
        {
            id: "time",
            title: _("Time of a run"),
            isNumeric: true,
            cell: row => row.latest?.nsPerRun !== undefined && duration(row.latest.nsPerRun),
            sortBy: row => row.latest?.nsPerRun ?? -1,
        },
        {
            id: "cpu",
            title: _("CPU"),
            isNumeric: true,
            cell: row => row.latest && percent(row.latest.cpuShare),
            sortBy: row => row.latest?.cpuShare ?? -1,
        },
        {
            id: "trend",
            title: _("Trend"),
            width: 15,
            isWideOnly: true,
            cell: row => <Sparkline values={valuesOf(row, "cpuShare")} slots={keptRecords} />,
        },
        {
            id: "total",
            title: _("All runs"),
            isNumeric: true,
            cell: row => row.unmeasured === "" && figure(row.totalRuns),
            sortBy: row => (row.unmeasured === "" ? row.totalRuns : -1),
        },
    ];
}
