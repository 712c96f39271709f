// SPDX-License-Identifier: Apache-2.0
// Chooses a file of the host: a path typed, or folders walked through.
import "@patternfly/patternfly/components/InputGroup/input-group.css";
import { type KeyboardEvent, useEffect, useState } from "react";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { bytes } from "../../text/words.ts";
import { Button } from "../../ui/button.tsx";
import { FormGroup, HelperText } from "../../ui/form.tsx";
import { Icon } from "../../ui/icons.tsx";
import { TextInput } from "../../ui/text-field.tsx";
import { asError } from "../frame.tsx";
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
            <div className="pf-v6-c-input-group">
                <div className="pf-v6-c-input-group__item pf-m-fill">
                    <TextInput
                        id="load-path"
                        value={path}
                        placeholder={_("/path/to/object.o")}
                        dir="ltr"
                        spellCheck={false}
                        autoComplete="off"
                        isDisabled={isDisabled}
                        onKeyDown={onKeyDown}
                        onChange={text => {
                            setPath(text);
                            onReset();
                        }}
                    />
                </div>
                <div className="pf-v6-c-input-group__item">
                    <Button
                        variant="control"
                        isDisabled={isDisabled}
                        isExpanded={folder !== undefined}
                        onClick={() => setFolder(folder === undefined ? folderOf(path) : undefined)}
                    >
                        {_("Browse")}
                    </Button>
                </div>
                <div className="pf-v6-c-input-group__item">
                    <Button variant="control" isDisabled={isDisabled || !absolute} onClick={() => inspect(path)}>
                        {_("Inspect")}
                    </Button>
                </div>
            </div>
            {folder !== undefined && <Folder path={folder} onOpen={setFolder} onChoose={choose} />}
            <HelperText>{_("An eBPF object, compiled by clang. It is read with your rights.")}</HelperText>
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
                        <Button
                            variant="link"
                            isInline
                            icon={<Icon name="folder" />}
                            onClick={() => onOpen(folderOf(path))}
                        >
                            {_("One folder up")}
                        </Button>
                    </li>
                )}
                {entries?.map(({ name, isFolder, sizeBytes }) => (
                    <li key={name}>
                        <Button
                            variant="link"
                            isInline
                            icon={<Icon name={isFolder ? "folder" : "file"} />}
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
