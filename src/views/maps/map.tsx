// SPDX-License-Identifier: Apache-2.0
// One map: what it is, and what it holds.
import { CallError } from "../../../client/errors.ts";
import type { MapInfo } from "../../model/map-model.ts";
import { flagWords } from "../../model/map-text.ts";
import { useMap } from "../../page.ts";
import { routeHref } from "../../route.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { bytes, whole } from "../../text/words.ts";
import { Alert } from "../../ui/alert.tsx";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { EmptyState, Loading } from "../../ui/empty.tsx";
import { Fact, Facts } from "../../ui/facts.tsx";
import { Breadcrumb } from "../../ui/nav.tsx";
import { Code } from "../shared/code.tsx";
import { English } from "../shared/english.tsx";
import { Explained } from "../shared/help.tsx";
import { ErrorAlert } from "../shared/refusal.tsx";
import { Section } from "../shared/section.tsx";
import { MapEntries } from "./map-entries.tsx";
import { MapMarks, mapLabel, TypeText, Users, useProgramNames } from "./maps.tsx";

export function MapView({ id }: { id: number }) {
    const { value: map, error } = useMap(id);
    return (
        <>
            <Section className="breadcrumb">
                <Breadcrumb href={routeHref({ view: "maps" })} list={_("Maps")}>
                    {map ? mapLabel(map) : id}
                </Breadcrumb>
            </Section>
            {error instanceof CallError && error.code === "NOT_FOUND" ? (
                <NoMap id={id} />
            ) : error ? (
                <ErrorAlert error={error} />
            ) : map ? (
                <Section className="cards">
                    <div className="title-line">
                        <h1>
                            {mapLabel(map)} <MapMarks map={map} />
                        </h1>
                    </div>
                    <FactsCard map={map} />
                    <Reasons map={map} />
                    {map.unreadable === "" && <MapEntries map={map} />}
                </Section>
            ) : (
                <Loading />
            )}
        </>
    );
}

function NoMap({ id }: { id: number }) {
    return (
        <EmptyState
            level={1}
            title={format(_("No map has the ID $0"), id)}
            actions={
                <Button variant="link" href={routeHref({ view: "maps" })}>
                    {_("Show all maps")}
                </Button>
            }
        >
            {_("It may have gone with the last program that used it.")}
        </EmptyState>
    );
}

function FactsCard({ map }: { map: MapInfo }) {
    const names = useProgramNames();
    const flags = flagWords(map.flags);
    return (
        <Card title={_("Map")}>
            <div className="fact-columns">
                <Facts>
                    <Fact term={_("ID")}>{map.id}</Fact>
                    <Fact term={<Explained topic="mapType">{_("Type")}</Explained>}>{shown(map.type)}</Fact>
                    <Fact term={_("Key")}>
                        <TypeText type={map.keyType} sizeBytes={map.keyBytes} />
                        {map.keyType !== "" && <span className="note"> {bytes(map.keyBytes)}</span>}
                    </Fact>
                    <Fact term={_("Value")}>
                        <TypeText type={map.valueType} sizeBytes={map.valueBytes} />
                        {map.valueType !== "" && <span className="note"> {bytes(map.valueBytes)}</span>}
                    </Fact>
                    <Fact term={_("Room for")}>{whole(map.maxEntries)}</Fact>
                    <Fact term={_("Memory")}>{bytes(map.memoryBytes)}</Fact>
                </Facts>
                <Facts>
                    <Fact term={_("Owner")}>
                        {map.managed ? (
                            _("Managed here")
                        ) : map.partOf !== "" ? (
                            format(_("Part of the $0"), shown(map.partOf))
                        ) : (
                            <Explained topic="mapOwner">{_("Others")}</Explained>
                        )}
                    </Fact>
                    <Fact term={_("Used by")}>
                        <Users map={map} names={names} />
                    </Fact>
                    <Fact term={<Explained topic="btf">{_("BTF")}</Explained>}>
                        {map.btfId === 0 ? _("none: entries are shown as bytes") : format(_("ID $0"), map.btfId)}
                    </Fact>
                    {map.pinPaths.length > 0 && (
                        <Fact term={<Explained topic="pinned">{_("Pinned")}</Explained>}>
                            {map.pinPaths.map(path => (
                                <div key={path}>
                                    <Code>{path}</Code>
                                </div>
                            ))}
                        </Fact>
                    )}
                    {flags.length > 0 && <Fact term={_("Flags")}>{flags.join(", ")}</Fact>}
                    {map.frozen && <Fact term={<Explained topic="frozen">{_("Frozen")}</Explained>}>{_("Yes")}</Fact>}
                </Facts>
            </div>
        </Card>
    );
}

/** In the daemon's words, which are English. */
function Reasons({ map }: { map: MapInfo }) {
    return (
        <>
            {map.unreadable !== "" && (
                <Alert variant="info" title={_("The entries of this map can't be shown")}>
                    <English>{map.unreadable}</English>
                </Alert>
            )}
            {map.unreadable === "" && map.unwritable !== "" && (
                <Alert variant="info" title={_("The entries of this map can't be changed")}>
                    <English>{map.unwritable}</English>
                </Alert>
            )}
        </>
    );
}
