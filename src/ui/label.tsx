// SPDX-License-Identifier: Apache-2.0
import "@patternfly/patternfly/components/Label/label.css";
import "@patternfly/patternfly/components/Label/label-group.css";
import { Children, type ReactNode, useState } from "react";
import { _, format } from "../text/i18n.ts";
import { classes } from "./classes.ts";

interface LabelProps {
    readonly color?: "grey" | "blue" | "green" | "orange" | "red" | "purple" | "teal" | "yellow";
    readonly isOutline?: boolean;
    readonly icon?: ReactNode;
    readonly href?: string;
    readonly title?: string;
    readonly children: ReactNode;
}

/** Compact: it stands in rows and titles. */
export function Label({ color = "grey", isOutline = false, icon, href, title, children }: LabelProps) {
    const inside = (
        <>
            {icon && <span className="pf-v6-c-label__icon">{icon}</span>}
            <span className="pf-v6-c-label__text">{children}</span>
        </>
    );
    return (
        <span
            title={title}
            className={classes(
                "pf-v6-c-label",
                color !== "grey" && `pf-m-${color}`,
                isOutline ? "pf-m-outline" : "pf-m-filled",
                "pf-m-compact",
                href !== undefined && "pf-m-clickable",
            )}
        >
            {href === undefined ? (
                <span className="pf-v6-c-label__content">{inside}</span>
            ) : (
                <a className="pf-v6-c-label__content pf-m-clickable" href={href}>
                    {inside}
                </a>
            )}
        </span>
    );
}

/** Labels in a row; beyond `most` they wait behind a button. */
export function LabelGroup({ label, most = 4, children }: { label: string; most?: number; children: ReactNode }) {
    const [isOpen, setOpen] = useState(false);
    const all = Children.toArray(children);
    const isLong = all.length > most;
    const visible = isLong && !isOpen ? all.slice(0, most) : all;
    return (
        <div className="pf-v6-c-label-group">
            <div className="pf-v6-c-label-group__main">
                {/* biome-ignore lint/a11y/noRedundantRoles: Safari takes it away where a list has no marker */}
                <ul className="pf-v6-c-label-group__list" aria-label={label} role="list">
                    {visible.map((item, at) => (
                        // biome-ignore lint/suspicious/noArrayIndexKey: the items hold their own keys
                        <li key={at} className="pf-v6-c-label-group__list-item">
                            {item}
                        </li>
                    ))}
                    {isLong && (
                        <li className="pf-v6-c-label-group__list-item">
                            <span className="pf-v6-c-label pf-m-overflow pf-m-compact">
                                <button
                                    type="button"
                                    className="pf-v6-c-label__content"
                                    aria-expanded={isOpen}
                                    onClick={() => setOpen(!isOpen)}
                                >
                                    <span className="pf-v6-c-label__text">
                                        {isOpen ? _("Show less") : format(_("$0 more"), all.length - most)}
                                    </span>
                                </button>
                            </span>
                        </li>
                    )}
                </ul>
            </div>
        </div>
    );
}
