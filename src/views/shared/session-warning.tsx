// SPDX-License-Identifier: Apache-2.0
// What a change on an interface would do to the connections that this host is administered by, told before it is done.
import type { Interface, Session } from "../../model/model.ts";
import { useInterfaces } from "../../page.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { interfaceLabel } from "../../text/words.ts";
import { Alert } from "../../ui/alert.tsx";

/** Where a change takes place; a link is one too. */
export interface Place {
    readonly interface: string;
    readonly netns: string;
}

export type Change = "attach" | "change" | "reorder" | "detach" | "unload" | "replace";

/** Those of the places whose interfaces carry such connections. */
export function administered(interfaces: readonly Interface[], places: readonly Place[]): Interface[] {
    return interfaces.filter(
        iface =>
            iface.sessions.length > 0 &&
            places.some(place => place.interface === iface.name && place.netns === iface.netns),
    );
}

/** Nothing where no such connection is touched. */
export function SessionWarning({ places, change }: { places: readonly Place[]; change: Change }) {
    const touched = administered(useInterfaces().value ?? [], places);
    return touched.map(iface => (
        <Alert key={iface.key} variant="warning" className="task" title={titleFor(iface)}>
            <p>{consequence(change)}</p>
            <p>{format(_("Connected now: $0"), peers(iface.sessions))}</p>
        </Alert>
    ));
}

function titleFor(iface: Interface): string {
    const name = shown(interfaceLabel(iface.name, iface.netns));
    return iface.sessions.some(session => session.service === "cockpit")
        ? format(_("Your connection comes in through $0"), name)
        : format(_("SSH connections to this host come in through $0"), name);
}

function consequence(change: Change): string {
    switch (change) {
        case "attach":
            return _(
                "A program that drops or redirects its packets cuts it at once. Have another way in, such as a console.",
            );
        case "reorder":
        case "change":
            return _(
                "If a program that drops or redirects packets now sees them first, it may cut it. Have another way in, such as a console.",
            );
        case "detach":
        case "unload":
            return _(
                "Its packets no longer pass this program: what it let through may be dropped by others behind it. Have another way in, such as a console.",
            );
        case "replace":
            return _(
                "The new program sees its packets at once: if it drops or redirects them, the connection is cut. Have another way in, such as a console.",
            );
    }
}

/** Each peer once, as "Cockpit from 192.0.2.7". */
export function peers(sessions: readonly Session[]): string {
    const names = sessions.map(({ service, peer }) => {
        const host = shown(peer.replace(/:\d+$/, ""));
        return service === "cockpit" ? format(_("Cockpit from $0"), host) : format(_("SSH from $0"), host);
    });
    return [...new Set(names)].join(", ");
}
