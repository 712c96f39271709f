// SPDX-License-Identifier: Apache-2.0
import "@patternfly/patternfly/components/Button/button.css";
import type { ReactNode } from "react";
import { classes } from "./classes.ts";
import { Spinner } from "./spinner.tsx";

interface ButtonProps {
    readonly variant?: "primary" | "secondary" | "danger" | "link" | "plain" | "control";
    readonly isDanger?: boolean;
    readonly isDisabled?: boolean;
    readonly isInline?: boolean;
    readonly isSmall?: boolean;
    /** the action runs: shown beside the words */
    readonly isLoading?: boolean;
    readonly onClick?: () => void;
    readonly icon?: ReactNode;
    readonly id?: string;
    readonly className?: string;
    /** a plain button has an icon alone, so it needs words */
    readonly label?: string;
    readonly isExpanded?: boolean;
    readonly type?: "button" | "submit";
    /** instead of a button, a link that looks as one */
    readonly href?: string;
    readonly children?: ReactNode;
}

export function Button(props: ButtonProps) {
    const { variant = "primary", isLoading = false, children } = props;
    const className = classes(
        "pf-v6-c-button",
        `pf-m-${variant}`,
        props.isDanger && "pf-m-danger",
        props.isInline && "pf-m-inline",
        props.isSmall && "pf-m-small",
        props.isLoading !== undefined && variant !== "plain" && "pf-m-progress",
        isLoading && "pf-m-in-progress",
        props.className,
    );
    const inside = (
        <>
            {isLoading && (
                <span className="pf-v6-c-button__progress">
                    <Spinner size="md" />
                </span>
            )}
            {props.icon && (
                <span className={classes("pf-v6-c-button__icon", children !== undefined && "pf-m-start")}>
                    {props.icon}
                </span>
            )}
            {children !== undefined && <span className="pf-v6-c-button__text">{children}</span>}
        </>
    );
    if (props.href !== undefined) {
        return (
            <a className={className} href={props.href} aria-label={props.label}>
                {inside}
            </a>
        );
    }
    return (
        <button
            id={props.id}
            type={props.type === "submit" ? "submit" : "button"}
            className={className}
            disabled={props.isDisabled}
            aria-label={props.label}
            aria-expanded={props.isExpanded}
            onClick={props.onClick}
        >
            {inside}
        </button>
    );
}
