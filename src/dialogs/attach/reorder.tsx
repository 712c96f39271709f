// SPDX-License-Identifier: Apache-2.0
// A member at another place of its chain: one request, one rebuild. Where the interface carries the connection that this
// host is administered by, what may come of it is told first.
import { useEffect } from "react";
import type { Chain, Interface, Member } from "../../model/model.ts";
import type { Change } from "../../model/reorder.ts";
import type { Page } from "../../page.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { chainTitle } from "../../text/words.ts";
import { memberLabel } from "../../views/interfaces/chain-member.tsx";
import { SessionWarning } from "../../views/shared/session-warning.tsx";
import { ActionDialog, FailureDialog } from "../frame.tsx";

interface Move {
    readonly chain: Chain;
    readonly iface: Interface;
    readonly member: Member;
    /** the members as they then are */
    readonly after: readonly Member[];
    readonly changes: readonly Change[];
}

/** False when it was not done. */
export async function moveMember(page: Page, move: Move): Promise<boolean> {
    if (move.iface.sessions.length > 0) {
        return new Promise(resolve => page.show(<MoveDialog page={page} move={move} onEnd={resolve} />));
    }
    try {
        await update(page, move);
        return true;
    } catch (error) {
        page.show(<FailureDialog title={format(_("$0 was not moved"), memberLabel(move.member))} error={error} />);
        return false;
    } finally {
        page.live.refresh();
    }
}

async function update(page: Page, { member, changes }: Move): Promise<void> {
    const [first, ...others] = changes;
    if (first && others.length === 0) await page.client.updateLink({ ...first });
    else await page.client.updateLinks({ updates: changes.map(change => ({ ...change })) });
    page.notify(format(_("$0 moved"), memberLabel(member)));
}

interface MoveDialogProps {
    readonly page: Page;
    readonly move: Move;
    readonly onEnd: (done: boolean) => void;
}

function MoveDialog({ page, move, onEnd }: MoveDialogProps) {
    const { chain, iface, member, after } = move;
    // closed without an answer
    useEffect(() => () => onEnd(false), [onEnd]);
    return (
        <ActionDialog
            title={format(_("Change the order of $0 on $1?"), chainTitle(chain.type), shown(iface.name))}
            action={_("Change order")}
            failure={format(_("$0 was not moved"), memberLabel(member))}
            run={async () => {
                await update(page, move);
                onEnd(true);
            }}
            size="small"
        >
            <SessionWarning places={[{ interface: iface.name, netns: iface.netns }]} change="reorder" />
            <p>{_("The programs then run in this order:")}</p>
            <ol className="plain-order">
                {after.map(one => (
                    <li key={`${one.linkId} ${one.programId}`}>
                        {one === member ? <strong>{memberLabel(one)}</strong> : memberLabel(one)}
                    </li>
                ))}
            </ol>
        </ActionDialog>
    );
}
