// SPDX-License-Identifier: Apache-2.0
// One program: what was asked for, what the kernel has, where it runs, and its maps.
import { Breadcrumb, BreadcrumbItem } from "@patternfly/react-core/dist/esm/components/Breadcrumb/index.js";
import { Button } from "@patternfly/react-core/dist/esm/components/Button/index.js";
import { Card, CardBody, CardHeader, CardTitle } from "@patternfly/react-core/dist/esm/components/Card/index.js";
import {
    DescriptionList,
    DescriptionListDescription,
    DescriptionListGroup,
    DescriptionListTerm,
} from "@patternfly/react-core/dist/esm/components/DescriptionList/index.js";
import { EmptyState, EmptyStateBody } from "@patternfly/react-core/dist/esm/components/EmptyState/index.js";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table/dist/esm/components/Table/index.js";
import type { ReactNode } from "react";
import { fromBase64 } from "../../client/base64.ts";
import { CallError } from "../../client/errors.ts";
import type { KernelProgramJson, ProgramRecordJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { AttachDialog } from "../dialogs/attach.tsx";
import { UnloadDialog } from "../dialogs/unload.tsx";
import { shown } from "../escape.ts";
import { _, format } from "../i18n.ts";
import { attachKind, type BpfMap, type Link, mapOf, type Program } from "../model.ts";
import { usePage, useProgram } from "../page.ts";
import { programHref, routeHref } from "../route.ts";
import { bytes, hookKind, hookTitle, interfaceLabel, moment, typeLabel } from "../words.ts";
import { ProceedOn } from "./chain.tsx";
import { Loading } from "./gate.tsx";
import { programLabel } from "./labels.tsx";
import { LinkMenu } from "./link-menu.tsx";
import { ErrorAlert } from "./refusal.tsx";
import { Section } from "./section.tsx";

export function ProgramView({ id }: { id: number }) {
    const { value: program, error } = useProgram(id);
    return (
        <>
            <Section className="breadcrumb">
                <Breadcrumb aria-label={_("Breadcrumb")}>
                    <BreadcrumbItem to={routeHref({ view: "programs" })}>{_("Programs")}</BreadcrumbItem>
                    <BreadcrumbItem isActive>{program ? programLabel(program) : String(id)}</BreadcrumbItem>
                </Breadcrumb>
            </Section>
            {error ? <NoProgram id={id} error={error} /> : program ? <Facts program={program} /> : <Loading />}
        </>
    );
}

function NoProgram({ id, error }: { id: number; error: Error }) {
    if (!(error instanceof CallError) || error.code !== "NOT_FOUND") return <ErrorAlert error={error} />;
    return (
        <Section>
            <EmptyState headingLevel="h1" titleText={format(_("No program has the ID $0"), id)}>
                <EmptyStateBody>
                    {_("It may have been unloaded. IDs are given anew when the machine starts.")}
                </EmptyStateBody>
            </EmptyState>
        </Section>
    );
}

function Facts({ program }: { program: Program }) {
    const { show } = usePage();
    const { record, kernel } = program.json;
    return (
        <Section className="cards">
            <div className="title-line">
                <h1>{programLabel(program)}</h1>
                {program.managed && (
                    <div className="actions">
                        {attachKind(program) && (
                            <Button variant="secondary" onClick={() => show(<AttachDialog program={program} />)}>
                                {_("Attach")}
                            </Button>
                        )}
                        <Button
                            variant="secondary"
                            isDanger
                            onClick={() => show(<UnloadDialog program={program} leave />)}
                        >
                            {_("Unload")}
                        </Button>
                    </div>
                )}
            </div>
            {!program.managed && (
                <p className="note">
                    {program.partOf === ""
                        ? _("Others loaded this program; it is not managed here.")
                        : format(
                              _("This program is part of the $0; it comes and goes with it."),
                              shown(program.partOf),
                          )}
                </p>
            )}
            <div className="card-pair">
                {kernel && <KernelCard kernel={kernel} />}
                {record && <RecordCard record={record} application={program.application} />}
            </div>
            {program.managed && <LinksCard links={program.links} />}
            <MapsCard maps={(program.json.maps ?? []).map(mapOf)} usedBy={program.json.mapUsedBy ?? []} />
        </Section>
    );
}

function KernelCard({ kernel }: { kernel: KernelProgramJson }) {
    return (
        <FactCard title={_("Kernel")}>
            <Fact term={_("ID")}>{kernel.id ?? 0}</Fact>
            <Fact term={_("Name in the kernel")}>{shown(kernel.name ?? "")}</Fact>
            <Fact term={_("Type")}>{shown(kernel.typeName ?? "")}</Fact>
            <Fact term={_("Tag")}>
                <code>{kernel.tag ?? ""}</code>
            </Fact>
            <Fact term={_("Loaded")}>{moment(kernel.loadedAt ?? "")}</Fact>
            <Fact term={_("Loaded by user ID")}>{kernel.uid ?? 0}</Fact>
            <Fact term={_("Translated size")}>{bytes(kernel.sizeXlatedBytes ?? 0)}</Fact>
            <Fact term={_("Compiled size")}>{bytes(kernel.sizeJitedBytes ?? 0)}</Fact>
            <Fact term={_("Verified instructions")}>{kernel.verifiedInsns ?? 0}</Fact>
            <Fact term={_("Memory")}>{bytes(kernel.memlockBytes ?? 0)}</Fact>
            <Fact term={_("BTF ID")}>{kernel.btfId ? kernel.btfId : _("None")}</Fact>
            <Fact term={_("GPL compatible")}>{kernel.gplCompatible ? _("Yes") : _("No")}</Fact>
        </FactCard>
    );
}

function RecordCard({ record, application }: { record: ProgramRecordJson; application: string }) {
    const globals = Object.entries(record.globalData ?? {});
    const metadata = Object.entries(record.metadata ?? {});
    return (
        <FactCard title={_("As it was loaded")}>
            <Fact term={_("Type")}>{shown(typeLabel(record.type ?? ""))}</Fact>
            <Fact term={_("Application")}>{application === "" ? _("None") : shown(application)}</Fact>
            <Fact term={_("Section")}>
                <code>{shown(record.section ?? "")}</code>
            </Fact>
            <Fact term={_("Source")}>{shown(record.sourcePath ?? "")}</Fact>
            <Fact term={_("SHA-256")}>
                <code>{record.objectSha256 ?? ""}</code>
            </Fact>
            <Fact term={_("License")}>{shown(record.license ?? "")}</Fact>
            <Fact term={_("Created")}>{moment(record.createdAt ?? "")}</Fact>
            <Fact term={_("Created by")}>{shown(record.createdBy ?? "")}</Fact>
            {globals.length > 0 && (
                <Fact term={_("Global variables")}>
                    {globals.map(([name, value]) => (
                        <div key={name}>
                            <code>{`${shown(name)} = ${hex(value)}`}</code>
                        </div>
                    ))}
                </Fact>
            )}
            {metadata.length > 0 && (
                <Fact term={_("Metadata")}>
                    {metadata.map(([key, value]) => (
                        <div key={key}>
                            <code>{`${shown(key)}: ${shown(value)}`}</code>
                        </div>
                    ))}
                </Fact>
            )}
            {record.pinPath && (
                <Fact term={_("Pin")}>
                    <code>{shown(record.pinPath)}</code>
                </Fact>
            )}
        </FactCard>
    );
}

function hex(base64: string): string {
    return `0x${[...fromBase64(base64)].map(byte => byte.toString(16).padStart(2, "0")).join("")}`;
}

function LinksCard({ links }: { links: readonly Link[] }) {
    return (
        <Card>
            <CardHeader>
                <CardTitle component="h2">{_("Links")}</CardTitle>
            </CardHeader>
            <CardBody className="flush">
                {links.length === 0 ? (
                    <p className="note inset">{_("Attached nowhere: the program does not run.")}</p>
                ) : (
                    <Table variant="compact" aria-label={_("Links")}>
                        <Thead>
                            <Tr>
                                <Th>{_("Interface")}</Th>
                                <Th>{_("Hook")}</Th>
                                <Th>{_("Priority")}</Th>
                                <Th>{_("Position")}</Th>
                                <Th>{_("Proceeds on")}</Th>
                                <Th screenReaderText={_("Actions")} />
                            </Tr>
                        </Thead>
                        <Tbody>
                            {links.map(link => (
                                <Tr key={link.id}>
                                    <Td dataLabel={_("Interface")} modifier="breakWord">
                                        {hookKind(link.kind) ? (
                                            <a
                                                href={routeHref({
                                                    view: "interface",
                                                    name: link.interface,
                                                    netns: link.netns,
                                                })}
                                            >
                                                {shown(interfaceLabel(link.interface, link.netns))}
                                            </a>
                                        ) : (
                                            shown(link.interface)
                                        )}
                                    </Td>
                                    <Td dataLabel={_("Hook")}>{hookTitle(link.kind, link.direction)}</Td>
                                    <Td dataLabel={_("Priority")}>{hookKind(link.kind) && link.priority}</Td>
                                    <Td dataLabel={_("Position")}>{hookKind(link.kind) && link.position}</Td>
                                    <Td dataLabel={_("Proceeds on")}>
                                        <ProceedOn kind={link.kind} codes={link.proceedOn} />
                                    </Td>
                                    <Td isActionCell>
                                        <LinkMenu link={link} />
                                    </Td>
                                </Tr>
                            ))}
                        </Tbody>
                    </Table>
                )}
            </CardBody>
        </Card>
    );
}

function MapsCard({ maps, usedBy }: { maps: readonly BpfMap[]; usedBy: readonly number[] }) {
    if (maps.length === 0) return null;
    return (
        <Card>
            <CardHeader>
                <CardTitle component="h2">{_("Maps")}</CardTitle>
            </CardHeader>
            <CardBody className="flush">
                {usedBy.length > 0 && (
                    <p className="note inset">
                        {_("Also used by:")}{" "}
                        {usedBy.map(id => (
                            <a key={id} href={programHref(id)}>
                                {format(_("program $0"), id)}
                            </a>
                        ))}
                    </p>
                )}
                <Table variant="compact" aria-label={_("Maps")}>
                    <Thead>
                        <Tr>
                            <Th>{_("Name")}</Th>
                            <Th>{_("ID")}</Th>
                            <Th>{_("Type")}</Th>
                            <Th>{_("Key size")}</Th>
                            <Th>{_("Value size")}</Th>
                            <Th>{_("Entries at most")}</Th>
                            <Th>{_("Memory")}</Th>
                        </Tr>
                    </Thead>
                    <Tbody>
                        {maps.map(map => (
                            <Tr key={map.id}>
                                <Td dataLabel={_("Name")}>{shown(map.name)}</Td>
                                <Td dataLabel={_("ID")}>{map.id}</Td>
                                <Td dataLabel={_("Type")}>{shown(map.type)}</Td>
                                <Td dataLabel={_("Key size")}>{bytes(map.keyBytes)}</Td>
                                <Td dataLabel={_("Value size")}>{bytes(map.valueBytes)}</Td>
                                <Td dataLabel={_("Entries at most")}>{map.maxEntries}</Td>
                                <Td dataLabel={_("Memory")}>{bytes(map.memoryBytes)}</Td>
                            </Tr>
                        ))}
                    </Tbody>
                </Table>
            </CardBody>
        </Card>
    );
}

function FactCard({ title, children }: { title: string; children: ReactNode }) {
    return (
        <Card>
            <CardHeader>
                <CardTitle component="h2">{title}</CardTitle>
            </CardHeader>
            <CardBody>
                <DescriptionList isHorizontal isCompact>
                    {children}
                </DescriptionList>
            </CardBody>
        </Card>
    );
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
    return (
        <DescriptionListGroup>
            <DescriptionListTerm>{term}</DescriptionListTerm>
            <DescriptionListDescription>{children}</DescriptionListDescription>
        </DescriptionListGroup>
    );
}
