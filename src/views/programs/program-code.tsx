// SPDX-License-Identifier: Apache-2.0
// A program's instructions as the verifier left them, between the source lines that they come from.
import { useCallback, useMemo, useState } from "react";
import { fromBase64 } from "../../../client/base64.ts";
import { asError } from "../../dialogs/frame.tsx";
import { type CodeLine, codeLines, filteredLines } from "../../model/code-lines.ts";
import type { Program } from "../../model/model.ts";
import { useFetched, usePage } from "../../page.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { bytes } from "../../text/words.ts";
import { Alert } from "../../ui/alert.tsx";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { Switch } from "../../ui/choice.tsx";
import { download } from "../../ui/download.ts";
import { EmptyState, Loading } from "../../ui/empty.tsx";
import { Icon } from "../../ui/icons.tsx";
import { SearchField } from "../../ui/search.tsx";
import { ListWindow } from "../../ui/window.tsx";
import { English } from "../shared/english.tsx";
import { Refusal } from "../shared/refusal.tsx";

const lineHeightPx = 22;

export function CodeTab({ program }: { program: Program }) {
    const { client } = usePage();
    const fetch = useCallback(() => client.getProgramCode(program.id), [client, program.id]);
    const { value: code, error } = useFetched(fetch);
    const [filter, setFilter] = useState("");
    const [isWithSource, setWithSource] = useState(true);
    const all = useMemo(() => (code ? codeLines(code, isWithSource) : []), [code, isWithSource]);
    const lines = useMemo(() => filteredLines(all, filter), [all, filter]);
    const count = lines.filter(line => line.kind === "instruction").length;
    const unavailable = code?.unavailable ?? "";
    return (
        <>
            <MachineCodeCard program={program} sizeBytes={code?.jitedSizeBytes} architecture={code?.architecture} />
            <Card title={_("Instructions")} isFlush>
                {error && (
                    <div className="inset">
                        <Refusal title={_("This can't be shown")} error={error} />
                    </div>
                )}
                {!code && !error && <Loading level={3} />}
                {unavailable !== "" && (
                    <div className="inset">
                        <Alert variant="info" title={_("The kernel does not show the instructions")}>
                            <English>{unavailable}</English>
                        </Alert>
                    </div>
                )}
                {code && unavailable === "" && (
                    <>
                        <div className="toolbar">
                            <div className="filter">
                                <SearchField
                                    label={_("Search the code")}
                                    placeholder={_("Instruction, number or source")}
                                    value={filter}
                                    onChange={setFilter}
                                    found={count}
                                />
                            </div>
                            <Switch label={_("Source lines")} isOn={isWithSource} onChange={setWithSource} />
                        </div>
                        {lines.length === 0 ? (
                            <EmptyState isSmall level={3} title={_("Nothing matches the filter")} />
                        ) : (
                            <CodeBlock lines={lines} />
                        )}
                    </>
                )}
            </Card>
        </>
    );
}

function CodeBlock({ lines }: { lines: readonly CodeLine[] }) {
    return (
        // biome-ignore lint/a11y/useSemanticElements: it scrolls, so it has a name and the keyboard reaches it
        <div
            className="code"
            dir="ltr"
            role="region"
            aria-label={_("Instructions")}
            // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
            tabIndex={0}
        >
            <ListWindow lines={lines} lineHeightPx={lineHeightPx} render={renderLine} />
        </div>
    );
}

function renderLine(line: CodeLine, at: number) {
    switch (line.kind) {
        case "function":
            return (
                <div key={at} className="code-line code-function">
                    {shown(line.prototype === "" ? `${line.name}:` : `${line.prototype}:`)}
                </div>
            );
        case "source":
            return (
                <div key={at} className="code-line code-source">
                    <span className="code-place">{shown(line.place)}</span>
                    {shown(line.text.trim())}
                </div>
            );
        case "instruction":
            return (
                <div key={at} className="code-line">
                    <span className="code-index">{line.index}</span>
                    <span className="code-text">{shown(line.text)}</span>
                    {line.jumpTo !== undefined && <span className="code-jump">{`→ ${line.jumpTo}`}</span>}
                    <span className="code-hex">{line.hex}</span>
                </div>
            );
    }
}

interface MachineCodeProps {
    readonly program: Program;
    readonly sizeBytes: number | undefined;
    readonly architecture: string | undefined;
}

function MachineCodeCard({ program, sizeBytes, architecture }: MachineCodeProps) {
    const { client } = usePage();
    const [isBusy, setBusy] = useState(false);
    const [problem, setProblem] = useState("");
    const size = sizeBytes ?? program.json.kernel?.sizeJitedBytes ?? 0;
    const save = async () => {
        setBusy(true);
        setProblem("");
        try {
            const { jited = "", jitedUnavailable = "" } = await client.getProgramCode(program.id, true);
            if (jited === "") setProblem(jitedUnavailable === "" ? _("The kernel gave none.") : jitedUnavailable);
            else download(`program-${program.id}.bin`, new Blob([Uint8Array.from(fromBase64(jited))]));
        } catch (error) {
            setProblem(asError(error).message);
        }
        setBusy(false);
    };
    return (
        <Card
            title={_("Machine code")}
            actions={
                size > 0 && (
                    <Button
                        variant="secondary"
                        icon={<Icon name="download" />}
                        isLoading={isBusy}
                        isDisabled={isBusy}
                        onClick={() => void save()}
                    >
                        {_("Download")}
                    </Button>
                )
            }
        >
            <p>
                {size > 0
                    ? format(_("$0, compiled for $1"), bytes(size), shown(architecture || _("this machine")))
                    : _("The kernel interprets this program; it was not compiled.")}
            </p>
            {problem !== "" && (
                <Alert variant="warning" title={_("It could not be downloaded")}>
                    <English>{problem}</English>
                </Alert>
            )}
        </Card>
    );
}
