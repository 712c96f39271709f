// SPDX-License-Identifier: Apache-2.0
import { shown } from "../../text/escape.ts";

/** The kernel's and the daemon's own words, for readers and for lines that run from right to left. */
export function English({ children }: { children: string }) {
    if (children === "") return null;
    return (
        <span lang="en" dir="auto">
            {shown(children)}
        </span>
    );
}
