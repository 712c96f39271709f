// SPDX-License-Identifier: Apache-2.0
// The first half of loading: where the bytecode comes from.
import { type DragEvent, useEffect, useRef, useState } from "react";
import type { ImageSourceJson } from "../../../proto/gen/bpfman/host/v1/host_pb.js";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { bytes } from "../../text/words.ts";
import { Button } from "../../ui/button.tsx";
import { Radio } from "../../ui/choice.tsx";
import { FormGroup } from "../../ui/form.tsx";
import { SignatureText } from "../../views/shared/signature.tsx";
import { HostFile } from "./host-file.tsx";
import { ImageFields, imageSource, initialImage } from "./image-fields.tsx";
import { type ObjectSource, readUpload, type Source } from "./source.ts";

interface SourceFieldsProps {
    readonly source: Source | undefined;
    readonly isDisabled: boolean;
    /** an image to begin with */
    readonly image: string;
    /** takes how to get the bytes; what goes wrong then is the dialog's to show */
    readonly onChoose: (read: () => Promise<ObjectSource>) => void;
    readonly onPull: (image: ImageSourceJson) => void;
    readonly onReset: () => void;
}

type Origin = "upload" | "host" | "image";

export function SourceFields({ source, isDisabled, image, onChoose, onPull, onReset }: SourceFieldsProps) {
    const [origin, setOrigin] = useState<Origin>(image === "" ? "upload" : "image");
    const radio = (one: Origin, label: string) => (
        <Radio
            id={`load-from-${one}`}
            name="load-source"
            label={label}
            isChecked={origin === one}
            isDisabled={isDisabled}
            onChange={() => {
                setOrigin(one);
                onReset();
            }}
        />
    );
    return (
        <>
            <FormGroup label={_("Source")} role="radiogroup" isInline isFlat>
                {radio("image", _("Container image"))}
                {radio("host", _("File on the host"))}
                {radio("upload", _("Upload from this computer"))}
            </FormGroup>
            {origin === "host" && <HostFile isDisabled={isDisabled} onChoose={onChoose} onReset={onReset} />}
            {origin === "upload" && <Upload source={source} isDisabled={isDisabled} onChoose={onChoose} />}
            {origin === "image" && (
                <FromImage source={source} image={image} isDisabled={isDisabled} onPull={onPull} onReset={onReset} />
            )}
        </>
    );
}

function FromImage({ source, image, isDisabled, onPull, onReset }: Omit<SourceFieldsProps, "onChoose">) {
    const [choice, setChoice] = useState({ ...initialImage, reference: image });
    const wanted = imageSource(choice);
    return (
        <>
            <ImageFields
                choice={choice}
                isDisabled={isDisabled}
                onChange={changed => {
                    setChoice(changed);
                    onReset();
                }}
            />
            {source?.kind === "image" ? (
                <FormGroup label={_("Signature")} isFlat>
                    <SignatureText signature={source.pulled.signature} />
                </FormGroup>
            ) : (
                <FormGroup>
                    <Button
                        id="load-pull"
                        variant="secondary"
                        isDisabled={isDisabled || !wanted}
                        onClick={() => wanted && onPull(wanted)}
                    >
                        {_("Pull and inspect")}
                    </Button>
                </FormGroup>
            )}
        </>
    );
}

function Upload({ source, isDisabled, onChoose }: Pick<SourceFieldsProps, "source" | "isDisabled" | "onChoose">) {
    const chosen = source?.kind === "object" ? source : undefined;
    const input = useRef<HTMLInputElement>(null);
    const [isOver, setOver] = useState(false);
    useEffect(() => {
        // a file that misses the place would take the page's
        const keep = (event: Event) => event.preventDefault();
        window.addEventListener("dragover", keep);
        window.addEventListener("drop", keep);
        return () => {
            window.removeEventListener("dragover", keep);
            window.removeEventListener("drop", keep);
        };
    }, []);
    const take = (files: FileList | null) => {
        const file = files?.[0];
        if (file && !isDisabled) onChoose(() => readUpload(file));
    };
    const drop = (event: DragEvent) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer.files);
    };
    const over = (event: DragEvent) => {
        event.preventDefault();
        setOver(true);
    };
    return (
        <FormGroup label={_("Object")} fieldId="load-file-button">
            {/* dropping is a shortcut of the mouse; the button does the same by keyboard */}
            {/* biome-ignore lint/a11y/noStaticElementInteractions: see above */}
            <div
                className={isOver ? "drop-zone drop-zone-over" : "drop-zone"}
                onDragOver={over}
                onDragLeave={() => setOver(false)}
                onDrop={drop}
            >
                <span>
                    {chosen
                        ? format(_("$0, $1"), shown(chosen.path), bytes(chosen.object.length))
                        : _("Drop an eBPF object here, or")}
                </span>
                <Button
                    id="load-file-button"
                    variant="secondary"
                    isDisabled={isDisabled}
                    onClick={() => input.current?.click()}
                >
                    {chosen ? _("Choose another file") : _("Choose a file")}
                </Button>
                <input
                    ref={input}
                    type="file"
                    accept=".o,.elf,.bpf"
                    hidden
                    onChange={event => {
                        take(event.target.files);
                        // the same file may be chosen again after it was compiled anew
                        event.target.value = "";
                    }}
                />
            </div>
        </FormGroup>
    );
}
