// SPDX-License-Identifier: Apache-2.0
// Fields of text, of one line and of several.
import "@patternfly/patternfly/components/FormControl/form-control.css";
import type { ComponentPropsWithoutRef } from "react";
import { classes } from "./classes.ts";
import { Icon } from "./icons.tsx";

interface TextProps {
    readonly value: string;
    readonly onChange: (value: string) => void;
    readonly isInvalid?: boolean;
    readonly isDisabled?: boolean;
    /** of the box around it */
    readonly className?: string;
}

type Native<Tag extends "input" | "textarea"> = Omit<
    ComponentPropsWithoutRef<Tag>,
    "value" | "onChange" | "className" | "disabled"
>;

export function TextInput(props: TextProps & Native<"input">) {
    const { value, onChange, isInvalid = false, isDisabled, className, ...rest } = props;
    return (
        <span
            className={classes(
                "pf-v6-c-form-control",
                isDisabled && "pf-m-disabled",
                isInvalid && "pf-m-error",
                className,
            )}
        >
            <input
                type="text"
                value={value}
                disabled={isDisabled}
                aria-invalid={isInvalid}
                onChange={event => onChange(event.target.value)}
                {...rest}
            />
            {isInvalid && (
                <span className="pf-v6-c-form-control__utilities">
                    <span className="pf-v6-c-form-control__icon pf-m-status">
                        <Icon name="danger" />
                    </span>
                </span>
            )}
        </span>
    );
}

export function TextArea(props: TextProps & Native<"textarea">) {
    const { value, onChange, isInvalid = false, isDisabled, className, ...rest } = props;
    return (
        <span
            className={classes(
                "pf-v6-c-form-control pf-m-textarea pf-m-resize-vertical",
                isDisabled && "pf-m-disabled",
                isInvalid && "pf-m-error",
                className,
            )}
        >
            <textarea
                value={value}
                disabled={isDisabled}
                aria-invalid={isInvalid}
                onChange={event => onChange(event.target.value)}
                {...rest}
            />
        </span>
    );
}
