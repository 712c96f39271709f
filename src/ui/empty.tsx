// SPDX-License-Identifier: Apache-2.0
// What stands where there is nothing to show, and what can be done about it.
import "@patternfly/patternfly/components/EmptyState/empty-state.css";
import type { ReactNode } from "react";
import { _ } from "../text/i18n.ts";
import { classes } from "./classes.ts";
import { Spinner } from "./spinner.tsx";

interface EmptyStateProps {
    readonly title: string;
    readonly level?: 1 | 2 | 3;
    /** within a card or a tab */
    readonly isSmall?: boolean;
    readonly icon?: ReactNode;
    readonly actions?: ReactNode;
    /** less telling ones, on a line of their own */
    readonly moreActions?: ReactNode;
    readonly children?: ReactNode;
}

export function EmptyState(props: EmptyStateProps) {
    const { title, level = 2, isSmall = false, icon, actions, moreActions, children } = props;
    const Heading = `h${level}` as const;
    return (
        <div className={classes("pf-v6-c-empty-state", isSmall && "pf-m-sm")}>
            <div className="pf-v6-c-empty-state__content">
                <div className="pf-v6-c-empty-state__header">
                    {icon && <div className="pf-v6-c-empty-state__icon">{icon}</div>}
                    <div className="pf-v6-c-empty-state__title">
                        <Heading className="pf-v6-c-empty-state__title-text">{title}</Heading>
                    </div>
                </div>
                {children && <div className="pf-v6-c-empty-state__body">{children}</div>}
                {(actions || moreActions) && (
                    <div className="pf-v6-c-empty-state__footer">
                        {actions && <div className="pf-v6-c-empty-state__actions">{actions}</div>}
                        {moreActions && <div className="pf-v6-c-empty-state__actions">{moreActions}</div>}
                    </div>
                )}
            </div>
        </div>
    );
}

/** Shows after a moment: what comes sooner needs no sign, and a sign that moves is drawn all the while. */
export function Loading({ level = 1 }: { level?: 1 | 2 | 3 }) {
    return (
        <div className="loading">
            <EmptyState level={level} isSmall={level > 1} title={_("Loading…")} icon={<Spinner />} />
        </div>
    );
}
