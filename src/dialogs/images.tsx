// SPDX-License-Identifier: Apache-2.0
// What is done with images: pull, look at, check again, remove.
import { type ReactNode, useEffect, useId, useState } from "react";
import type { ImageJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { KeptImage } from "../model/images.ts";
import { usePage } from "../page.ts";
import { programHref } from "../route.ts";
import { shown } from "../text/escape.ts";
import { _, format, ngettext } from "../text/i18n.ts";
import { bytes, moment } from "../text/words.ts";
import { Button } from "../ui/button.tsx";
import { Loading } from "../ui/empty.tsx";
import { Fact, Facts } from "../ui/facts.tsx";
import { Form } from "../ui/form.tsx";
import { Modal, ModalBody, ModalFooter, ModalHeader } from "../ui/modal.tsx";
import { Progress } from "../ui/progress.tsx";
import { Code } from "../views/shared/code.tsx";
import { Refusal } from "../views/shared/refusal.tsx";
import { SignatureText } from "../views/shared/signature.tsx";
import { ActionDialog, asError } from "./frame.tsx";
import { ImageFields, imageSource, initialImage } from "./load/image-fields.tsx";
import { LoadDialog } from "./load/load.tsx";
import { pullImage } from "./load/pull.ts";
import { useTask } from "./task.ts";

/** image: one to ask the registry for anew */
export function PullDialog({ image = "" }: { image?: string }) {
    const { bulk, live, notify, show } = usePage();
    const labelId = useId();
    const [choice, setChoice] = useState({
        ...initialImage,
        reference: image,
        pullPolicy: image === "" ? initialImage.pullPolicy : ("Always" as const),
    });
    const [error, setError] = useState<Error>();
    const { task, run, cancel } = useTask();
    const wanted = imageSource(choice);
    const close = () => {
        cancel();
        show(null);
    };
    const pull = () => {
        if (!wanted) return;
        setError(undefined);
        run(_("Pulling the image"), async options => {
            try {
                const pulled = await pullImage(bulk, wanted, options);
                notify(format(_("$0 is here"), shown(pulled.reference ?? "")));
                show(null);
            } catch (cause) {
                if (!options.signal.aborted) setError(asError(cause));
            }
            live.refresh();
        });
    };
    return (
        <Modal aria-labelledby={labelId} onClose={close}>
            <ModalHeader title={_("Pull image")} labelId={labelId} />
            <ModalBody>
                <Form isHorizontal>
                    <ImageFields choice={choice} onChange={setChoice} isDisabled={task !== undefined} />
                </Form>
                {task && <Progress className="task" {...task} />}
                {error && <Refusal title={_("The image was not pulled")} error={error} />}
            </ModalBody>
            <ModalFooter>
                <Button
                    variant="primary"
                    onClick={pull}
                    isDisabled={!wanted || task !== undefined}
                    isLoading={task !== undefined}
                >
                    {_("Pull")}
                </Button>
                <Button variant="link" onClick={close}>
                    {_("Cancel")}
                </Button>
            </ModalFooter>
        </Modal>
    );
}

export function ImageDialog({ image }: { image: KeptImage }) {
    const { show } = usePage();
    return (
        <PlainDialog
            title={image.reference}
            action={
                <Button variant="primary" onClick={() => show(<LoadDialog image={image.reference} />)}>
                    {_("Load program")}
                </Button>
            }
        >
            <ImageFacts image={image} />
        </PlainDialog>
    );
}

function ImageFacts({ image: { json, digest, users } }: { image: KeptImage }) {
    const labels = Object.entries(json.labels ?? {});
    const programs = json.programs ?? [];
    const maps = json.maps ?? [];
    return (
        <Facts>
            <Fact term={_("Signature")}>
                <SignatureText signature={json.signature} />
                {json.policyChanged && (
                    <p className="note">
                        {_("The policy has changed since: it is checked again before the image is used.")}
                    </p>
                )}
            </Fact>
            <Fact term={_("Digest")}>
                <Code>{digest}</Code>
            </Fact>
            {json.manifestDigest !== digest && (
                <Fact term={_("For this machine")}>
                    <Code>{json.manifestDigest ?? ""}</Code>
                </Fact>
            )}
            <Fact term={_("Platforms")}>
                {shown(json.platforms?.join(", ") ?? json.architecture ?? "") || _("any")}
            </Fact>
            <Fact term={_("Programs")}>
                {programs.map(({ name = "", type = "" }) => (
                    <div key={name}>{format(_("$0 ($1)"), shown(name), shown(type))}</div>
                ))}
                {programs.length === 0 && _("The labels name none.")}
            </Fact>
            {maps.length > 0 && (
                <Fact term={_("Maps")}>
                    {maps.map(({ name = "", type = "" }) => (
                        <div key={name}>{format(_("$0 ($1)"), shown(name), shown(type))}</div>
                    ))}
                </Fact>
            )}
            <Fact term={_("Object")}>
                {format(_("$0, $1"), shown(json.objectName ?? ""), bytes(Number(json.objectSize ?? 0)))}
            </Fact>
            <Fact term={_("SHA-256")}>
                <Code>{json.objectSha256 ?? ""}</Code>
            </Fact>
            <Fact term={_("Layers")}>
                {(json.layers ?? []).map(({ digest: layer = "", size = "0" }) => (
                    <div key={layer}>
                        <Code>{layer}</Code> <span className="note">{bytes(Number(size))}</span>
                    </div>
                ))}
            </Fact>
            <Fact term={_("Used by")}>
                {users.map(program => (
                    <div key={program.id}>
                        <a href={programHref(program.id)}>{shown(program.name)}</a>
                    </div>
                ))}
                {users.length === 0 && _("no program")}
            </Fact>
            <Fact term={_("Pulled")}>{moment(json.pulledAt ?? "")}</Fact>
            <Fact term={_("Last used")}>{moment(json.usedAt ?? "")}</Fact>
            {labels.length > 0 && (
                <Fact term={_("Image labels")}>
                    {labels.map(([key, value]) => (
                        <div key={key}>
                            <Code>{`${key}=${value}`}</Code>
                        </div>
                    ))}
                </Fact>
            )}
        </Facts>
    );
}

/** Asks the registry for the signatures that are there now. */
export function VerifyImageDialog({ image }: { image: KeptImage }) {
    const { bulk, live } = usePage();
    const [checked, setChecked] = useState<ImageJson>();
    const [error, setError] = useState<Error>();
    const { reference } = image;
    useEffect(() => {
        const left = new AbortController();
        bulk.verifyImage({ image: { url: reference } }, { signal: left.signal })
            .then(setChecked, cause => !left.signal.aborted && setError(asError(cause)))
            .finally(() => live.refresh());
        return () => left.abort();
    }, [bulk, live, reference]);
    return (
        <PlainDialog title={format(_("Signature of $0"), shown(reference))}>
            {checked && <SignatureText signature={checked.signature} />}
            {error && <Refusal title={_("The signature was not accepted")} error={error} />}
            {!checked && !error && <Loading level={2} />}
        </PlainDialog>
    );
}

function PlainDialog({ title, action, children }: { title: string; action?: ReactNode; children: ReactNode }) {
    const { show } = usePage();
    const labelId = useId();
    const close = () => show(null);
    return (
        <Modal aria-labelledby={labelId} onClose={close}>
            <ModalHeader title={title} labelId={labelId} />
            <ModalBody>{children}</ModalBody>
            <ModalFooter>
                {action}
                <Button variant={action ? "link" : "secondary"} onClick={close}>
                    {_("Close")}
                </Button>
            </ModalFooter>
        </Modal>
    );
}

export function RemoveImageDialog({ image }: { image: KeptImage }) {
    const { client, notify } = usePage();
    const run = async () => {
        await client.removeImage({ images: [image.reference] });
        notify(format(_("$0 removed"), shown(image.reference)));
    };
    return (
        <ActionDialog
            title={format(_("Remove $0?"), shown(image.reference))}
            action={_("Remove")}
            failure={_("The image was not removed")}
            run={run}
            isDanger
            size="small"
        >
            <p>{_("The next load from it needs its registry again.")}</p>
            {image.users.length > 0 && <p>{_("Programs that were loaded from it keep running.")}</p>}
        </ActionDialog>
    );
}

export function PruneImagesDialog({ images }: { images: readonly KeptImage[] }) {
    const { client, notify } = usePage();
    const unused = images.filter(image => image.users.length === 0);
    const size = unused.reduce((sum, image) => sum + image.sizeBytes, 0);
    const run = async () => {
        const { removed = [], freedBytes = "0" } = await client.pruneImages({});
        const freed = bytes(Number(freedBytes));
        notify(ngettext("$0 image removed, $1 freed", "$0 images removed, $1 freed", removed.length, freed));
    };
    return (
        <ActionDialog
            title={_("Remove images that no program uses?")}
            action={_("Clean up")}
            failure={_("The images were not removed")}
            run={run}
            isDanger
            isDisabled={unused.length === 0}
            size="small"
        >
            {unused.length === 0 ? (
                <p>{_("Every image is in use.")}</p>
            ) : (
                <>
                    <p>{ngettext("$0 image, $1:", "$0 images, $1:", unused.length, bytes(size))}</p>
                    <ul className="plain-list">
                        {unused.map(({ reference }) => (
                            <li key={reference}>
                                <bdi>{shown(reference)}</bdi>
                            </li>
                        ))}
                    </ul>
                </>
            )}
        </ActionDialog>
    );
}
