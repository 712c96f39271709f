// SPDX-License-Identifier: Apache-2.0
// Shares of a whole as bars with their words and figures: a list to everybody, a picture to those who see it.
import type { ReactNode } from "react";

export interface Bar {
    readonly key: string;
    readonly name: ReactNode;
    readonly value: number;
    readonly figure: string;
}

export function Bars({ label, bars }: { label: string; bars: readonly Bar[] }) {
    const largest = Math.max(1, ...bars.map(({ value }) => value));
    return (
        <ul className="bars" aria-label={label}>
            {bars.map(bar => (
                <li key={bar.key}>
                    <span className="bar-name">{bar.name}</span>
                    <span className="bar-figure">{bar.figure}</span>
                    <span className="bar-track" aria-hidden="true">
                        <span className="bar-fill" style={{ inlineSize: `${(100 * bar.value) / largest}%` }} />
                    </span>
                </li>
            ))}
        </ul>
    );
}
