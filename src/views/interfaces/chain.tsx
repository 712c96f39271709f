// SPDX-License-Identifier: Apache-2.0
// One chain: how it is carried, and its members as packets meet them, to be put in another order.
import { useEffect, useId, useRef, useState } from "react";
import { AttachDialog } from "../../dialogs/attach/attach.tsx";
import { moveMember } from "../../dialogs/attach/reorder.tsx";
import type { Chain, Interface, Member } from "../../model/model.ts";
import { orderAfter, planMove } from "../../model/reorder.ts";
import { usePage } from "../../page.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { actionWord, backendHelp, chainKind, chainTitle, hookKind } from "../../text/words.ts";
import { Button } from "../../ui/button.tsx";
import { Label, LabelGroup } from "../../ui/label.tsx";
import { English } from "../shared/english.tsx";
import { Help } from "../shared/help.tsx";
import type { ChainCounts } from "./chain-counts.ts";
import { memberKey } from "./chain-counts.ts";
import { type DragOptions, useDrag } from "./chain-drag.ts";
import { MemberItem, memberLabel } from "./chain-member.tsx";
import { ChainVerdicts } from "./chain-verdicts.tsx";

interface ChainSectionProps {
    readonly chain: Chain;
    readonly iface: Interface;
    /** while packets are counted */
    readonly counts: ChainCounts | undefined;
}

export function ChainSection({ chain, iface, counts }: ChainSectionProps) {
    const title = chainTitle(chain.type);
    const name = format(_("$0 on $1"), title, shown(iface.name));
    return (
        <section className="chain" aria-label={name}>
            <ChainTitle type={chain.type} iface={iface}>
                <Label>{shown(chain.backend)}</Label>
                <Help topic="backend" />
                {chain.mode !== "" && (
                    <>
                        <Label color={chain.mode === "generic" ? "orange" : "grey"}>
                            {chain.mode === "generic" ? _("generic mode") : _("native mode")}
                        </Label>
                        <Help topic="xdpMode" />
                    </>
                )}
                {chain.revision > 0 && <span className="note">{format(_("Revision $0"), chain.revision)}</span>}
            </ChainTitle>
            <Reasons chain={chain} />
            <Members chain={chain} iface={iface} counts={counts} name={name} />
            {counts && <ChainVerdicts chain={chain} counts={counts} />}
        </section>
    );
}

/** A place where no program is. */
export function EmptyChain({ type, iface }: { type: string; iface: Interface }) {
    return (
        <section className="chain" aria-label={format(_("$0 on $1"), chainTitle(type), shown(iface.name))}>
            <ChainTitle type={type} iface={iface}>
                <span className="note">{_("No programs")}</span>
            </ChainTitle>
        </section>
    );
}

interface ChainTitleProps {
    readonly type: string;
    readonly iface: Interface;
    readonly children: React.ReactNode;
}

function ChainTitle({ type, iface, children }: ChainTitleProps) {
    const { show } = usePage();
    const title = chainTitle(type);
    const attach = () =>
        show(<AttachDialog interfaceKey={iface.key} kind={chainKind(type)} direction={directionOf(type)} />);
    return (
        <div className="chain-title">
            <h3>{title}</h3>
            <Help topic={chainKind(type)} />
            {children}
            <Button
                variant="link"
                isInline
                isSmall
                className="chain-attach"
                label={format(_("Attach here: $0 on $1"), title, shown(iface.name))}
                onClick={attach}
            >
                {_("Attach here")}
            </Button>
        </div>
    );
}

function directionOf(type: string): "ingress" | "egress" | undefined {
    const direction = type.split("-")[1];
    return direction === "ingress" || direction === "egress" ? direction : undefined;
}

/** The daemon's sentences are English. */
function Reasons({ chain }: { chain: Chain }) {
    const told = [chain.backendReason, chain.modeReason].filter(text => text !== "");
    const help = backendHelp(chain.backend);
    if (told.length === 0) return help === "" ? null : <p className="note chain-note">{help}</p>;
    return (
        <p className="note chain-note">
            <English>{told.join(" · ")}</English>
        </p>
    );
}

