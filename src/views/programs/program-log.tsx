// SPDX-License-Identifier: Apache-2.0
// What the verifier said when the program was loaded.
import { useCallback, useMemo, useState } from "react";
import type { Program } from "../../model/model.ts";
import { useFetched, usePage } from "../../page.ts";
import { shown } from "../../text/escape.ts";
import { _ } from "../../text/i18n.ts";
import { Alert } from "../../ui/alert.tsx";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { download } from "../../ui/download.ts";
import { EmptyState, Loading } from "../../ui/empty.tsx";
import { Icon } from "../../ui/icons.tsx";
import { matches } from "../../ui/rows.ts";
import { SearchField } from "../../ui/search.tsx";
import { ListWindow } from "../../ui/window.tsx";
import { English } from "../shared/english.tsx";
import { Explained } from "../shared/help.tsx";
import { Refusal } from "../shared/refusal.tsx";

const lineHeightPx = 22;

interface LogLine {
    readonly number: number;
    readonly text: string;
}

export function LogTab({ program }: { program: Program }) {
    const { client } = usePage();
    const fetch = useCallback(() => client.getVerifierLog(program.id), [client, program.id]);
    const { value, error } = useFetched(fetch);
    const log = value?.log ?? "";
    const lines = useMemo(
        () =>
            log
                .trimEnd()
                .split("\n")
                .map((text, at): LogLine => ({ number: at + 1, text })),
        [log],
    );
    const [filter, setFilter] = useState("");
    const matching = useMemo(() => lines.filter(line => matches([line.text], filter)), [lines, filter]);
    return (
        <Card
            title={<Explained topic="verifier">{_("Verifier log")}</Explained>}
            isFlush
            actions={
                log !== "" && (
                    <Button
                        variant="secondary"
                        icon={<Icon name="download" />}
                        onClick={() =>
                            download(`program-${program.id}-verifier.log`, new Blob([log], { type: "text/plain" }))
                        }
                    >
                        {_("Download")}
                    </Button>
                )
            }
        >
            {error && (
                <div className="inset">
                    <Refusal title={_("This can't be shown")} error={error} />
                </div>
            )}
            {!value && !error && <Loading level={3} />}
            {value && log === "" && (
                <EmptyState isSmall level={3} title={_("No log is kept")}>
                    <English>{value.unavailable ?? ""}</English>
                </EmptyState>
            )}
            {value?.truncated && (
                <div className="inset">
                    <Alert variant="info" title={_("The log was longer than its buffer; the kernel cut it")} />
                </div>
            )}
            {log !== "" && (
                <>
                    <div className="toolbar">
                        <div className="filter">
                            <SearchField
                                label={_("Search the log")}
                                placeholder={_("Text of a line")}
                                value={filter}
                                onChange={setFilter}
                                found={matching.length}
                            />
                        </div>
                    </div>
                    {/* biome-ignore lint/a11y/useSemanticElements: it scrolls, so it has a name and the keyboard reaches it */}
                    <div
                        className="code"
                        dir="ltr"
                        lang="en"
                        role="region"
                        aria-label={_("Verifier log")}
                        // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
                        tabIndex={0}
                    >
                        <ListWindow
                            lines={matching}
                            lineHeightPx={lineHeightPx}
                            render={line => (
                                <div key={line.number} className="code-line">
                                    <span className="code-index">{line.number}</span>
                                    {shown(line.text)}
                                </div>
                            )}
                        />
                    </div>
                </>
            )}
        </Card>
    );
}
