// SPDX-License-Identifier: Apache-2.0
// Programs and links in a few words.
import type { Link, Program } from "../../model/model.ts";
import { routeHref } from "../../route.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { hookKind, hookTitle, interfaceLabel } from "../../text/words.ts";
import { Label, LabelGroup } from "../../ui/label.tsx";

/** Foreign programs may have no name at all. */
export function programLabel(program: Program): string {
    return program.name === "" ? _("(no name)") : shown(program.name);
}

export function LinkLabels({ links }: { links: readonly Link[] }) {
    if (links.length === 0) return null;
    return (
        <LabelGroup label={_("Links")}>
            {links.map(link => (
                <Label
                    key={link.id}
                    isOutline
                    {...(hookKind(link.kind) && {
                        href: routeHref({ view: "interface", name: link.interface, netns: link.netns }),
                    })}
                >
                    {linkLabel(link)}
                </Label>
            ))}
        </LabelGroup>
    );
}

export function linkLabel(link: Link): string {
    const where = shown(interfaceLabel(link.interface, link.netns));
    return format(_("$0 on $1"), hookTitle(link.kind, link.direction), where);
}
