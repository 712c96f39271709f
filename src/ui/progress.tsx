// SPDX-License-Identifier: Apache-2.0
import "@patternfly/patternfly/components/Progress/progress.css";
import { useId } from "react";
import { percent as percentText } from "../text/words.ts";
import { classes } from "./classes.ts";

interface ProgressProps {
    readonly title: string;
    readonly percent: number;
    /** what is known beside the percentage */
    readonly detail?: string;
    readonly className?: string;
}

export function Progress({ title, percent, detail = "", className }: ProgressProps) {
    const id = useId();
    return (
        <div className={classes("pf-v6-c-progress pf-m-sm", className)}>
            <div className="pf-v6-c-progress__description" id={id} aria-hidden="true">
                {title}
            </div>
            <div className="pf-v6-c-progress__status" aria-hidden="true">
                <span className="pf-v6-c-progress__measure">{percentText(percent / 100)}</span>
            </div>
            <div
                className="pf-v6-c-progress__bar"
                role="progressbar"
                aria-labelledby={id}
                aria-valuemin={0}
                aria-valuemax={100}
                aria-valuenow={percent}
            >
                <div className="pf-v6-c-progress__indicator" style={{ inlineSize: `${percent}%` }} />
            </div>
            {detail !== "" && <div className="pf-v6-c-progress__helper-text note">{detail}</div>}
        </div>
    );
}
