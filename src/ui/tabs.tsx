// SPDX-License-Identifier: Apache-2.0
// Tabs within a view or a dialog. Arrow keys go from one to the next, as the ARIA practices have it.
import "@patternfly/patternfly/components/Tabs/tabs.css";
import "@patternfly/patternfly/components/TabContent/tab-content.css";
import { type KeyboardEvent, type ReactNode, useId, useRef } from "react";
import { classes } from "./classes.ts";
import { useMarkedInSight } from "./in-sight.ts";

export interface TabItem {
    readonly id: string;
    readonly title: ReactNode;
    /** called for the chosen one alone */
    readonly content: () => ReactNode;
}

interface TabStripProps {
    readonly label: string;
    readonly tabs: readonly TabItem[];
    readonly current: string;
    readonly onChange: (id: string) => void;
}

export function TabStrip({ label, tabs, current, onChange }: TabStripProps) {
    const base = useId();
    const list = useRef<HTMLUListElement>(null);
    const at = Math.max(
        0,
        tabs.findIndex(tab => tab.id === current),
    );
    const chosen = tabs[at];
    useMarkedInSight(list, "[aria-selected=true]", at);
    const keyDown = (event: KeyboardEvent) => {
        const next = nextTab(event.key, at, tabs.length, getComputedStyle(event.currentTarget).direction === "rtl");
        const tab = next === undefined ? undefined : tabs[next];
        if (next === undefined || !tab) return;
        event.preventDefault();
        onChange(tab.id);
        list.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
    };
    return (
        <>
            <div className="pf-v6-c-tabs">
                <ul
                    ref={list}
                    className="pf-v6-c-tabs__list"
                    // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: as the ARIA practices have it
                    role="tablist"
                    aria-label={label}
                    onKeyDown={keyDown}
                >
                    {tabs.map(tab => (
                        <li
                            key={tab.id}
                            className={classes("pf-v6-c-tabs__item", tab === chosen && "pf-m-current")}
                            role="presentation"
                        >
                            <button
                                type="button"
                                className="pf-v6-c-tabs__link"
                                id={`${base}-${tab.id}`}
                                role="tab"
                                aria-selected={tab === chosen}
                                aria-controls={tab === chosen ? `${base}-panel` : undefined}
                                tabIndex={tab === chosen ? 0 : -1}
                                onClick={() => onChange(tab.id)}
                            >
                                <span className="pf-v6-c-tabs__item-text">{tab.title}</span>
                            </button>
                        </li>
                    ))}
                </ul>
            </div>
            {chosen && (
                <section
                    key={chosen.id}
                    className="pf-v6-c-tab-content"
                    id={`${base}-panel`}
                    role="tabpanel"
                    aria-labelledby={`${base}-${chosen.id}`}
                >
                    {chosen.content()}
                </section>
            )}
        </>
    );
}

/** The tab that a key leads to; undefined for one that leads nowhere. */
function nextTab(key: string, at: number, count: number, isRightToLeft: boolean): number | undefined {
    switch (key) {
        case "ArrowRight":
        case "ArrowLeft": {
            const step = (key === "ArrowRight") === isRightToLeft ? -1 : 1;
            return (at + step + count) % count;
        }
        case "Home":
            return 0;
        case "End":
            return count - 1;
        default:
            return undefined;
    }
}
