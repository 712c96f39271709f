// SPDX-License-Identifier: Apache-2.0
// Chooses a file of the host: a path typed, or folders walked through.
import { FormGroup, FormHelperText } from "@patternfly/react-core/dist/esm/components/Form/index.js";
import { HelperText, HelperTextItem } from "@patternfly/react-core/dist/esm/components/HelperText/index.js";
import { InputGroup, InputGroupItem } from "@patternfly/react-core/dist/esm/components/InputGroup/index.js";
import { TextInput } from "@patternfly/react-core/dist/esm/components/TextInput/index.js";
import FileIcon from "@patternfly/react-icons/dist/esm/icons/file-icon";
import FolderIcon from "@patternfly/react-icons/dist/esm/icons/folder-icon";
import { type KeyboardEvent, useEffect, useState } from "react";
import { shown } from "../escape.ts";
import { _, format } from "../i18n.ts";
import { Button } from "../ui/button.tsx";
import { bytes } from "../words.ts";
import { asError } from "./frame.tsx";
import { type FolderEntry, listFolder, type ObjectSource, readHostFile } from "./source.ts";

interface HostFileProps {
    readonly isDisabled: boolean;
    readonly onChoose: (read: () => Promise<ObjectSource>) => void;
    readonly onReset: () => void;
}

export function HostFile({ isDisabled, onChoose, onReset }: HostFileProps) {
    const [path, setPath] = useState("");
    const [folder, setFolder] = useState<string>();
    const absolute = path.startsWith("/");
    const inspect = (file: string) => file.startsWith("/") && onChoose(() => readHostFile(file));
    const onKeyDown = (event: KeyboardEvent) => {
        if (event.key === "Enter") inspect(path);
    };
    const choose = (file: string) => {
        setPath(file);
        setFolder(undefined);
        inspect(file);
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
                    <Button
                        variant="control"
                        isDisabled={isDisabled}
                        isExpanded={folder !== undefined}
                        onClick={() => setFolder(folder === undefined ? folderOf(path) : undefined)}
                    >
                        {_("Browse")}
                    </Button>
                </InputGroupItem>
                <InputGroupItem>
                    <Button variant="control" isDisabled={isDisabled || !absolute} onClick={() => inspect(path)}>
                        {_("Inspect")}
                    </Button>
                </InputGroupItem>
            </InputGroup>
            {folder !== undefined && <Folder path={folder} onOpen={setFolder} onChoose={choose} />}
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

/** The folder that a path is in, or is. */
function folderOf(path: string): string {
    if (!path.startsWith("/")) return "/";
    return path.slice(0, path.lastIndexOf("/")) || "/";
}

interface FolderProps {
    readonly path: string;
    readonly onOpen: (path: string) => void;
    readonly onChoose: (path: string) => void;
}

function Folder({ path, onOpen, onChoose }: FolderProps) {
    const [entries, setEntries] = useState<readonly FolderEntry[]>();
    const [problem, setProblem] = useState("");
    useEffect(() => {
        let isCurrent = true;
        setEntries(undefined);
        setProblem("");
        listFolder(path).then(
            found => isCurrent && setEntries(found),
            error => isCurrent && setProblem(asError(error).message),
        );
        return () => {
            isCurrent = false;
        };
    }, [path]);
    const within = (name: string) => `${path === "/" ? "" : path}/${name}`;
    return (
        <section className="folder" aria-label={format(_("Folder $0"), shown(path))}>
            <p className="note" dir="ltr">
                {shown(path)}
            </p>
            {problem !== "" && <p>{shown(problem)}</p>}
            <ul>
                {path !== "/" && (
                    <li>
                        <Button variant="link" isInline icon={<FolderIcon />} onClick={() => onOpen(folderOf(path))}>
                            {_("One folder up")}
                        </Button>
                    </li>
                )}
                {entries?.map(({ name, isFolder, sizeBytes }) => (
                    <li key={name}>
                        <Button
                            variant="link"
                            isInline
                            icon={isFolder ? <FolderIcon /> : <FileIcon />}
                            onClick={() => (isFolder ? onOpen : onChoose)(within(name))}
                        >
                            <bdi>{shown(name)}</bdi>
                        </Button>
                        {!isFolder && <span className="note"> {bytes(sizeBytes)}</span>}
                    </li>
                ))}
            </ul>
            {entries?.length === 0 && problem === "" && (
                <p className="note">{_("Nothing here, or nothing that you may see.")}</p>
            )}
        </section>
    );
}
