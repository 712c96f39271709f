// SPDX-License-Identifier: Apache-2.0
// What one program costs, measured while this is on the screen.
import { useStatistics } from "../../connection/use-statistics.ts";
import type { Program } from "../../model/model.ts";
import { shown } from "../../text/escape.ts";
import { _ } from "../../text/i18n.ts";
import { duration, figure, percent } from "../../text/words.ts";
import { Alert } from "../../ui/alert.tsx";
import { Card } from "../../ui/card.tsx";
import { Loading } from "../../ui/empty.tsx";
import { Fact, Facts } from "../../ui/facts.tsx";
import { StatisticsCharts } from "../overview/overview-statistics.tsx";
import { English } from "../shared/english.tsx";
import { Explained } from "../shared/help.tsx";
import { Refusal } from "../shared/refusal.tsx";

export function StatisticsTab({ program }: { program: Program }) {
    const { statistics, error } = useStatistics({ isOn: true, programId: program.id });
    const history = statistics?.programs.get(program.id);
    const unavailable = statistics?.record.unavailable ?? "";
    const missing = unavailable === "" ? (history?.unmeasured ?? "") : unavailable;
    const slots = (statistics?.record.chains ?? []).flatMap(chain =>
        (chain.slots ?? [])
            .filter(slot => slot.programId === program.id && (slot.verdicts ?? []).length > 0)
            .map(slot => ({ slot, where: `${chain.type ?? ""} ${chain.interface ?? ""}` })),
    );
    return (
        <Card title={<Explained topic="runStats">{_("Run statistics")}</Explained>}>
            <p className="note measured-note">
                {_("Measured while this is on the screen; each run takes the kernel some 80 ns more meanwhile.")}
            </p>
            {error && <Refusal title={_("Programs can't be measured")} error={error} />}
            {!statistics && !error && <Loading level={3} />}
            {missing !== "" && (
                <Alert variant="warning" title={_("This program is not measured")}>
                    <English>{missing}</English>
                </Alert>
            )}
            {history && missing === "" && (
                <>
                    <Facts>
                        <Fact term={_("Runs per second")}>
                            {history.latest ? figure(history.latest.runsPerSecond) : "…"}
                        </Fact>
                        <Fact term={_("Time of a run")}>
                            {history.latest?.nsPerRun === undefined ? "–" : duration(history.latest.nsPerRun)}
                        </Fact>
                        <Fact term={_("Share of a CPU")}>
                            {history.latest ? percent(history.latest.cpuShare) : "…"}
                        </Fact>
                        <Fact term={_("All runs that were measured")}>{figure(history.totalRuns)}</Fact>
                        <Fact term={_("Time of them all")}>{duration(history.totalTimeNs)}</Fact>
                        {slots.map(({ slot, where }) => (
                            <Fact key={`${where} ${slot.position ?? 0}`} term={shown(where)}>
                                {(slot.verdicts ?? [])
                                    .map(
                                        ({ name = "", perSecond }) =>
                                            `${shown(name)} ${figure(Number(perSecond ?? 0))}/s`,
                                    )
                                    .join(", ")}
                            </Fact>
                        ))}
                    </Facts>
                    <StatisticsCharts programs={[history]} />
                </>
            )}
        </Card>
    );
}
