// SPDX-License-Identifier: Apache-2.0
// PatternFly's alerts, inline and as toasts.
import "@patternfly/patternfly/components/Alert/alert.css";
import "@patternfly/patternfly/components/Alert/alert-group.css";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { _ } from "../text/i18n.ts";
import { Button } from "./button.tsx";
import { Icon } from "./icons.tsx";

export type AlertVariant = "success" | "info" | "warning" | "danger";

interface AlertProps {
    readonly variant: AlertVariant;
    readonly title: ReactNode;
    readonly isInline?: boolean;
    readonly className?: string;
    /** shows a cross */
    readonly onClose?: (() => void) | undefined;
    readonly children?: ReactNode;
}

export function Alert({ variant, title, isInline = true, className = "", onClose, children }: AlertProps) {
    return (
        <div className={`pf-v6-c-alert pf-m-${variant}${isInline ? " pf-m-inline" : ""} ${className}`}>
            <div className="pf-v6-c-alert__icon">
                <Icon name={variant} />
            </div>
            <p className="pf-v6-c-alert__title">
                <span className="pf-v6-screen-reader">{variantLabel(variant)} </span>
                {title}
            </p>
            {onClose && (
                <div className="pf-v6-c-alert__action">
                    <Button variant="plain" label={_("Close")} icon={<Icon name="close" />} onClick={onClose} />
                </div>
            )}
            {hasContent(children) && <div className="pf-v6-c-alert__description">{children}</div>}
        </div>
    );
}

function hasContent(children: ReactNode): boolean {
    return children !== undefined && children !== null && children !== false && children !== "";
}

function variantLabel(variant: AlertVariant): string {
    switch (variant) {
        case "success":
            return _("Success:");
        case "info":
            return _("Note:");
        case "warning":
            return _("Warning:");
        case "danger":
            return _("Error:");
    }
}

export interface Toast {
    readonly id: number;
    readonly text: string;
    readonly variant: "success" | "warning";
}

const toastMs = 8000;

/** Toasts go by themselves, but no warning does, and none while it is pointed at or holds the focus. */
export function Toasts({ toasts, onDismiss }: { toasts: readonly Toast[]; onDismiss: (id: number) => void }) {
    return (
        <ul className="pf-v6-c-alert-group pf-m-toast" aria-live="polite" aria-label={_("Notifications")}>
            {toasts.map(toast => (
                <ToastItem key={toast.id} toast={toast} onDismiss={() => onDismiss(toast.id)} />
            ))}
        </ul>
    );
}

function ToastItem({ toast: { text, variant }, onDismiss }: { toast: Toast; onDismiss: () => void }) {
    const [isHeld, setHeld] = useState(false);
    const dismiss = useRef(onDismiss);
    dismiss.current = onDismiss;
    useEffect(() => {
        if (isHeld || variant === "warning") return;
        const timer = setTimeout(() => dismiss.current(), toastMs);
        return () => clearTimeout(timer);
    }, [isHeld, variant]);
    const hold = () => setHeld(true);
    const release = () => setHeld(false);
    return (
        <li
            className="pf-v6-c-alert-group__item"
            onMouseEnter={hold}
            onMouseLeave={release}
            onFocus={hold}
            onBlur={release}
        >
            <Alert variant={variant} isInline={false} title={text} onClose={onDismiss} />
        </li>
    );
}
