// SPDX-License-Identifier: Apache-2.0
// Forms of dialogs and views: each field with its label, and below it what helps or what is wrong.
import "@patternfly/patternfly/components/Form/form.css";
import "@patternfly/patternfly/components/HelperText/helper-text.css";
import { type ReactNode, useId } from "react";
import { classes } from "./classes.ts";
import { Icon } from "./icons.tsx";

interface FormProps {
    /** labels beside their fields where there is room */
    readonly isHorizontal?: boolean;
    /** by Enter, or by the form's own button; the buttons of dialogs are outside of it */
    readonly onSubmit?: () => void;
    readonly children: ReactNode;
}

export function Form({ isHorizontal = false, onSubmit, children }: FormProps) {
    return (
        <form
            noValidate
            className={classes("pf-v6-c-form", isHorizontal && "pf-m-horizontal")}
            onSubmit={event => {
                event.preventDefault();
                onSubmit?.();
            }}
        >
            {children}
        </form>
    );
}

interface FormGroupProps {
    readonly label?: string;
    /** "?" beside the label */
    readonly labelHelp?: ReactNode;
    /** of the field that the label is for */
    readonly fieldId?: string;
    /** several fields under one label */
    readonly role?: "group" | "radiogroup";
    /** its fields stand side by side */
    readonly isInline?: boolean;
    /** its content is text or boxes, no higher than the label */
    readonly isFlat?: boolean;
    readonly children: ReactNode;
}

export function FormGroup({ label, labelHelp, fieldId, role, isInline, isFlat, children }: FormGroupProps) {
    const legendId = useId();
    const text = <span className="pf-v6-c-form__label-text">{label}</span>;
    return (
        // biome-ignore lint/a11y/useAriaPropsSupportedByRole: it is there with the role alone
        <div
            className="pf-v6-c-form__group"
            role={role}
            aria-labelledby={role !== undefined && label !== undefined ? legendId : undefined}
        >
            {label !== undefined && (
                <div className={classes("pf-v6-c-form__group-label", isFlat && "pf-m-no-padding-top")}>
                    {role === undefined && fieldId !== undefined ? (
                        <label className="pf-v6-c-form__label" htmlFor={fieldId}>
                            {text}
                        </label>
                    ) : (
                        <span className="pf-v6-c-form__label" id={legendId}>
                            {text}
                        </span>
                    )}
                    {labelHelp}
                </div>
            )}
            <div className={classes("pf-v6-c-form__group-control", isInline && "pf-m-inline")}>{children}</div>
        </div>
    );
}

interface HelperTextProps {
    /** what the field names by aria-describedby */
    readonly id?: string | undefined;
    readonly isError?: boolean;
    readonly children: ReactNode;
}

export function HelperText({ id, isError = false, children }: HelperTextProps) {
    return (
        <div className="pf-v6-c-form__helper-text" aria-live="polite">
            <div className="pf-v6-c-helper-text" id={id}>
                <div className={classes("pf-v6-c-helper-text__item", isError && "pf-m-error")}>
                    {isError && (
                        <span className="pf-v6-c-helper-text__item-icon">
                            <Icon name="danger" />
                        </span>
                    )}
                    <span className="pf-v6-c-helper-text__item-text">{children}</span>
                </div>
            </div>
        </div>
    );
}
