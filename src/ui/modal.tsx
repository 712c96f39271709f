// SPDX-License-Identifier: Apache-2.0
// PatternFly's modal dialog on the browser's own: focus stays inside, Escape closes, and focus returns to where it was.
import "@patternfly/patternfly/components/ModalBox/modal-box.css";
import { type MouseEvent, type ReactNode, type SyntheticEvent, useEffect, useRef } from "react";
import { _ } from "../text/i18n.ts";
import { Button } from "./button.tsx";
import { Icon } from "./icons.tsx";

interface ModalProps {
    readonly "aria-labelledby": string;
    readonly size?: "small" | "medium" | "large";
    /** Escape, the cross, or a click beside it */
    readonly onClose: () => void;
    /** selector of the field to begin with; else the first one */
    readonly focus?: string | undefined;
    readonly children: ReactNode;
}

const sizes = { small: "pf-m-sm", medium: "pf-m-md", large: "pf-m-lg" } as const;

export function Modal({ size = "medium", onClose, focus, children, ...labels }: ModalProps) {
    const ref = useRef<HTMLDialogElement>(null);
    const first = useRef(focus);
    useEffect(() => {
        const before = document.activeElement;
        const dialog = ref.current;
        dialog?.showModal();
        const field = first.current ?? ".pf-v6-c-modal-box__body :is(input, select, textarea, button):enabled";
        const beginning = dialog?.querySelector<HTMLElement>(field);
        beginning?.focus();
        // a long text begins at its beginning
        if (beginning instanceof HTMLTextAreaElement) beginning.setSelectionRange(0, 0);
        return () => {
            dialog?.close();
            if (before instanceof HTMLElement) before.focus();
        };
    }, []);
    const cancel = (event: SyntheticEvent) => {
        event.preventDefault();
        onClose();
    };
    // a browser closes it after a second Escape, whatever the first was answered
    const closed = () => {
        onClose();
        requestAnimationFrame(() => {
            if (ref.current && !ref.current.open) ref.current.showModal();
        });
    };
    // the box fills the dialog, so what hits the dialog itself hit its backdrop
    const pressed = (event: MouseEvent) => {
        if (event.target === ref.current && isOutside(event)) onClose();
    };
    return (
        // biome-ignore lint/a11y/useKeyWithClickEvents: Escape is the keyboard's way, by onCancel
        <dialog
            ref={ref}
            className={`pf-v6-c-modal-box pf-m-align-top ${sizes[size]}`}
            aria-modal="true"
            onCancel={cancel}
            onClose={closed}
            onClick={pressed}
            {...labels}
        >
            <div className="pf-v6-c-modal-box__close">
                <Button variant="plain" label={_("Close")} icon={<Icon name="close" />} onClick={onClose} />
            </div>
            {children}
        </dialog>
    );
}

function isOutside(event: MouseEvent): boolean {
    const box = event.currentTarget.getBoundingClientRect();
    const { clientX: x, clientY: y } = event;
    return x < box.left || x > box.right || y < box.top || y > box.bottom;
}

interface ModalHeaderProps {
    readonly title: string;
    readonly labelId: string;
    readonly isDanger?: boolean | undefined;
    readonly description?: ReactNode;
}

export function ModalHeader({ title, labelId, isDanger = false, description }: ModalHeaderProps) {
    return (
        <header className="pf-v6-c-modal-box__header">
            <div className="pf-v6-c-modal-box__header-main">
                <h1 id={labelId} className={`pf-v6-c-modal-box__title${isDanger ? " pf-m-icon pf-m-warning" : ""}`}>
                    {isDanger && (
                        <span className="pf-v6-c-modal-box__title-icon">
                            <Icon name="warning" />
                        </span>
                    )}
                    <span className="pf-v6-c-modal-box__title-text">{title}</span>
                </h1>
                {description !== undefined && <div className="pf-v6-c-modal-box__description">{description}</div>}
            </div>
        </header>
    );
}

export function ModalBody({ children }: { children: ReactNode }) {
    return <div className="pf-v6-c-modal-box__body">{children}</div>;
}

export function ModalFooter({ children }: { children: ReactNode }) {
    return <footer className="pf-v6-c-modal-box__footer">{children}</footer>;
}
