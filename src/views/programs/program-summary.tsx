// SPDX-License-Identifier: Apache-2.0
// Where a program runs, what it was loaded from and what the kernel knows of it.
import { useCallback, useMemo } from "react";
import { CallError } from "../../../client/errors.ts";
import type {
    ImageOriginJson,
    KernelProgramJson,
    ProgramRecordJson,
} from "../../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Link, Program } from "../../model/model.ts";
import { useFetched, usePage } from "../../page.ts";
import { routeHref } from "../../route.ts";
import { shown } from "../../text/escape.ts";
import { _ } from "../../text/i18n.ts";
import { bytes, hookKind, hookTitle, moment, place, typeLabel } from "../../text/words.ts";
import { Card } from "../../ui/card.tsx";
import { Fact, FactCard } from "../../ui/facts.tsx";
import { type Column, DataTable } from "../../ui/table.tsx";
import { ProceedOn } from "../interfaces/chain.tsx";
import { LinkMenu } from "../links/link-menu.tsx";
import { Target } from "../links/links.tsx";
import { Code } from "../shared/code.tsx";
import { Explained } from "../shared/help.tsx";
import { SignatureText } from "../shared/signature.tsx";

export function SummaryTab({ program }: { program: Program }) {
    const { record, kernel } = program.json;
    return (
        <>
            {program.managed && <LinksCard links={program.links} />}
            <div className="card-pair">
                {record && (
                    <div className="cards">
                        <RecordCard record={record} application={program.application} />
                        <MetadataCard metadata={record.metadata ?? {}} />
                    </div>
                )}
                {kernel && <KernelCard kernel={kernel} />}
            </div>
        </>
    );
}

function RecordCard({ record, application }: { record: ProgramRecordJson; application: string }) {
    return (
        <FactCard title={_("As it was loaded")}>
            <Fact term={_("Type")}>{shown(typeLabel(record.type ?? ""))}</Fact>
            <Fact term={_("Application")}>{application === "" ? _("None") : shown(application)}</Fact>
            {record.image && <ImageFacts image={record.image} />}
            <Fact term={record.image ? _("Object") : _("File")}>
                <Code>{record.sourcePath ?? ""}</Code>
            </Fact>
            <Fact term={_("SHA-256")}>
                <Code>{record.objectSha256 ?? ""}</Code>
            </Fact>
            <Fact term={_("Section")}>
                <Code>{record.section ?? ""}</Code>
            </Fact>
            {record.attachFunction && (
                <Fact term={_("Loaded for")}>
                    <Code>{record.attachFunction}</Code>
                </Fact>
            )}
            <Fact term={_("License")}>{shown(record.license ?? "")}</Fact>
            <Fact term={_("Created")}>{moment(record.createdAt ?? "")}</Fact>
            <Fact term={_("Created by")}>{shown(record.createdBy ?? "")}</Fact>
            {record.pinPath && (
                <Fact term={_("Pin")}>
                    <Code>{record.pinPath}</Code>
                </Fact>
            )}
        </FactCard>
    );
}

function ImageFacts({ image }: { image: ImageOriginJson }) {
    return (
        <>
            <Fact term={_("Image")}>
                <bdi>{shown(image.url ?? "")}</bdi>
            </Fact>
            <Fact term={_("Digest")}>
                <Code>{image.digest ?? ""}</Code>
            </Fact>
            <Fact term={<Explained topic="signature">{_("Signature")}</Explained>}>
                <Signature digest={image.digest ?? ""} />
            </Fact>
        </>
    );
}

function Signature({ digest }: { digest: string }) {
    const { client } = usePage();
    const fetch = useCallback(() => client.inspectImage(digest), [client, digest]);
    const { value: image, error } = useFetched(fetch);
    if (error) {
        const isGone = error instanceof CallError && error.code === "NOT_FOUND";
        return (
            <span className="note">{isGone ? _("The image is no longer in the cache.") : shown(error.message)}</span>
        );
    }
    if (!image) return <span className="note">{_("Loading…")}</span>;
    return <SignatureText signature={image.signature} />;
}

function KernelCard({ kernel }: { kernel: KernelProgramJson }) {
    return (
        <FactCard title={_("Kernel")}>
            <Fact term={_("ID")}>{kernel.id ?? 0}</Fact>
            <Fact term={_("Name in the kernel")}>{shown(kernel.name ?? "")}</Fact>
            <Fact term={_("Type")}>{shown(kernel.typeName ?? "")}</Fact>
            <Fact term={_("Tag")}>
                <Code>{kernel.tag ?? ""}</Code>
            </Fact>
            <Fact term={_("Loaded")}>{moment(kernel.loadedAt ?? "")}</Fact>
            <Fact term={_("Loaded by user ID")}>{kernel.uid ?? 0}</Fact>
            <Fact term={_("Translated size")}>{bytes(kernel.sizeXlatedBytes ?? 0)}</Fact>
            <Fact term={<Explained topic="jit">{_("Compiled size")}</Explained>}>
                {bytes(kernel.sizeJitedBytes ?? 0)}
            </Fact>
            <Fact term={<Explained topic="verifier">{_("Verified instructions")}</Explained>}>
                {kernel.verifiedInsns ?? 0}
            </Fact>
            <Fact term={_("Memory")}>{bytes(kernel.memlockBytes ?? 0)}</Fact>
            <Fact term={<Explained topic="btf">{_("BTF ID")}</Explained>}>
                {kernel.btfId ? kernel.btfId : _("None")}
            </Fact>
            <Fact term={_("GPL compatible")}>{kernel.gplCompatible ? _("Yes") : _("No")}</Fact>
        </FactCard>
    );
}

function MetadataCard({ metadata }: { metadata: Readonly<Record<string, string>> }) {
    const entries = Object.entries(metadata);
    if (entries.length === 0) return null;
    return (
        <FactCard title={_("Metadata")}>
            {entries.map(([key, value]) => (
                <Fact key={key} term={<Code>{key}</Code>}>
                    {shown(value)}
                </Fact>
            ))}
        </FactCard>
    );
}

function LinksCard({ links }: { links: readonly Link[] }) {
    const columns = useMemo(linkColumns, []);
    return (
        <Card title={_("Links")} isFlush>
            <DataTable
                label={_("Links")}
                columns={columns}
                rows={links}
                keyOf={link => link.id}
                actions={link => <LinkMenu link={link} />}
                empty={<p className="note inset">{_("Attached nowhere: the program does not run.")}</p>}
            />
        </Card>
    );
}

function linkColumns(): Column<Link>[] {
    return [
        { id: "target", title: _("Target"), wrap: "breakWord", cell: link => <Target link={link} /> },
        { id: "hook", title: _("Hook"), cell: link => shown(hookTitle(link.kind, link.direction)) },
        { id: "priority", title: _("Priority"), cell: link => hookKind(link.kind) && link.priority },
        { id: "position", title: _("Position"), cell: link => hookKind(link.kind) && place(link) },
        {
            id: "proceed",
            title: _("Proceeds on"),
            cell: link => <ProceedOn kind={link.kind} codes={link.proceedOn} />,
        },
        {
            id: "id",
            title: _("Link"),
            cell: link => <a href={routeHref({ view: "link", id: link.id })}>{link.id}</a>,
        },
    ];
}
