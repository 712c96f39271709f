// SPDX-License-Identifier: Apache-2.0
// An error as the daemon tells it: what failed, the verifier's words, what to do next.
import { type ReactNode, useEffect, useRef } from "react";
import { CallError, TransportError } from "../../../client/errors.ts";
import { shown, shownLines } from "../../text/escape.ts";
import { _, format, ngettext } from "../../text/i18n.ts";
import { Alert } from "../../ui/alert.tsx";
import { Button } from "../../ui/button.tsx";
import { English } from "./english.tsx";
import { Section } from "./section.tsx";

interface RefusalProps {
    readonly title: string;
    readonly error: Error;
    /** asks again for the verifier's whole log */
    readonly onFullLog?: (() => void) | undefined;
    readonly children?: ReactNode;
}

export function Refusal({ title, error, onFullLog, children }: RefusalProps) {
    const detail = error instanceof CallError ? error.detail : undefined;
    const omitted = detail?.verifierLinesOmitted ?? 0;
    const whole = detail?.verifierLog ?? "";
    const log = whole === "" ? (detail?.verifierLines ?? []).join("\n") : whole;
    const ref = useRef<HTMLDivElement>(null);
    // a dialog may be longer than the screen
    // biome-ignore lint/correctness/useExhaustiveDependencies: each new error is to be seen
    useEffect(() => {
        ref.current?.scrollIntoView({ block: "nearest" });
    }, [error]);
    return (
        <div ref={ref}>
            <Alert variant="danger" title={title} className="refusal">
                <p>{error instanceof CallError ? <English>{error.message}</English> : shown(errorText(error))}</p>
                {log !== "" && (
                    <>
                        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
                        <pre className="verifier-log" tabIndex={0} role="log" aria-label={_("Verifier log")}>
                            {shownLines(log)}
                        </pre>
                        {whole === "" && omitted > 0 && (
                            <p>
                                {ngettext(
                                    "$0 more line of the verifier's log is left out.",
                                    "$0 more lines of the verifier's log are left out.",
                                    omitted,
                                )}{" "}
                                {onFullLog && (
                                    <Button variant="link" isInline onClick={onFullLog}>
                                        {_("Show the whole log")}
                                    </Button>
                                )}
                            </p>
                        )}
                    </>
                )}
                {detail?.hint && (
                    <p>
                        <English>{detail.hint}</English>
                    </p>
                )}
                {children}
            </Alert>
        </div>
    );
}

/** In place of a view whose list could not be fetched. */
export function ErrorAlert({ error }: { error: Error }) {
    return (
        <Section>
            <Refusal title={_("This can't be shown")} error={error} />
        </Section>
    );
}

function errorText(error: Error): string {
    if (!(error instanceof TransportError)) return error.message;
    if (error.reason !== "lost") return _("The eBPF manager can't be reached.");
    return format(_("The connection was lost before an answer came ($0). Look whether it was done."), error.message);
}
