// SPDX-License-Identifier: Apache-2.0
// What most people need not see, behind its name.
import "@patternfly/patternfly/components/ExpandableSection/expandable-section.css";
import { type ReactNode, useId, useState } from "react";
import { Button } from "./button.tsx";
import { classes } from "./classes.ts";
import { Icon } from "./icons.tsx";

export function Expandable({ text, children }: { text: string; children: ReactNode }) {
    const id = useId();
    const [isOpen, setOpen] = useState(false);
    return (
        <div className={classes("pf-v6-c-expandable-section", isOpen && "pf-m-expanded")}>
            <div className="pf-v6-c-expandable-section__toggle">
                <Button
                    variant="link"
                    id={`${id}-toggle`}
                    isExpanded={isOpen}
                    onClick={() => setOpen(!isOpen)}
                    icon={
                        <span className="pf-v6-c-expandable-section__toggle-icon">
                            <Icon name="caretDown" />
                        </span>
                    }
                >
                    {text}
                </Button>
            </div>
            {isOpen && (
                <section className="pf-v6-c-expandable-section__content" aria-labelledby={`${id}-toggle`}>
                    {children}
                </section>
            )}
        </div>
    );
}
