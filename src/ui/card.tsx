// SPDX-License-Identifier: Apache-2.0
import "@patternfly/patternfly/components/Card/card.css";
import type { ReactNode } from "react";
import { classes } from "./classes.ts";

interface CardProps {
    readonly title?: ReactNode;
    /** of the title, as the page's outline goes */
    readonly level?: 1 | 2 | 3;
    /** at the end of the title's line */
    readonly actions?: ReactNode;
    /** the content reaches the card's edges, as tables do */
    readonly isFlush?: boolean;
    readonly className?: string;
    readonly children?: ReactNode;
}

export function Card({ title, level = 2, actions, isFlush = false, className, children }: CardProps) {
    const Heading = `h${level}` as const;
    return (
        <div className={classes("pf-v6-c-card", className)}>
            {(title !== undefined || actions !== undefined) && (
                <div className="pf-v6-c-card__header">
                    {actions !== undefined && <div className="pf-v6-c-card__actions pf-m-no-offset">{actions}</div>}
                    <div className="pf-v6-c-card__header-main">
                        <div className="pf-v6-c-card__title">
                            <Heading className="pf-v6-c-card__title-text">{title}</Heading>
                        </div>
                    </div>
                </div>
            )}
            {children !== undefined && (
                <div className={classes("pf-v6-c-card__body", isFlush && "flush")}>{children}</div>
            )}
        </div>
    );
}
