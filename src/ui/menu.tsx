// SPDX-License-Identifier: Apache-2.0
// Actions behind a button. The menu lies over everything else, beside its button; whatever scrolls the page closes it.
import "@patternfly/patternfly/components/Menu/menu.css";
import "@patternfly/patternfly/components/MenuToggle/menu-toggle.css";
import {
    createContext,
    type KeyboardEvent,
    type ReactNode,
    useContext,
    useEffect,
    useLayoutEffect,
    useRef,
    useState,
} from "react";
import { createPortal } from "react-dom";
import { classes } from "./classes.ts";
import { Icon } from "./icons.tsx";

const CloseContext = createContext<() => void>(() => {});

interface KebabProps {
    /** says whose the actions are */
    readonly label: string;
    readonly children: ReactNode;
}

/** A row's actions behind three dots. */
export function Kebab({ label, children }: KebabProps) {
    const [isOpen, setOpen] = useState(false);
    const toggle = useRef<HTMLButtonElement>(null);
    const close = () => {
        setOpen(false);
        toggle.current?.focus();
    };
    return (
        <>
            <button
                ref={toggle}
                type="button"
                className={classes("pf-v6-c-menu-toggle pf-m-plain", isOpen && "pf-m-expanded")}
                aria-label={label}
                aria-haspopup="menu"
                aria-expanded={isOpen}
                onClick={() => setOpen(!isOpen)}
                onKeyDown={event => {
                    if (event.key !== "ArrowDown" || isOpen) return;
                    event.preventDefault();
                    setOpen(true);
                }}
            >
                <span className="pf-v6-c-menu-toggle__icon">
                    <Icon name="ellipsisV" />
                </span>
            </button>
            {isOpen && toggle.current && (
                <CloseContext.Provider value={close}>
                    <OpenMenu label={label} toggle={toggle.current} onLeave={() => setOpen(false)} onClose={close}>
                        {children}
                    </OpenMenu>
                </CloseContext.Provider>
            )}
        </>
    );
}

interface OpenMenuProps {
    readonly label: string;
    readonly toggle: HTMLElement;
    /** closes it; the focus is where it went */
    readonly onLeave: () => void;
    /** closes it; the focus goes back to the button */
    readonly onClose: () => void;
    readonly children: ReactNode;
}

function OpenMenu({ label, toggle, onLeave, onClose, children }: OpenMenuProps) {
    const menu = useRef<HTMLDivElement>(null);
    const leave = useRef(onLeave);
    leave.current = onLeave;
    useLayoutEffect(() => {
        if (!menu.current) return;
        place(menu.current, toggle.getBoundingClientRect());
        items(menu.current)[0]?.focus();
    }, [toggle]);
    useEffect(() => {
        const gone = () => {
            // what had the focus goes with the menu
            if (menu.current?.contains(document.activeElement)) toggle.focus({ preventScroll: true });
            leave.current();
        };
        const pressed = (event: PointerEvent) => {
            const target = event.target as Node;
            if (!menu.current?.contains(target) && !toggle.contains(target)) leave.current();
        };
        const follow = () => menu.current && place(menu.current, toggle.getBoundingClientRect());
        document.addEventListener("pointerdown", pressed, true);
        window.addEventListener("scroll", gone, true);
        window.addEventListener("resize", follow);
        window.addEventListener("blur", gone);
        return () => {
            document.removeEventListener("pointerdown", pressed, true);
            window.removeEventListener("scroll", gone, true);
            window.removeEventListener("resize", follow);
            window.removeEventListener("blur", gone);
        };
    }, [toggle]);
    const keyDown = (event: KeyboardEvent) => {
        const all = menu.current ? items(menu.current) : [];
        const at = all.indexOf(document.activeElement as HTMLElement);
        const next = nextItem(event.key, at, all.length);
        if (next !== undefined) all[next]?.focus();
        else if (event.key === "Escape" || event.key === "Tab") onClose();
        else return;
        event.preventDefault();
        event.stopPropagation();
    };
    return createPortal(
        <div ref={menu} className="pf-v6-c-menu floating">
            <div className="pf-v6-c-menu__content">
                <ul
                    // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: as the ARIA practices have it
                    role="menu"
                    aria-label={label}
                    className="pf-v6-c-menu__list"
                    onKeyDown={keyDown}
                >
                    {children}
                </ul>
            </div>
        </div>,
        // a dialog keeps the focus to itself
        toggle.closest("dialog") ?? document.body,
    );
}

/** Where the focus goes from item `at` of `count`; undefined for a key that moves it nowhere. */
function nextItem(key: string, at: number, count: number): number | undefined {
    switch (key) {
        case "ArrowDown":
            return at + 1 < count ? at + 1 : 0;
        case "ArrowUp":
            return at > 0 ? at - 1 : count - 1;
        case "Home":
            return 0;
        case "End":
            return count - 1;
        default:
            return undefined;
    }
}

function items(menu: HTMLElement): HTMLElement[] {
    return [...menu.querySelectorAll<HTMLElement>("[role=menuitem]:not(:disabled)")];
}

/** Below the button, its end under the button's end; above where there is no room below. */
function place(menu: HTMLElement, at: DOMRect): void {
    const { width, height } = menu.getBoundingClientRect();
    const isRightToLeft = getComputedStyle(menu).direction === "rtl";
    const left = isRightToLeft ? at.left : at.right - width;
    const fitsBelow = at.bottom + height <= window.innerHeight || at.top < height;
    menu.style.left = `${Math.max(0, Math.min(left, window.innerWidth - width))}px`;
    menu.style.top = `${fitsBelow ? at.bottom : at.top - height}px`;
}

interface MenuItemProps {
    readonly onClick: () => void;
    readonly isDanger?: boolean;
    readonly isDisabled?: boolean;
    readonly children: ReactNode;
}

export function MenuItem({ onClick, isDanger = false, isDisabled = false, children }: MenuItemProps) {
    const close = useContext(CloseContext);
    return (
        <li
            className={classes("pf-v6-c-menu__list-item", isDanger && "pf-m-danger", isDisabled && "pf-m-disabled")}
            role="none"
        >
            <button
                type="button"
                role="menuitem"
                tabIndex={-1}
                className="pf-v6-c-menu__item"
                disabled={isDisabled}
                onClick={() => {
                    // first, so that a dialog gives the focus back to the menu's button
                    close();
                    onClick();
                }}
            >
                <span className="pf-v6-c-menu__item-main">
                    <span className="pf-v6-c-menu__item-text">{children}</span>
                </span>
            </button>
        </li>
    );
}
