// SPDX-License-Identifier: Apache-2.0
// One program of a chain: its place, what it goes on after, what it counted, and what can be done with it.
import { UpdateLinkDialog } from "../../dialogs/attach/update-link.tsx";
import type { Chain, Interface, Link, Member } from "../../model/model.ts";
import { usePage } from "../../page.ts";
import { programHref } from "../../route.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { chainKind } from "../../text/words.ts";
import { Icon } from "../../ui/icons.tsx";
import { Label } from "../../ui/label.tsx";
import { MenuItem } from "../../ui/menu.tsx";
import { LinkMenu } from "../links/link-menu.tsx";
import { Help } from "../shared/help.tsx";
import { type MemberCounts, memberKey } from "./chain-counts.ts";
import type { useDrag } from "./chain-drag.ts";
import { MemberResults } from "./chain-verdicts.tsx";

interface MemberItemProps {
    readonly chain: Chain;
    readonly iface: Interface;
    readonly member: Member;
    readonly position: number;
    readonly isLast: boolean;
    readonly counts: MemberCounts | undefined;
    readonly carried: boolean;
    readonly shiftPx: number;
    /** absent: nobody can move it */
    readonly grip: ReturnType<ReturnType<typeof useDrag>["gripOf"]> | undefined;
    readonly instructionsId: string;
    /** what moves it one place; undefined where there is none */
    readonly onStep: (step: -1 | 1) => (() => void) | undefined;
}

export function MemberItem(props: MemberItemProps) {
    const { chain, iface, member, position, grip } = props;
    const { show } = usePage();
    // in a shared chain the programs of others have their place as ours have
    const ordered = !member.foreign || chain.backend === "libxdp";
    const label = memberLabel(member);
    return (
        <li
            className={`member${props.carried ? " member-carried" : ""}${member.foreign ? " member-foreign" : ""}`}
            data-member={memberKey(member)}
            style={props.shiftPx === 0 ? undefined : { transform: `translateY(${props.shiftPx}px)` }}
        >
            <div className="member-box">
                {grip ? (
                    <button
                        type="button"
                        className="grip"
                        aria-label={format(_("Move $0, position $1"), label, position + 1)}
                        aria-describedby={props.instructionsId}
                        {...grip}
                    >
                        <Icon name="gripVertical" />
                    </button>
                ) : (
                    <span className="grip grip-none">{member.foreign && <Icon name="lock" />}</span>
                )}
                <div className="member-body">
                    <div className="member-line">
                        <span className="member-place" aria-hidden>
                            {position + 1}
                        </span>
                        <a href={programHref(member.programId)}>{label}</a>
                        {ordered && <span className="note">{format(_("Priority $0"), member.priority)}</span>}
                        {member.foreign && (
                            <>
                                <Label>{_("Not managed here")}</Label>
                                <Help topic="foreign" />
                            </>
                        )}
                    </div>
                    {ordered && (
                        <MemberResults
                            kind={chainKind(chain.type)}
                            member={member}
                            isLast={props.isLast}
                            counts={props.counts}
                            {...(member.foreign
                                ? {}
                                : {
                                      onChange: () =>
                                          show(<UpdateLinkDialog link={linkOfMember(chain, iface, member)} />),
                                  })}
                        />
                    )}
                </div>
                {!member.foreign && (
                    <LinkMenu link={linkOfMember(chain, iface, member)}>
                        {([-1, 1] as const).map(step => {
                            const move = props.onStep(step);
                            return (
                                <MenuItem key={step} isDisabled={!move} onClick={() => move?.()}>
                                    {step < 0 ? _("Move up") : _("Move down")}
                                </MenuItem>
                            );
                        })}
                    </LinkMenu>
                )}
            </div>
        </li>
    );
}

export function memberLabel(member: Member): string {
    return member.programName === "" ? format(_("program $0"), member.programId) : shown(member.programName);
}

function linkOfMember(chain: Chain, iface: Interface, member: Member): Link {
    const [kind = "", direction = ""] = chain.type.split("-");
    return {
        id: member.linkId,
        programId: member.programId,
        programName: member.programName,
        kind,
        interface: iface.name,
        netns: iface.netns,
        direction,
        priority: member.priority,
        position: member.position,
        proceedOn: member.proceedOn,
    };
}
