// SPDX-License-Identifier: Apache-2.0
// What was done, told for a moment over the page. A pointer or the focus on it keeps it.
import "@patternfly/patternfly/components/Alert/alert.css";
import "@patternfly/patternfly/components/Alert/alert-group.css";
import { useCallback, useEffect, useState } from "react";
import { _, format } from "../i18n.ts";
import { Button } from "./button.tsx";
import { Icon } from "./icons.tsx";

interface Toast {
    readonly id: number;
    readonly text: string;
}

const shownMs = 8000;

export function useToasts() {
    const [toasts, setToasts] = useState<readonly Toast[]>([]);
    const notify = useCallback((text: string) => {
        setToasts(shown => [...shown, { id: (shown.at(-1)?.id ?? 0) + 1, text }]);
    }, []);
    const dismiss = useCallback((id: number) => setToasts(shown => shown.filter(toast => toast.id !== id)), []);
    return { toasts, notify, dismiss };
}

export function Toasts({ toasts, dismiss }: { toasts: readonly Toast[]; dismiss: (id: number) => void }) {
    return (
        <ul
            className="pf-v6-c-alert-group pf-m-toast"
            // biome-ignore lint/a11y/noRedundantRoles: Safari takes it away where a list has no marker
            role="list"
            aria-live="polite"
            aria-atomic="false"
            aria-label={_("Notifications")}
        >
            {toasts.map(toast => (
                <li key={toast.id} className="pf-v6-c-alert-group__item">
                    <ToastItem toast={toast} onDismiss={dismiss} />
                </li>
            ))}
        </ul>
    );
}

function ToastItem({ toast, onDismiss }: { toast: Toast; onDismiss: (id: number) => void }) {
    const [isHeld, setHeld] = useState(false);
    const { id, text } = toast;
    useEffect(() => {
        if (isHeld) return undefined;
        const timer = setTimeout(() => onDismiss(id), shownMs);
        return () => clearTimeout(timer);
    }, [id, isHeld, onDismiss]);
    return (
        // biome-ignore lint/a11y/noStaticElementInteractions: nothing is done here but waiting
        <div
            className="pf-v6-c-alert pf-m-success"
            onMouseEnter={() => setHeld(true)}
            onMouseLeave={() => setHeld(false)}
            onFocus={() => setHeld(true)}
            onBlur={() => setHeld(false)}
        >
            <div className="pf-v6-c-alert__icon">
                <Icon name="success" />
            </div>
            <p className="pf-v6-c-alert__title">
                <span className="pf-v6-screen-reader">{_("Success:")} </span>
                {text}
            </p>
            <div className="pf-v6-c-alert__action">
                <Button
                    variant="plain"
                    label={format(_("Close: $0"), text)}
                    icon={<Icon name="close" />}
                    onClick={() => onDismiss(id)}
                />
            </div>
        </div>
    );
}
