// SPDX-License-Identifier: Apache-2.0
// A text field that offers what fits, by the combobox pattern of WAI-ARIA: arrows choose, Enter takes, Escape closes.
// Any text may be typed: what is offered is help, not a limit.
import "@patternfly/patternfly/components/Menu/menu.css";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { TextInput } from "./text-field.tsx";

export interface Offer {
    readonly value: string;
    readonly detail?: string | undefined;
}

interface ComboBoxProps {
    readonly id: string;
    readonly value: string;
    readonly onChange: (value: string) => void;
    readonly offers: readonly Offer[];
    /** what stands below the offers: how many more there are, why there are none */
    readonly footer?: ReactNode;
    /** the field is in use: time to look for offers */
    readonly onOpen?: () => void;
    readonly placeholder?: string;
    readonly isDisabled?: boolean;
    readonly describedBy?: string;
}

export function ComboBox(props: ComboBoxProps) {
    const { id, value, offers, onChange } = props;
    const listId = useId();
    const [isOpen, setOpen] = useState(false);
    const [active, setActive] = useState(-1);
    const menu = useRef<HTMLDivElement>(null);
    const list = useRef<HTMLDivElement>(null);
    useEffect(() => {
        list.current?.children[active]?.scrollIntoView({ block: "nearest" });
    }, [active]);
    const isShown = isOpen && (offers.length > 0 || props.footer !== undefined);
    const count = offers.length;
    // at the end of a dialog it would open below what is seen
    // biome-ignore lint/correctness/useExhaustiveDependencies: it is as high as what it holds
    useEffect(() => {
        if (isShown) menu.current?.scrollIntoView({ block: "nearest" });
    }, [isShown, count]);
    const open = () => {
        setOpen(true);
        props.onOpen?.();
    };
    const close = () => {
        setOpen(false);
        setActive(-1);
    };
    const take = (offer: Offer) => {
        onChange(offer.value);
        close();
    };
    const onKeyDown = (event: KeyboardEvent) => {
        const offer = offers[active];
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            if (!isOpen) open();
            const step = event.key === "ArrowDown" ? 1 : -1;
            setActive(at => Math.max(-1, Math.min(offers.length - 1, at + step)));
        } else if (event.key === "Enter" && isShown && offer) take(offer);
        // a dialog around must not take it for its own
        else if (event.key === "Escape" && isShown) close();
        else return;
        event.preventDefault();
        event.stopPropagation();
    };
    return (
        <div className="combo-box">
            <TextInput
                id={id}
                role="combobox"
                value={value}
                autoComplete="off"
                spellCheck={false}
                dir="auto"
                aria-expanded={isShown}
                aria-controls={listId}
                aria-autocomplete="list"
                aria-activedescendant={isShown && offers[active] ? `${listId}-${active}` : undefined}
                aria-describedby={props.describedBy}
                placeholder={props.placeholder}
                isDisabled={props.isDisabled ?? false}
                onFocus={open}
                onBlur={close}
                onClick={open}
                onKeyDown={onKeyDown}
                onChange={text => {
                    open();
                    setActive(-1);
                    onChange(text);
                }}
            />
            <div ref={menu} className="pf-v6-c-menu combo-box-menu" hidden={!isShown}>
                <div className="pf-v6-c-menu__content">
                    <div ref={list} id={listId} className="pf-v6-c-menu__list" role="listbox" aria-labelledby={id}>
                        {offers.map((offer, index) => (
                            <ComboOption
                                key={offer.value}
                                id={`${listId}-${index}`}
                                offer={offer}
                                isActive={index === active}
                                onTake={() => take(offer)}
                            />
                        ))}
                    </div>
                    {props.footer !== undefined && <div className="note combo-box-footer">{props.footer}</div>}
                </div>
            </div>
        </div>
    );
}

interface ComboOptionProps {
    readonly id: string;
    readonly offer: Offer;
    readonly isActive: boolean;
    readonly onTake: () => void;
}

function ComboOption({ id, offer, isActive, onTake }: ComboOptionProps) {
    return (
        // the field keeps the focus: its keys choose
        // biome-ignore lint/a11y/useFocusableInteractive: see above
        // biome-ignore lint/a11y/useKeyWithClickEvents: see above
        <div
            id={id}
            className={`pf-v6-c-menu__list-item${isActive ? " combo-box-active" : ""}`}
            role="option"
            aria-selected={isActive}
            onMouseDown={event => event.preventDefault()}
            onClick={onTake}
        >
            <span className="pf-v6-c-menu__item">
                <span className="pf-v6-c-menu__item-main">
                    <bdi className="pf-v6-c-menu__item-text">{offer.value}</bdi>
                </span>
                {offer.detail && (
                    <span className="pf-v6-c-menu__item-description" dir="auto">
                        {offer.detail}
                    </span>
                )}
            </span>
        </div>
    );
}
