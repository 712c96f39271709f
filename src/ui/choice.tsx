// SPDX-License-Identifier: Apache-2.0
// One of a few, on or off, one of many: the small controls of toolbars and forms.
import "@patternfly/patternfly/components/Switch/switch.css";
import "@patternfly/patternfly/components/ToggleGroup/toggle-group.css";
import "@patternfly/patternfly/components/FormControl/form-control.css";
import "@patternfly/patternfly/components/Check/check.css";
import "@patternfly/patternfly/components/Radio/radio.css";
import { type ReactNode, useId } from "react";
import { classes } from "./classes.ts";
import { Icon } from "./icons.tsx";

interface SwitchProps {
    readonly label: string;
    readonly isOn: boolean;
    readonly isDisabled?: boolean;
    readonly onChange: (isOn: boolean) => void;
}

export function Switch({ label, isOn, isDisabled = false, onChange }: SwitchProps) {
    const id = useId();
    return (
        <label className="pf-v6-c-switch" htmlFor={id}>
            <input
                id={id}
                className="pf-v6-c-switch__input"
                type="checkbox"
                role="switch"
                aria-label={label}
                aria-checked={isOn}
                checked={isOn}
                disabled={isDisabled}
                onChange={event => onChange(event.target.checked)}
            />
            <span className="pf-v6-c-switch__toggle" />
            <span className="pf-v6-c-switch__label" aria-hidden="true">
                {label}
            </span>
        </label>
    );
}

interface Option<Value extends string> {
    readonly value: Value;
    readonly text: string;
}

interface ChoiceProps<Value extends string> {
    readonly label: string;
    readonly options: readonly Option<Value>[];
    readonly value: Value;
    readonly onChange: (value: Value) => void;
}

/** All options side by side. */
export function ToggleGroup<Value extends string>({ label, options, value, onChange }: ChoiceProps<Value>) {
    return (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset looks otherwise
        <div className="pf-v6-c-toggle-group" role="group" aria-label={label}>
            {options.map(option => (
                <div key={option.value} className="pf-v6-c-toggle-group__item">
                    <button
                        type="button"
                        className={classes("pf-v6-c-toggle-group__button", option.value === value && "pf-m-selected")}
                        aria-pressed={option.value === value}
                        onClick={() => onChange(option.value)}
                    >
                        <span className="pf-v6-c-toggle-group__text">{option.text}</span>
                    </button>
                </div>
            ))}
        </div>
    );
}

interface SelectProps<Value extends string> extends Omit<ChoiceProps<Value>, "label"> {
    /** where no visible one names it */
    readonly label?: string | undefined;
    readonly id?: string;
    /** what stands there while nothing is chosen (the empty value); it can't be chosen */
    readonly placeholder?: string;
    readonly describedBy?: string | undefined;
    readonly isDisabled?: boolean;
    readonly className?: string;
}

/** The browser's own list: it needs no code, and works with every keyboard, phone and reader. */
export function Select<Value extends string>(props: SelectProps<Value>) {
    const { label, options, value, onChange, id, placeholder, describedBy, isDisabled, className } = props;
    return (
        <span
            className={classes(
                "pf-v6-c-form-control",
                isDisabled && "pf-m-disabled",
                placeholder !== undefined && value === "" && "pf-m-placeholder",
                className,
            )}
        >
            <select
                id={id}
                aria-label={label}
                aria-describedby={describedBy}
                value={value}
                disabled={isDisabled}
                onChange={event => onChange(event.target.value as Value)}
            >
                {placeholder !== undefined && (
                    <option value="" disabled>
                        {placeholder}
                    </option>
                )}
                {options.map(option => (
                    <option key={option.value} value={option.value}>
                        {option.text}
                    </option>
                ))}
            </select>
            <span className="pf-v6-c-form-control__utilities">
                <span className="pf-v6-c-form-control__toggle-icon">
                    <Icon name="caretDown" />
                </span>
            </span>
        </span>
    );
}

interface BoxProps {
    readonly id: string;
    readonly label: ReactNode;
    /** below the label */
    readonly description?: string;
    readonly isChecked: boolean;
    readonly isDisabled?: boolean;
    readonly onChange: (isChecked: boolean) => void;
}

export function Checkbox(props: BoxProps) {
    return <Box {...props} type="checkbox" className="pf-v6-c-check" />;
}

/** name: of those of which one can be chosen */
export function Radio(props: BoxProps & { readonly name: string }) {
    return <Box {...props} type="radio" className="pf-v6-c-radio" />;
}

interface AnyBoxProps extends BoxProps {
    readonly type: "checkbox" | "radio";
    readonly name?: string;
    /** PatternFly's, which its parts begin with */
    readonly className: string;
}

function Box({ id, label, description, isChecked, isDisabled, onChange, type, name, className }: AnyBoxProps) {
    return (
        <div className={className}>
            <input
                id={id}
                type={type}
                name={name}
                className={`${className}__input`}
                checked={isChecked}
                disabled={isDisabled}
                aria-describedby={description === undefined ? undefined : `${id}-description`}
                onChange={event => onChange(event.target.checked)}
            />
            <label className={classes(`${className}__label`, isDisabled && "pf-m-disabled")} htmlFor={id}>
                {label}
            </label>
            {description !== undefined && (
                <span className={`${className}__description`} id={`${id}-description`}>
                    {description}
                </span>
            )}
        </div>
    );
}
