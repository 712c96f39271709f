// SPDX-License-Identifier: Apache-2.0
// What becomes of packets: after which results a program's chain goes on, and how many packets each result was given to.
import type { Chain, Member } from "../../model/model.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { actionWord, chainKind, duration, type HookKind, whole } from "../../text/words.ts";
import { Button } from "../../ui/button.tsx";
import { Label, LabelGroup } from "../../ui/label.tsx";
import { English } from "../shared/english.tsx";
import type { ChainCounts, MemberCounts, VerdictCounts } from "./chain-counts.ts";

// TCX_NEXT of the kernel's enum tcx_action_base, as C's -1
const tcxNext = -1;

interface MemberResultsProps {
    readonly kind: HookKind;
    readonly member: Member;
    readonly isLast: boolean;
    readonly counts: MemberCounts | undefined;
    /** absent: they can't be changed here */
    readonly onChange?: () => void;
}

export function MemberResults({ kind, member, isLast, counts, onChange }: MemberResultsProps) {
    const goesOn = kind === "tcx" ? [tcxNext] : member.proceedOn;
    const ended = (counts?.verdicts ?? []).filter(verdict => !goesOn.includes(verdict.code) && verdict.packets > 0);
    return (
        <div className="member-results">
            <div className="member-goes-on">
                <span className="note">{_("Goes on after")}</span>
                <LabelGroup label={_("Proceeds on")} most={12}>
                    {goesOn.map(code => (
                        <Label key={code} isOutline color={counts ? "green" : "grey"}>
                            {result(
                                kind,
                                code,
                                counts?.verdicts.find(verdict => verdict.code === code),
                                counts,
                            )}
                        </Label>
                    ))}
                </LabelGroup>
                <span className="note">
                    {isLast ? _("but it is the last: its result is the chain's") : _("else the chain ends here")}
                </span>
                {onChange && kind !== "tcx" && (
                    <Button
                        variant="link"
                        isInline
                        isSmall
                        label={format(_("Change what $0 goes on after"), shown(member.programName))}
                        onClick={onChange}
                    >
                        {_("Change")}
                    </Button>
                )}
            </div>
            {ended.length > 0 && (
                <div className="member-goes-on">
                    <span className="note">{_("Ended here with")}</span>
                    <LabelGroup label={_("Ended here")} most={12}>
                        {ended.map(verdict => (
                            <Label key={verdict.code} isOutline color="red">
                                {result(kind, verdict.code, verdict, counts)}
                            </Label>
                        ))}
                    </LabelGroup>
                </div>
            )}
            {counts && (
                <p className="note">
                    {format(
                        _("$0 packets, $1 per second, $2 each"),
                        whole(counts.packets),
                        whole(counts.perSecond),
                        duration(counts.nsPerRun),
                    )}
                </p>
            )}
        </div>
    );
}

function result(kind: HookKind, code: number, verdict: VerdictCounts | undefined, counts: unknown): string {
    const word = verdictWord(kind, code);
    return counts === undefined ? word : format("$0 $1", word, whole(verdict?.packets ?? 0));
}

/** What the whole chain decided. */
export function ChainVerdicts({ chain, counts }: { chain: Chain; counts: ChainCounts }) {
    const kind = chainKind(chain.type);
    if (counts.unmeasured !== "") {
        return (
            <p className="note chain-note">
                {_("Not counted:")} <English>{counts.unmeasured}</English>
            </p>
        );
    }
    return (
        <p className="chain-verdicts" role="status" aria-live="off">
            {counts.verdicts.length === 0 && <span className="note">{_("No packet yet")}</span>}
            {counts.verdicts.map(verdict => (
                <span key={verdict.code} className="verdict">
                    <strong>{verdictWord(kind, verdict.code)}</strong>{" "}
                    {format(_("$0 ($1/s)"), whole(verdict.packets), whole(verdict.perSecond))}
                </span>
            ))}
        </p>
    );
}

function verdictWord(kind: HookKind, code: number): string {
    if (kind !== "tcx") return actionWord(kind, code);
    return code === tcxNext ? "next" : (tcxWords[code] ?? String(code));
}

const tcxWords: Readonly<Record<number, string>> = { 0: "pass", 2: "drop", 7: "redirect" };
