// SPDX-License-Identifier: Apache-2.0
// Lines over time. A reader hears the newest values; the table that each chart stands beside has all of them.
import { _, format } from "../text/i18n.ts";
import { linePath, niceTop } from "./scale.ts";

export interface Series {
    readonly key: string | number;
    readonly name: string;
    /** the newest last; undefined: not known */
    readonly values: readonly (number | undefined)[];
}

interface LineChartProps {
    readonly title: string;
    readonly series: readonly Series[];
    /** places from the left to the right edge */
    readonly slots: number;
    readonly format: (value: number) => string;
    /** what the left edge stands for */
    readonly since: string;
}

/** Colours that are told apart in both themes. */
export const chartColors = 5;

export function LineChart({ title, series, slots, format: formatValue, since }: LineChartProps) {
    const known = series.flatMap(one => one.values.filter(value => value !== undefined));
    const top = niceTop(Math.max(0, ...known));
    const spoken = series.map(one => format("$0: $1", one.name, lastOf(one, formatValue))).join(", ");
    return (
        <figure className="chart">
            <figcaption>{title}</figcaption>
            <div className="chart-area" dir="ltr">
                <div className="chart-scale" aria-hidden="true">
                    <span>{formatValue(top)}</span>
                    <span>{formatValue(top / 2)}</span>
                    <span>{formatValue(0)}</span>
                </div>
                <svg
                    className="chart-lines"
                    viewBox="0 0 100 100"
                    preserveAspectRatio="none"
                    role="img"
                    aria-label={format(_("$0. Latest: $1"), title, spoken === "" ? _("nothing") : spoken)}
                >
                    {[0, 50, 100].map(at => (
                        <line key={at} className="chart-grid" x1="0" x2="100" y1={at} y2={at} />
                    ))}
                    {series.map((one, at) => (
                        <path
                            key={one.key}
                            className={`chart-line chart-color-${(at % chartColors) + 1}`}
                            d={linePath(one.values, slots, top)}
                        />
                    ))}
                </svg>
                <div className="chart-times" aria-hidden="true">
                    <span>{since}</span>
                    <span>{_("now")}</span>
                </div>
            </div>
        </figure>
    );
}

/** Whose line is whose, for charts of the same series. */
export function Legend({ series }: { series: readonly { readonly key: string | number; readonly name: string }[] }) {
    return (
        <ul className="chart-legend">
            {series.map((one, at) => (
                <li key={one.key}>
                    <span className={`chart-key chart-color-${(at % chartColors) + 1}`} aria-hidden="true" />
                    {one.name}
                </li>
            ))}
        </ul>
    );
}

/** A line in a table's cell, beside its number: it needs no words. */
export function Sparkline({ values, slots }: { values: readonly (number | undefined)[]; slots: number }) {
    const top = niceTop(Math.max(0, ...values.filter(value => value !== undefined)));
    return (
        <svg className="sparkline" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
            <path className="chart-line chart-color-1" d={linePath(values, slots, top)} />
        </svg>
    );
}

function lastOf({ values }: Series, formatValue: (value: number) => string): string {
    const last = values.at(-1);
    return last === undefined ? _("not known") : formatValue(last);
}
