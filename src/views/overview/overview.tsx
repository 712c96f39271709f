// SPDX-License-Identifier: Apache-2.0
// How eBPF is used on this system: how much of it, whose, what it costs, and everything there is.
import { useMemo } from "react";
import { type InventoryRow, type Kind, othersKey, sharesBy } from "../../model/inventory.ts";
import { useChoice } from "../../model/view-options.ts";
import { useInventory } from "../../page.ts";
import { shown } from "../../text/escape.ts";
import { _, format, ngettext } from "../../text/i18n.ts";
import { bytes, figure } from "../../text/words.ts";
import { Bars } from "../../ui/bars.tsx";
import { Card } from "../../ui/card.tsx";
import { Loading } from "../../ui/empty.tsx";
import { ErrorAlert } from "../shared/refusal.tsx";
import { Section } from "../shared/section.tsx";
import { HostCard } from "./overview-host.tsx";
import { InventoryCard } from "./overview-inventory.tsx";
import { StatisticsCard } from "./overview-statistics.tsx";

const kinds = ["program", "map", "link", "btf"] as const;

export function OverviewView() {
    const { value: inventory, error } = useInventory();
    const [kind, setKind] = useChoice("kind", ["all", ...kinds]);
    const rows = inventory?.rows;
    return (
        <>
            <h1 className="pf-v6-screen-reader">{_("Overview")}</h1>
            {error && <ErrorAlert error={error} />}
            <Section className="cards">
                {rows && <Totals rows={rows} onChoose={setKind} />}
                <div className="card-triple">
                    {rows && <OwnersCard rows={rows} />}
                    {rows && <TypesCard rows={rows} />}
                    <HostCard />
                </div>
                <StatisticsCard />
                {inventory && <InventoryCard inventory={inventory} kind={kind} onKind={setKind} />}
                {!inventory && !error && <Loading level={2} />}
            </Section>
        </>
    );
}

function kindTitle(kind: Kind): string {
    switch (kind) {
        case "program":
            return _("Programs");
        case "map":
            return _("Maps");
        case "link":
            return _("Links");
        case "btf":
            return _("BTF objects");
    }
}

interface TotalsProps {
    readonly rows: readonly InventoryRow[];
    readonly onChoose: (kind: Kind) => void;
}

function Totals({ rows, onChoose }: TotalsProps) {
    const choose = (kind: Kind) => {
        onChoose(kind);
        document.getElementById("inventory")?.scrollIntoView({ block: "start" });
    };
    return (
        <div className="totals">
            {kinds.map(kind => {
                const those = rows.filter(row => row.kind === kind);
                return (
                    <Card key={kind} className="total">
                        <button type="button" className="total-button" onClick={() => choose(kind)}>
                            <span className="total-figure">{figure(those.length)}</span>
                            <span className="total-title">{kindTitle(kind)}</span>
                            <span className="note">{totalNote(kind, those)}</span>
                        </button>
                    </Card>
                );
            })}
        </div>
    );
}

function totalNote(kind: Kind, rows: readonly InventoryRow[]): string {
    const managed = rows.filter(row => row.managed || row.partOf !== "").length;
    const here = ngettext("$0 from here", "$0 from here", managed);
    if (kind === "link") return here;
    const memory = bytes(rows.reduce((sum, row) => sum + (row.memoryBytes ?? 0), 0));
    return kind === "btf" ? memory : format("$0 · $1", memory, here);
}

const most = 6;

function OwnersCard({ rows }: { rows: readonly InventoryRow[] }) {
    // BTF of the kernel itself would dwarf what anybody loaded
    const shares = useMemo(
        () =>
            sharesBy(
                rows.filter(row => row.kind === "program" || row.kind === "map"),
                row => row.owner,
                "memoryBytes",
                most,
            ),
        [rows],
    );
    return (
        <Card title={_("Memory by owner")}>
            <Bars
                label={_("Memory by owner")}
                bars={shares.map(share => ({
                    key: share.key,
                    name: shareName(share.key, _("unknown owner")),
                    value: share.memoryBytes,
                    figure: bytes(share.memoryBytes),
                }))}
            />
        </Card>
    );
}

function TypesCard({ rows }: { rows: readonly InventoryRow[] }) {
    const shares = useMemo(
        () =>
            sharesBy(
                rows.filter(row => row.kind === "program"),
                row => row.type,
                "count",
                most,
            ),
        [rows],
    );
    return (
        <Card title={_("Programs by type")}>
            <Bars
                label={_("Programs by type")}
                bars={shares.map(share => ({
                    key: share.key,
                    name: shareName(share.key, _("unknown type")),
                    value: share.count,
                    figure: figure(share.count),
                }))}
            />
        </Card>
    );
}

function shareName(key: string, none: string): string {
    if (key === othersKey) return _("all others");
    return key === "" ? none : shown(key);
}
