// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from "react";

/** A part of the page with the page's inset. PatternFly's own Page brings a masthead, a sidebar and a drawer along. */
export function Section({ className = "", children }: { className?: string; children: ReactNode }) {
    return <div className={`section ${className}`}>{children}</div>;
}
