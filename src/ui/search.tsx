// SPDX-License-Identifier: Apache-2.0
import "@patternfly/patternfly/components/TextInputGroup/text-input-group.css";
import "@patternfly/patternfly/components/Badge/badge.css";
import { _, ngettext } from "../text/i18n.ts";
import { Button } from "./button.tsx";
import { Icon } from "./icons.tsx";

interface SearchFieldProps {
    readonly label: string;
    readonly value: string;
    readonly onChange: (value: string) => void;
    readonly placeholder?: string;
    /** how many the words found; shown while there are words */
    readonly found?: number | undefined;
}

export function SearchField({ label, value, onChange, placeholder, found }: SearchFieldProps) {
    return (
        <div className="pf-v6-c-text-input-group">
            <div className="pf-v6-c-text-input-group__main pf-m-icon">
                <span className="pf-v6-c-text-input-group__text">
                    <span className="pf-v6-c-text-input-group__icon">
                        <Icon name="search" />
                    </span>
                    <input
                        type="text"
                        inputMode="search"
                        className="pf-v6-c-text-input-group__text-input"
                        aria-label={label}
                        placeholder={placeholder}
                        value={value}
                        spellCheck={false}
                        autoComplete="off"
                        dir="auto"
                        onChange={event => onChange(event.target.value)}
                        onKeyDown={event => {
                            if (event.key !== "Escape" || value === "") return;
                            event.stopPropagation();
                            onChange("");
                        }}
                    />
                </span>
            </div>
            {value !== "" && (
                <div className="pf-v6-c-text-input-group__utilities">
                    {found !== undefined && (
                        <span className="pf-v6-c-badge pf-m-read" role="status">
                            <span aria-hidden="true">{found}</span>
                            <span className="pf-v6-screen-reader">{ngettext("$0 match", "$0 matches", found)}</span>
                        </span>
                    )}
                    <Button
                        variant="plain"
                        label={_("Clear the filter")}
                        icon={<Icon name="close" />}
                        onClick={() => onChange("")}
                    />
                </div>
            )}
        </div>
    );
}
