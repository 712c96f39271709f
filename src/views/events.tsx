// SPDX-License-Identifier: Apache-2.0
// What was changed here and by whom, newest first; new ones appear as they happen.
import { useEffect, useMemo, useState } from "react";
import type { EventJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { asError } from "../dialogs/frame.tsx";
import { eventGroup, eventTitle, groups, merged } from "../model/events.ts";
import { useChoice, useOption } from "../model/view-options.ts";
import { useEvents, usePage } from "../page.ts";
import { programHref, routeHref } from "../route.ts";
import { shown } from "../text/escape.ts";
import { _ } from "../text/i18n.ts";
import { instant } from "../text/words.ts";
import { Button } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { Select } from "../ui/choice.tsx";
import { EmptyState, Loading } from "../ui/empty.tsx";
import { Label } from "../ui/label.tsx";
import { matches } from "../ui/rows.ts";
import { SearchField } from "../ui/search.tsx";
import { type Column, DataTable } from "../ui/table.tsx";
import { English } from "./shared/english.tsx";
import { ErrorAlert, Refusal } from "./shared/refusal.tsx";
import { Section } from "./shared/section.tsx";

const whichEvents = ["all", "programs", "links", "maps", "images", "others"] as const;

export function EventsView() {
    const { events, more, error, showOlder } = useEventList();
    const [filter, setFilter] = useOption("filter");
    const [group, setGroup] = useChoice("which", whichEvents);
    const columns = useMemo(eventColumns, []);
    const matching = useMemo(
        () =>
            events?.filter(
                event => (group === "all" || eventGroup(event) === group) && matches(searchTexts(event), filter),
            ),
        [events, group, filter],
    );
    if (error && !events) return <ErrorAlert error={error} />;
    return (
        <Section>
            <Card title={_("Events")} level={1} isFlush>
                <div className="toolbar">
                    <div className="filter">
                        <SearchField
                            label={_("Filter events")}
                            placeholder={_("Name, person or text")}
                            value={filter}
                            onChange={setFilter}
                            found={matching?.length}
                        />
                    </div>
                    <Select
                        className="short-select"
                        label={_("Which events")}
                        value={group}
                        onChange={setGroup}
                        options={[
                            { value: "all" as const, text: _("All events") },
                            ...groups().map(one => ({ value: one.id, text: one.title })),
                        ]}
                    />
                </div>
                {matching ? (
                    <DataTable
                        label={_("Events")}
                        columns={columns}
                        rows={matching}
                        keyOf={event => event.sequence ?? ""}
                        empty={<NoEvents isFiltered={filter !== "" || group !== "all"} />}
                    />
                ) : (
                    <Loading level={2} />
                )}
                {error && <Refusal title={_("Older events can't be shown")} error={error} />}
                {more && (
                    <div className="inset">
                        <Button variant="link" onClick={showOlder}>
                            {_("Show older events")}
                        </Button>
                    </div>
                )}
            </Card>
        </Section>
    );
}

// a page that is open for weeks does not keep all that ever happened; what it lets go is asked for again
const mostKept = 5000;

interface EventList {
    readonly events: readonly EventJson[] | undefined;
    readonly more: boolean;
    readonly error: Error | undefined;
    readonly showOlder: () => void;
}

/** The newest are kept up to date; older ones, once asked for, stay. */
function useEventList(): EventList {
    const { client } = usePage();
    const newest = useEvents();
    const [older, setOlder] = useState<readonly EventJson[]>([]);
    const [more, setMore] = useState<boolean>();
    const [error, setError] = useState<Error>();
    const [isAsking, setAsking] = useState(false);
    const { value } = newest;
    // what leaves the newest page is not to leave the list
    useEffect(() => {
        if (value) setOlder(known => (known.length === 0 ? known : merged(value.events, known).slice(0, mostKept)));
    }, [value]);
    const events = useMemo(() => value && merged(value.events, older), [value, older]);
    const showOlder = async () => {
        const before = events?.at(-1)?.sequence;
        if (before === undefined || isAsking) return;
        setAsking(true);
        try {
            const answer = await client.listEvents({ beforeSequence: before });
            setOlder(known => merged(events ?? [], [...known, ...(answer.events ?? [])]));
            setMore(answer.more ?? false);
            setError(undefined);
        } catch (cause) {
            setError(asError(cause));
        }
        setAsking(false);
    };
    return {
        events,
        more: (older.length >= mostKept || (more ?? value?.more)) ?? false,
        error: error ?? newest.error,
        showOlder: () => void showOlder(),
    };
}

function NoEvents({ isFiltered }: { isFiltered: boolean }) {
    return (
        <EmptyState isSmall title={isFiltered ? _("No event matches the filter") : _("No events")}>
            {!isFiltered && _("Whatever is loaded, attached or changed from now on is told here.")}
        </EmptyState>
    );
}

function searchTexts(event: EventJson): string[] {
    return [eventTitle(event), event.by ?? "", event.message ?? "", ...(event.subjects ?? [])];
}

function eventColumns(): Column<EventJson>[] {
    return [
        { id: "time", title: _("Time"), width: 20, wrap: "nowrap", cell: event => instant(event.time ?? "") },
        {
            id: "event",
            title: _("Event"),
            width: 20,
            cell: event => (
                <>
                    {event.kind === "REFUSED" && (
                        <>
                            <Label color="red">{_("Refused")}</Label>{" "}
                        </>
                    )}
                    {eventTitle(event)}
                </>
            ),
        },
        { id: "subject", title: _("What"), wrap: "breakWord", cell: event => <Subjects event={event} /> },
        {
            id: "by",
            title: _("By"),
            width: 20,
            wrap: "breakWord",
            cell: event => <English>{event.by ?? ""}</English>,
        },
    ];
}

function Subjects({ event }: { event: EventJson }) {
    const { subjects = [], message = "", programIds = [], linkIds = [] } = event;
    return (
        <>
            {subjects.map((subject, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: subjects have no other identity and never change
                <div key={at}>
                    <bdi>{shown(subject)}</bdi>
                </div>
            ))}
            {message !== "" && (
                <div className="note">
                    <English>{message}</English>
                </div>
            )}
            {event.kind !== "PROGRAM_UNLOADED" && event.kind !== "REFUSED" && (
                <div className="note ids">
                    {programIds.map(id => (
                        <a key={id} href={programHref(id)}>{`${_("Program")} ${id}`}</a>
                    ))}
                    {event.kind !== "LINK_DETACHED" &&
                        event.kind !== "LINK_LOST" &&
                        linkIds.map(id => (
                            <a key={id} href={routeHref({ view: "link", id })}>{`${_("Link")} ${id}`}</a>
                        ))}
                </div>
            )}
        </>
    );
}
