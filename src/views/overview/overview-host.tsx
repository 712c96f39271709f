// SPDX-License-Identifier: Apache-2.0
// What this kernel supports: every feature as a probe found it, in groups, with the reason where it does not.
import { useMemo, useState } from "react";
import type { FeatureJson } from "../../../proto/gen/bpfman/host/v1/host_pb.js";
import { type HostFacts, useHostFacts, usePage } from "../../page.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { Loading } from "../../ui/empty.tsx";
import { Fact, Facts } from "../../ui/facts.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Modal, ModalBody, ModalHeader } from "../../ui/modal.tsx";
import { matches } from "../../ui/rows.ts";
import { SearchField } from "../../ui/search.tsx";
import { type Column, DataTable } from "../../ui/table.tsx";
import { English } from "../shared/english.tsx";
import { Refusal } from "../shared/refusal.tsx";

export function HostCard() {
    const { value, error } = useHostFacts();
    const { show } = usePage();
    return (
        <Card
            title={_("This system")}
            actions={
                value && (
                    <Button variant="secondary" onClick={() => show(<FeaturesDialog facts={value} />)}>
                        {_("Show features")}
                    </Button>
                )
            }
        >
            {error && <Refusal title={_("This can't be shown")} error={error} />}
            {!value && !error && <Loading level={3} />}
            {value && <HostFactList facts={value} />}
        </Card>
    );
}

function HostFactList({ facts: { features, version } }: { facts: HostFacts }) {
    const all = features.features ?? [];
    return (
        <Facts>
            <Fact term={_("Kernel")}>{shown(features.kernel ?? "")}</Fact>
            <Fact term={_("Architecture")}>{shown(features.architecture ?? "")}</Fact>
            <Fact term={_("libbpf")}>{shown(features.libbpf ?? "")}</Fact>
            <Fact term={_("eBPF manager")}>{shown(version.version ?? "")}</Fact>
            <Fact term={_("Features")}>
                {format(_("$0 of $1 are supported"), all.filter(isSupported).length, all.length)}
            </Fact>
        </Facts>
    );
}

const isSupported = (feature: FeatureJson) => feature.supported ?? false;

function FeaturesDialog({ facts }: { facts: HostFacts }) {
    const { show } = usePage();
    const [filter, setFilter] = useState("");
    const features = facts.features.features ?? [];
    const matching = features.filter(({ name = "", note = "", errno = "" }) => matches([name, note, errno], filter));
    const columns = useMemo(featureColumns, []);
    return (
        <Modal aria-labelledby="features-title" size="large" onClose={() => show(null)}>
            <ModalHeader
                title={format(_("What the kernel $0 supports"), shown(facts.features.kernel ?? ""))}
                labelId="features-title"
            />
            <ModalBody>
                <div className="toolbar-in-dialog">
                    <SearchField
                        label={_("Filter features")}
                        placeholder={_("Name or reason")}
                        value={filter}
                        onChange={setFilter}
                        found={matching.length}
                    />
                </div>
                <DataTable
                    label={_("Features")}
                    columns={columns}
                    rows={matching}
                    keyOf={({ name = "" }) => name}
                    grouping={{ keyOf: ({ name = "" }) => groupTitle(name.split("/")[0] ?? ""), noneTitle: "" }}
                />
            </ModalBody>
        </Modal>
    );
}

function featureColumns(): Column<FeatureJson>[] {
    return [
        {
            id: "name",
            title: _("Feature"),
            width: 35,
            wrap: "breakWord",
            cell: ({ name = "" }) => shown(name.split("/").slice(1).join("/") || name),
            sortBy: ({ name = "" }) => name,
        },
        {
            id: "supported",
            title: _("Supported"),
            width: 15,
            cell: feature => (
                <span className={isSupported(feature) ? "yes" : "note"}>
                    {isSupported(feature) && <Icon name="success" />} {isSupported(feature) ? _("Yes") : _("No")}
                </span>
            ),
            sortBy: feature => Number(isSupported(feature)),
        },
        {
            id: "reason",
            title: _("What the probe says"),
            cell: ({ errno = "", note = "" }) => (
                <English>{[errno, note].filter(word => word !== "").join(": ")}</English>
            ),
        },
    ];
}

function groupTitle(group: string): string {
    switch (group) {
        case "program-type":
            return _("Program types");
        case "map-type":
            return _("Map types");
        case "link":
            return _("Links");
        case "helper":
            return _("Helper functions");
        default:
            return shown(group);
    }
}
