// SPDX-License-Identifier: Apache-2.0
// The first half of loading: where the object comes from.
import { Button } from "@patternfly/react-core/dist/esm/components/Button/index.js";
import { FormGroup, FormHelperText } from "@patternfly/react-core/dist/esm/components/Form/index.js";
import { HelperText, HelperTextItem } from "@patternfly/react-core/dist/esm/components/HelperText/index.js";
import { InputGroup, InputGroupItem } from "@patternfly/react-core/dist/esm/components/InputGroup/index.js";
import { Radio } from "@patternfly/react-core/dist/esm/components/Radio/index.js";
import { TextInput } from "@patternfly/react-core/dist/esm/components/TextInput/index.js";
import { type DragEvent, type KeyboardEvent, useRef, useState } from "react";
import { shown } from "../escape.ts";
import { _, format } from "../i18n.ts";
import { bytes } from "../words.ts";
import { readHostFile, readUpload, type Source } from "./source.ts";

interface SourceFieldsProps {
    readonly source: Source | undefined;
    readonly isDisabled: boolean;
    /** takes how to get the bytes; what goes wrong then is the dialog's to show */
    readonly onChoose: (read: () => Promise<Source>) => void;
    readonly onReset: () => void;
}

export function SourceFields({ source, isDisabled, onChoose, onReset }: SourceFieldsProps) {
    const [fromHost, setFromHost] = useState(false);
    const choose = (host: boolean) => {
        setFromHost(host);
        onReset();
    };
    return (
        <>
            <FormGroup label={_("Source")} role="radiogroup" isInline fieldId="load-source">
                <Radio
                    id="load-from-upload"
                    name="load-source"
                    label={_("Upload from this computer")}
                    isChecked={!fromHost}
                    isDisabled={isDisabled}
                    onChange={() => choose(false)}
                />
                <Radio
                    id="load-from-host"
                    name="load-source"
                    label={_("File on the host")}
                    isChecked={fromHost}
                    isDisabled={isDisabled}
                    onChange={() => choose(true)}
                />
            </FormGroup>
            {fromHost ? (
                <HostPath isDisabled={isDisabled} onChoose={onChoose} onReset={onReset} />
            ) : (
                <Upload source={source} isDisabled={isDisabled} onChoose={onChoose} />
            )}
        </>
    );
}

function HostPath({ isDisabled, onChoose, onReset }: Omit<SourceFieldsProps, "source">) {
    const [path, setPath] = useState("");
    const absolute = path.startsWith("/");
    const inspect = () => absolute && onChoose(() => readHostFile(path));
    const onKeyDown = (event: KeyboardEvent) => {
        if (event.key === "Enter") inspect();
    };
    return (
        <FormGroup label={_("Path")} fieldId="load-path">
            <InputGroup>
                <InputGroupItem isFill>
                    <TextInput
                        id="load-path"
                        value={path}
                        placeholder={_("/path/to/object.o")}
                        isDisabled={isDisabled}
                        onKeyDown={onKeyDown}
                        onChange={(_event, text) => {
                            setPath(text);
                            onReset();
                        }}
                    />
                </InputGroupItem>
                <InputGroupItem>
                    <Button variant="secondary" onClick={inspect} isDisabled={!absolute || isDisabled}>
                        {_("Inspect")}
                    </Button>
                </InputGroupItem>
            </InputGroup>
            <FormHelperText>
                <HelperText>
                    <HelperTextItem>
                        {_("An eBPF object, compiled by clang. It is read with your rights.")}
                    </HelperTextItem>
                </HelperText>
            </FormHelperText>
        </FormGroup>
    );
}

function Upload({ source, isDisabled, onChoose }: Omit<SourceFieldsProps, "onReset">) {
    const input = useRef<HTMLInputElement>(null);
    const [isOver, setOver] = useState(false);
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
                    {source
                        ? format(_("$0, $1"), shown(source.path), bytes(source.object.length))
                        : _("Drop an eBPF object here, or")}
                </span>
                <Button
                    id="load-file-button"
                    variant="secondary"
                    isDisabled={isDisabled}
                    onClick={() => input.current?.click()}
                >
                    {source ? _("Choose another file") : _("Choose a file")}
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
