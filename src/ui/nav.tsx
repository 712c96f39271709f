// SPDX-License-Identifier: Apache-2.0
// The page's tabs: links, so that Back, a new window and the address work as with any link.
import "@patternfly/patternfly/components/Nav/nav.css";
import "@patternfly/patternfly/components/Breadcrumb/breadcrumb.css";
import { type ReactNode, useRef } from "react";
import { _ } from "../text/i18n.ts";
import { classes } from "./classes.ts";
import { Icon } from "./icons.tsx";
import { useMarkedInSight } from "./in-sight.ts";

interface NavItem {
    readonly id: string;
    readonly href: string;
    readonly title: string;
}

export function NavBar({ label, items, current }: { label: string; items: readonly NavItem[]; current: string }) {
    const list = useRef<HTMLUListElement>(null);
    useMarkedInSight(list, "[aria-current]", current);
    return (
        <nav className="pf-v6-c-nav pf-m-horizontal pf-m-subnav" aria-label={label}>
            {/* biome-ignore lint/a11y/noRedundantRoles: Safari takes it away where a list has no marker */}
            <ul ref={list} className="pf-v6-c-nav__list" role="list">
                {items.map(({ id, href, title }) => (
                    <li key={id} className="pf-v6-c-nav__item">
                        <a
                            href={href}
                            className={classes("pf-v6-c-nav__link", id === current && "pf-m-current")}
                            aria-current={id === current ? "page" : undefined}
                        >
                            <span className="pf-v6-c-nav__link-text">{title}</span>
                        </a>
                    </li>
                ))}
            </ul>
        </nav>
    );
}

/** The list that this is an item of, and the item. */
export function Breadcrumb({ href, list, children }: { href: string; list: string; children: ReactNode }) {
    return (
        <nav aria-label={_("Breadcrumb")} className="pf-v6-c-breadcrumb">
            {/* biome-ignore lint/a11y/noRedundantRoles: Safari takes it away where a list has no marker */}
            <ol className="pf-v6-c-breadcrumb__list" role="list">
                <li className="pf-v6-c-breadcrumb__item">
                    <a href={href} className="pf-v6-c-breadcrumb__link">
                        {list}
                    </a>
                </li>
                <li className="pf-v6-c-breadcrumb__item" aria-current="page">
                    <span className="pf-v6-c-breadcrumb__item-divider">
                        <Icon name="angleRight" className="directional" />
                    </span>
                    {children}
                </li>
            </ol>
        </nav>
    );
}
