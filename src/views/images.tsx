// SPDX-License-Identifier: Apache-2.0
// The images in the daemon's cache: whose they are, what they hold, which programs came from them.
import { useMemo } from "react";
import {
    ImageDialog,
    PruneImagesDialog,
    PullDialog,
    RemoveImageDialog,
    VerifyImageDialog,
} from "../dialogs/images.tsx";
import { LoadDialog } from "../dialogs/load/load.tsx";
import { type KeptImage, keptImages } from "../model/images.ts";
import { useOption, useSort } from "../model/view-options.ts";
import { useImages, usePage, usePrograms } from "../page.ts";
import { programHref } from "../route.ts";
import { shown } from "../text/escape.ts";
import { _, format, ngettext } from "../text/i18n.ts";
import { bytes, moment } from "../text/words.ts";
import { Button } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { EmptyState, Loading } from "../ui/empty.tsx";
import { Kebab, MenuItem } from "../ui/menu.tsx";
import { matches } from "../ui/rows.ts";
import { SearchField } from "../ui/search.tsx";
import { type Column, DataTable } from "../ui/table.tsx";
import { Code } from "./shared/code.tsx";
import { ErrorAlert } from "./shared/refusal.tsx";
import { Section } from "./shared/section.tsx";
import { SignatureLabel } from "./shared/signature.tsx";

export function ImagesView() {
    const { show } = usePage();
    const { value: list, error } = useImages();
    const programs = usePrograms(false).value;
    const [filter, setFilter] = useOption("filter");
    const [sort, setSort] = useSort();
    const columns = useMemo(imageColumns, []);
    const images = useMemo(() => list && keptImages(list, programs ?? []), [list, programs]);
    const matching = useMemo(() => images?.filter(image => matches(searchTexts(image), filter)), [images, filter]);
    if (error) return <ErrorAlert error={error} />;
    return (
        <Section className="cards">
            <Card
                title={_("Images")}
                level={1}
                isFlush
                actions={
                    <>
                        <Button
                            variant="secondary"
                            isDisabled={!images?.length}
                            onClick={() => images && show(<PruneImagesDialog images={images} />)}
                        >
                            {_("Clean up")}
                        </Button>
                        <Button variant="primary" onClick={() => show(<PullDialog />)}>
                            {_("Pull image")}
                        </Button>
                    </>
                }
            >
                <div className="toolbar">
                    <div className="filter">
                        <SearchField
                            label={_("Filter images")}
                            placeholder={_("Name, program or signer")}
                            value={filter}
                            onChange={setFilter}
                            found={matching?.length}
                        />
                    </div>
                    {images && images.length > 0 && <Total images={images} />}
                </div>
                {matching ? (
                    <DataTable
                        label={_("Images")}
                        columns={columns}
                        rows={matching}
                        keyOf={image => image.reference}
                        sort={sort}
                        onSort={setSort}
                        actions={image => <ImageMenu image={image} />}
                        empty={<NoImages isFiltered={filter !== ""} />}
                    />
                ) : (
                    <Loading level={2} />
                )}
            </Card>
        </Section>
    );
}

function Total({ images }: { images: readonly KeptImage[] }) {
    const size = images.reduce((sum, image) => sum + image.sizeBytes, 0);
    return <p className="note">{ngettext("$0 image, $1", "$0 images, $1", images.length, bytes(size))}</p>;
}

function NoImages({ isFiltered }: { isFiltered: boolean }) {
    return (
        <EmptyState isSmall title={isFiltered ? _("No image matches the filter") : _("No images")}>
            {!isFiltered &&
                _("Images that programs are loaded from are kept here, so that the next load needs no network.")}
        </EmptyState>
    );
}

function searchTexts({ reference, digest, json }: KeptImage): string[] {
    const names = (json.programs ?? []).map(program => program.name ?? "");
    return [reference, digest, json.signature?.identity ?? "", ...names];
}

function ImageMenu({ image }: { image: KeptImage }) {
    const { show } = usePage();
    return (
        <Kebab label={format(_("Actions for $0"), shown(image.reference))}>
            <MenuItem onClick={() => show(<LoadDialog image={image.reference} />)}>{_("Load program")}</MenuItem>
            <MenuItem onClick={() => show(<ImageDialog image={image} />)}>{_("Details")}</MenuItem>
            <MenuItem onClick={() => show(<VerifyImageDialog image={image} />)}>{_("Check signature")}</MenuItem>
            <MenuItem onClick={() => show(<PullDialog image={image.reference} />)}>{_("Pull anew")}</MenuItem>
            <MenuItem isDanger onClick={() => show(<RemoveImageDialog image={image} />)}>
                {_("Remove")}
            </MenuItem>
        </Kebab>
    );
}

function imageColumns(): Column<KeptImage>[] {
    return [
        {
            id: "reference",
            title: _("Image"),
            width: 30,
            wrap: "breakWord",
            cell: image => <ImageName image={image} />,
            sortBy: image => image.reference,
        },
        {
            id: "programs",
            title: _("Programs"),
            width: 15,
            wrap: "breakWord",
            cell: ({ json }) => shown((json.programs ?? []).map(one => one.name ?? "").join(", ")),
        },
        {
            id: "signature",
            title: _("Signature"),
            width: 15,
            cell: ({ json }) => (
                <>
                    <SignatureLabel signature={json.signature} />
                    {json.signature?.identity && <div className="note">{shown(json.signature.identity)}</div>}
                </>
            ),
            sortBy: ({ json }) => json.signature?.state ?? "",
        },
        {
            id: "used",
            title: _("Used by"),
            width: 15,
            wrap: "breakWord",
            cell: ({ users }) =>
                users.map((program, at) => (
                    <span key={program.id}>
                        {at > 0 && ", "}
                        <a href={programHref(program.id)}>{shown(program.name)}</a>
                    </span>
                )),
            sortBy: ({ users }) => users.length,
        },
        {
            id: "size",
            title: _("Size"),
            isNumeric: true,
            wrap: "nowrap",
            cell: image => bytes(image.sizeBytes),
            sortBy: image => image.sizeBytes,
        },
        {
            id: "pulled",
            title: _("Pulled"),
            wrap: "nowrap",
            cell: ({ json }) => moment(json.pulledAt ?? ""),
            sortBy: ({ json }) => json.pulledAt ?? "",
        },
    ];
}

function ImageName({ image }: { image: KeptImage }) {
    const { show } = usePage();
    return (
        <>
            <Button variant="link" isInline onClick={() => show(<ImageDialog image={image} />)}>
                <bdi>{shown(image.reference)}</bdi>
            </Button>
            <div className="note">
                <Code>{shortDigest(image.digest)}</Code>
            </div>
        </>
    );
}

/** Enough of it to tell images apart, as other tools show it. */
function shortDigest(digest: string): string {
    return digest.slice(0, "sha256:".length + 12);
}
