// SPDX-License-Identifier: Apache-2.0
// Forth and back through pages whose number nobody knows beforehand.
import "@patternfly/patternfly/components/Pagination/pagination.css";
import { _ } from "../text/i18n.ts";
import { Button } from "./button.tsx";
import { Icon } from "./icons.tsx";

interface PagerProps {
    /** what the page shows, as "1 – 256" */
    readonly shown: string;
    readonly onPrevious?: (() => void) | undefined;
    readonly onNext?: (() => void) | undefined;
}

export function Pager({ shown, onPrevious, onNext }: PagerProps) {
    return (
        <div className="pf-v6-c-pagination">
            <div className="pager-shown" role="status">
                {shown}
            </div>
            <nav className="pf-v6-c-pagination__nav" aria-label={_("Pages")}>
                <div className="pf-v6-c-pagination__nav-control">
                    <Button
                        variant="plain"
                        label={_("Previous page")}
                        isDisabled={!onPrevious}
                        onClick={() => onPrevious?.()}
                        icon={<Icon name="angleLeft" className="directional" />}
                    />
                </div>
                <div className="pf-v6-c-pagination__nav-control">
                    <Button
                        variant="plain"
                        label={_("Next page")}
                        isDisabled={!onNext}
                        onClick={() => onNext?.()}
                        icon={<Icon name="angleRight" className="directional" />}
                    />
                </div>
            </nav>
        </div>
    );
}
