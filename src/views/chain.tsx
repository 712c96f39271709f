// SPDX-License-Identifier: Apache-2.0
// One chain: how it is carried, and its members in the order packets meet them.
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table/dist/esm/components/Table/index.js";
import { FailureDialog } from "../dialogs/frame.tsx";
import { shown } from "../escape.ts";
import { _, format } from "../i18n.ts";
import type { Chain, Interface, Link, Member } from "../model.ts";
import { type Page, usePage } from "../page.ts";
import { moveByOne } from "../reorder.ts";
import { programHref } from "../route.ts";
import { Icon } from "../ui/icons.tsx";
import { Label, LabelGroup } from "../ui/label.tsx";
import { MenuItem } from "../ui/menu.tsx";
import { actionWord, backendHelp, chainKind, chainTitle, hookKind } from "../words.ts";
import { LinkMenu } from "./link-menu.tsx";

export function ChainSection({ chain, iface }: { chain: Chain; iface: Interface }) {
    const title = chainTitle(chain.type);
    const reason = chain.backendReason === "" ? backendHelp(chain.backend) : chain.backendReason;
    return (
        <section className="chain" aria-label={format(_("$0 on $1"), title, shown(iface.name))}>
            <div className="chain-title">
                <h3>{title}</h3>
                <Label>{shown(chain.backend)}</Label>
                {chain.mode !== "" && (
                    <Label color={chain.mode === "generic" ? "orange" : "grey"}>
                        {chain.mode === "generic" ? _("generic mode") : _("native mode")}
                    </Label>
                )}
                {chain.revision > 0 && <span className="note">{format(_("Revision $0"), chain.revision)}</span>}
            </div>
            <p className="note">
                {[reason, chain.modeReason]
                    .filter(text => text !== "")
                    .map(shown)
                    .join(" · ")}
            </p>
            <Members chain={chain} iface={iface} title={title} />
        </section>
    );
}

function Members({ chain, iface, title }: { chain: Chain; iface: Interface; title: string }) {
    const kind = chainKind(chain.type);
    const proceeds = kind !== "tcx";
    // in a shared chain the programs of others have their place as ours have
    const ordered = (member: Member) => !member.foreign || chain.backend === "libxdp";
    return (
        <Table variant="compact" aria-label={format(_("$0 on $1"), title, shown(iface.name))}>
            <Thead>
                <Tr>
                    <Th width={10}>{_("Position")}</Th>
                    <Th width={10}>{_("Priority")}</Th>
                    <Th width={35}>{_("Program")}</Th>
                    {proceeds && <Th>{_("Proceeds on")}</Th>}
                    <Th screenReaderText={_("Actions")} />
                </Tr>
            </Thead>
            <Tbody>
                {chain.members.map(member => (
                    <Tr key={`${member.position} ${member.linkId} ${member.programId}`}>
                        <Td dataLabel={_("Position")}>{member.position}</Td>
                        <Td dataLabel={_("Priority")}>{ordered(member) ? member.priority : ""}</Td>
                        <Td dataLabel={_("Program")} modifier="breakWord">
                            <a href={programHref(member.programId)}>{memberLabel(member)}</a>
                            {member.foreign && (
                                <div className="note">
                                    <Icon name="lock" /> {_("Not managed here")}
                                </div>
                            )}
                        </Td>
                        {proceeds && (
                            <Td dataLabel={_("Proceeds on")}>
                                {ordered(member) && <ProceedOn kind={kind} codes={member.proceedOn} />}
                            </Td>
                        )}
                        <Td isActionCell>
                            {!member.foreign && <MemberMenu chain={chain} iface={iface} member={member} />}
                        </Td>
                    </Tr>
                ))}
            </Tbody>
        </Table>
    );
}

function MemberMenu({ chain, iface, member }: { chain: Chain; iface: Interface; member: Member }) {
    const page = usePage();
    const ours = chain.members.filter(other => !other.foreign);
    const at = ours.indexOf(member);
    const items = ([-1, 1] as const).map(step => {
        const changes = moveByOne(ours, at, step);
        return (
            <MenuItem key={step} isDisabled={!changes} onClick={() => void (changes && move(page, member, changes))}>
                {step < 0 ? _("Move up") : _("Move down")}
            </MenuItem>
        );
    });
    return <LinkMenu link={linkOfMember(chain, iface, member)}>{items}</LinkMenu>;
}

async function move(
    page: Page,
    member: Member,
    changes: readonly { linkId: number; priority: number }[],
): Promise<void> {
    try {
        for (const { linkId, priority } of changes) await page.client.updateLink({ linkId, priority });
        page.notify(format(_("$0 moved"), shown(member.programName)));
    } catch (error) {
        page.show(<FailureDialog title={format(_("$0 was not moved"), shown(member.programName))} error={error} />);
    }
    page.live.refresh();
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

function memberLabel(member: Member): string {
    return member.programName === "" ? format(_("program $0"), member.programId) : shown(member.programName);
}

export function ProceedOn({ kind, codes }: { kind: string; codes: readonly number[] }) {
    const hook = hookKind(kind);
    if (!hook || codes.length === 0) return null;
    return (
        <LabelGroup most={12} label={_("Proceeds on")}>
            {codes.map(code => (
                <Label key={code} isOutline>
                    {actionWord(hook, code)}
                </Label>
            ))}
        </LabelGroup>
    );
}
