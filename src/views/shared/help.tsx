// SPDX-License-Identifier: Apache-2.0
// "?" beside a word of eBPF's: what it means, for who reads it for the first time. The browser's own popover lies over
// everything, dialogs too, and closes by Escape or a click elsewhere.
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { _, format } from "../../text/i18n.ts";
import { Icon } from "../../ui/icons.tsx";
import { type Topic, topicText, topicTitle } from "./help-topics.ts";

export type { Topic } from "./help-topics.ts";

const marginPx = 8;

export function Help({ topic }: { topic: Topic }) {
    const id = useId();
    const button = useRef<HTMLButtonElement>(null);
    const panel = useRef<HTMLSpanElement>(null);
    const title = topicTitle(topic);
    const [isOpen, setOpen] = useState(false);
    useEffect(() => {
        const element = panel.current;
        // the words are there only while they are shown: a page has many of these
        const toggles = (event: Event) => setOpen((event as ToggleEvent).newState === "open");
        const toggled = () => place(button.current, element);
        // React 18 knows neither the attributes nor their events
        element?.addEventListener("beforetoggle", toggles);
        element?.addEventListener("toggle", toggled);
        return () => {
            element?.removeEventListener("beforetoggle", toggles);
            element?.removeEventListener("toggle", toggled);
        };
    }, []);
    useEffect(() => {
        if (!isOpen) return undefined;
        // it stays beside its word
        const follow = () => place(button.current, panel.current);
        window.addEventListener("scroll", follow, true);
        window.addEventListener("resize", follow);
        return () => {
            window.removeEventListener("scroll", follow, true);
            window.removeEventListener("resize", follow);
        };
    }, [isOpen]);
    return (
        <span className="help">
            <button
                ref={button}
                type="button"
                className="help-button"
                {...{ popovertarget: id }}
                aria-label={format(_("What is this: $0"), title)}
            >
                <Icon name="question" />
            </button>
            <span ref={panel} id={id} {...{ popover: "auto" }} role="note" aria-label={title} className="help-panel">
                {isOpen && <span className="help-title">{title}</span>}
                {isOpen && topicText(topic).map(paragraph => <span key={paragraph}>{paragraph}</span>)}
            </span>
        </span>
    );
}

/** A word, and "?" beside it. */
export function Explained({ topic, children }: { topic: Topic; children: ReactNode }) {
    return (
        <>
            {children}
            <Help topic={topic} />
        </>
    );
}

/** Below its button, above where there is more room, never beyond the window. */
function place(button: HTMLElement | null, panel: HTMLElement | null): void {
    if (!button || !panel) return;
    const at = button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = panel;
    const below = at.bottom + marginPx;
    const fits = below + height + marginPx <= window.innerHeight || at.top < window.innerHeight - at.bottom;
    const top = fits ? below : at.top - height - marginPx;
    const left = at.left + at.width / 2 - width / 2;
    // by the screen's own axes: what the button measures is
    panel.style.top = `${Math.max(marginPx, top)}px`;
    panel.style.left = `${Math.max(marginPx, Math.min(left, window.innerWidth - width - marginPx))}px`;
}