interface MembersProps extends ChainSectionProps {
    readonly name: string;
}

function Members({ chain, iface, counts, name }: MembersProps) {
    const page = usePage();
    const instructions = useId();
    const [spoken, setSpoken] = useState("");
    // what was dropped stays where it was dropped until the daemon's answer is here
    const [dropped, setDropped] = useState<{ of: Chain; members: readonly Member[] }>();
    const members = dropped?.of === chain ? dropped.members : chain.members;
    const shared = chain.backend === "libxdp";
    const move = (from: number, to: number) => {
        const moved = members[from];
        const changes = planMove(members, shared, from, to);
        if (!moved || !changes) return;
        const after = orderAfter(members, shared, from, to);
        setDropped({ of: chain, members: after });
        refocus.current = memberKey(moved);
        void moveMember(page, { chain, iface, member: moved, after, changes }).then(done => {
            if (!done) setDropped(undefined);
        });
    };
    const order = members.map(memberKey).join();
    const options: DragOptions = {
        count: members.length,
        order,
        canMove: (from, to) => planMove(members, shared, from, to) !== undefined,
        orderAfter: (from, to) => orderAfter(members, shared, from, to).map(member => members.indexOf(member)),
        onMove: move,
        announce: (what, from, to) => setSpoken(announcement(what, members, from, to)),
    };
    const { list, drag, gripOf, shiftOf } = useDrag(options);

    // a member that changed its place in the document lost the focus on the way
    const refocus = useRef<string>();
    // biome-ignore lint/correctness/useExhaustiveDependencies: after each new order
    useEffect(() => {
        const wanted = refocus.current;
        refocus.current = undefined;
        if (wanted === undefined || (document.activeElement !== document.body && document.activeElement)) return;
        list.current?.querySelector<HTMLElement>(`[data-member="${wanted}"] .grip`)?.focus();
    }, [order, list]);

    const movable = members.some((_member, from) => members.some((_other, to) => options.canMove(from, to)));
    return (
        <>
            <ol ref={list} className={drag ? "members members-dragged" : "members"} aria-label={name}>
                {members.map((member, at) => (
                    <MemberItem
                        key={memberKey(member)}
                        chain={chain}
                        iface={iface}
                        member={member}
                        position={at}
                        isLast={at === members.length - 1}
                        counts={counts?.members.get(memberKey(member))}
                        carried={drag?.from === at}
                        shiftPx={shiftOf(at)}
                        grip={movable && !member.foreign ? gripOf(at) : undefined}
                        instructionsId={instructions}
                        onStep={step => (options.canMove(at, at + step) ? () => move(at, at + step) : undefined)}
                    />
                ))}
            </ol>
            {movable && (
                <p id={instructions} className="hidden-title">
                    {_(
                        "Press Space to take the program, the arrow keys to move it, Space to drop it, Escape to cancel.",
                    )}
                </p>
            )}
            <p className="hidden-title" aria-live="assertive">
                {spoken}
            </p>
        </>
    );
}

function announcement(
    what: "taken" | "moved" | "dropped" | "cancelled",
    members: readonly Member[],
    from: number,
    to: number,
): string {
    const member = members[from];
    const name = member ? memberLabel(member) : "";
    const [place, count] = [to + 1, members.length];
    switch (what) {
        case "taken":
            return format(_("$0 taken, position $1 of $2"), name, place, count);
        case "moved":
            return format(_("$0 moved to position $1 of $2"), name, place, count);
        case "dropped":
            return format(_("$0 dropped at position $1 of $2"), name, place, count);
        case "cancelled":
            return format(_("$0 stays at position $1 of $2"), name, place, count);
    }
}

export function ProceedOn({ kind, codes }: { kind: string; codes: readonly number[] }) {
    const hook = hookKind(kind);
    if (!hook || codes.length === 0) return null;
    return (
        <LabelGroup label={_("Proceeds on")} most={12}>
            {codes.map(code => (
                <Label key={code} isOutline>
                    {actionWord(hook, code)}
                </Label>
            ))}
        </LabelGroup>
    );
}
