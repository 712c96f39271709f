// SPDX-License-Identifier: Apache-2.0
// The programs of this host as a table.
import { Button } from "@patternfly/react-core/dist/esm/components/Button/index.js";
import { Card, CardBody, CardHeader, CardTitle } from "@patternfly/react-core/dist/esm/components/Card/index.js";
import { EmptyState, EmptyStateBody } from "@patternfly/react-core/dist/esm/components/EmptyState/index.js";
import { SearchInput } from "@patternfly/react-core/dist/esm/components/SearchInput/index.js";
import { ToggleGroup, ToggleGroupItem } from "@patternfly/react-core/dist/esm/components/ToggleGroup/index.js";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table/dist/esm/components/Table/index.js";
import { useState } from "react";
import { LoadDialog } from "../dialogs/load.tsx";
import { shown } from "../escape.ts";
import { _, format } from "../i18n.ts";
import type { Program } from "../model.ts";
import { usePage, usePrograms } from "../page.ts";
import { programHref } from "../route.ts";
import { bytes, hookTitle, moment, typeLabel } from "../words.ts";
import { Loading } from "./gate.tsx";
import { LinkLabels, programLabel } from "./labels.tsx";
import { ProgramMenu } from "./program-menu.tsx";
import { ErrorAlert } from "./refusal.tsx";
import { Section } from "./section.tsx";

export function ProgramsView() {
    const { show } = usePage();
    const [all, setAll] = useState(false);
    const [filter, setFilter] = useState("");
    const { value: programs, error } = usePrograms(all);
    if (error) return <ErrorAlert error={error} />;
    const matching = programs?.filter(program => matches(program, filter));
    return (
        <Section>
            <Card>
                <CardHeader
                    actions={{
                        hasNoOffset: true,
                        actions: (
                            <Button variant="primary" onClick={() => show(<LoadDialog />)}>
                                {_("Load program")}
                            </Button>
                        ),
                    }}
                >
                    <CardTitle component="h1">{_("Programs")}</CardTitle>
                </CardHeader>
                <CardBody className="flush">
                    <div className="toolbar">
                        <div className="filter">
                            <SearchInput
                                value={filter}
                                onChange={(_event, text) => setFilter(text)}
                                onClear={() => setFilter("")}
                                placeholder={_("Name, type or interface")}
                                aria-label={_("Filter programs")}
                                resetButtonLabel={_("Clear the filter")}
                            />
                        </div>
                        <ToggleGroup aria-label={_("Which programs")}>
                            <ToggleGroupItem
                                text={_("Managed here")}
                                isSelected={!all}
                                onChange={() => setAll(false)}
                            />
                            <ToggleGroupItem text={_("All")} isSelected={all} onChange={() => setAll(true)} />
                        </ToggleGroup>
                    </div>
                    {matching ? <ProgramTable programs={matching} filtered={filter !== ""} all={all} /> : <Loading />}
                </CardBody>
            </Card>
        </Section>
    );
}

function matches(program: Program, filter: string): boolean {
    const text = filter.trim().toLowerCase();
    const hooks = program.links.flatMap(link => [link.interface, link.netns, hookTitle(link.kind, link.direction)]);
    return [String(program.id), program.name, program.type, program.application, ...hooks].some(word =>
        word.toLowerCase().includes(text),
    );
}

function ProgramTable({ programs, filtered, all }: { programs: readonly Program[]; filtered: boolean; all: boolean }) {
    if (programs.length === 0) {
        return (
            <EmptyState
                headingLevel="h2"
                variant="sm"
                titleText={filtered ? _("No program matches the filter") : _("No programs")}
            >
                {!filtered && !all && (
                    <EmptyStateBody>
                        {_("Load one, or choose “All” to see what others loaded into the kernel.")}
                    </EmptyStateBody>
                )}
            </EmptyState>
        );
    }
    return (
        <Table variant="compact" aria-label={_("Programs")}>
            <Thead>
                <Tr>
                    <Th>{_("Name")}</Th>
                    <Th>{_("ID")}</Th>
                    <Th>{_("Type")}</Th>
                    <Th>{_("Application")}</Th>
                    <Th>{_("Links")}</Th>
                    <Th>{_("Memory")}</Th>
                    <Th>{_("Loaded")}</Th>
                    <Th screenReaderText={_("Actions")} />
                </Tr>
            </Thead>
            <Tbody>
                {programs.map(program => (
                    <Tr key={program.id}>
                        <Td dataLabel={_("Name")} modifier="breakWord">
                            <a href={programHref(program.id)}>{programLabel(program)}</a>
                            {!program.managed && <div className="note">{foreignNote(program)}</div>}
                        </Td>
                        <Td dataLabel={_("ID")}>{program.id}</Td>
                        <Td dataLabel={_("Type")}>{shown(typeLabel(program.type))}</Td>
                        <Td dataLabel={_("Application")} modifier="breakWord">
                            {shown(program.application)}
                        </Td>
                        <Td dataLabel={_("Links")}>
                            <LinkLabels links={program.links} />
                        </Td>
                        <Td dataLabel={_("Memory")} modifier="nowrap">
                            {bytes(program.memoryBytes)}
                        </Td>
                        <Td dataLabel={_("Loaded")} modifier="nowrap">
                            {moment(program.loadedAt)}
                        </Td>
                        <Td isActionCell>{program.managed && <ProgramMenu program={program} />}</Td>
                    </Tr>
                ))}
            </Tbody>
        </Table>
    );
}

function foreignNote(program: Program): string {
    return program.partOf === "" ? _("Not managed here") : format(_("Part of the $0"), shown(program.partOf));
}
