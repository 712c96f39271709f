// SPDX-License-Identifier: Apache-2.0
import "@patternfly/patternfly/components/Spinner/spinner.css";
import { _ } from "../text/i18n.ts";

export function Spinner({ size = "xl" }: { size?: "sm" | "md" | "lg" | "xl" }) {
    return (
        <svg
            className={`pf-v6-c-spinner pf-m-${size}`}
            role="progressbar"
            aria-label={_("Loading…")}
            viewBox="0 0 100 100"
        >
            <circle className="pf-v6-c-spinner__path" cx="50" cy="50" r="45" fill="none" />
        </svg>
    );
}
