// SPDX-License-Identifier: Apache-2.0
// One table for every list: sorted by its headings, in groups, with actions for each row, cards on a phone, and
// of thousands of rows only those that are near the screen in the document (window.tsx).
import "@patternfly/patternfly/components/Table/table.css";
import "@patternfly/patternfly/components/Table/table-grid.css";
import { type ReactNode, useMemo, useState } from "react";
import { _, pageLanguage } from "../text/i18n.ts";
import { classes } from "./classes.ts";
import { Icon } from "./icons.tsx";
import { type Collator, grouped, type Sort, type SortValue, sorted } from "./rows.ts";
import { TableWindow, windowedFrom } from "./window.tsx";

export interface Column<Row> {
    readonly id: string;
    readonly title: string;
    readonly cell: (row: Row) => ReactNode;
    /** what its rows are sorted by; without it the heading is no button */
    readonly sortBy?: (row: Row) => SortValue;
    /** figures: aligned at the end, the first click brings the largest up */
    readonly isNumeric?: boolean;
    /** percent of the table */
    readonly width?: 10 | 15 | 20 | 25 | 30 | 35 | 40 | 45 | 50 | 60;
    /** breakWord: for names without a place to break; the default keeps words whole */
    readonly wrap?: "breakWord" | "nowrap" | "truncate" | "fitContent";
    /** not on a phone, where each cell is a line */
    readonly isWideOnly?: boolean;
}

type RowKey = string | number;

export interface Grouping<Row> {
    /** rows of the same text are a group */
    readonly keyOf: (row: Row) => string;
    /** for rows whose text is empty */
    readonly noneTitle: string;
}

interface DataTableProps<Row> {
    readonly label: string;
    /** the same array from one rendering to the next, else every row is drawn anew */
    readonly columns: readonly Column<Row>[];
    readonly rows: readonly Row[];
    readonly keyOf: (row: Row) => RowKey;
    readonly actions?: (row: Row) => ReactNode;
    /** without onSort what it begins with */
    readonly sort?: Sort | undefined;
    /** the order is the caller's to keep */
    readonly onSort?: (sort: Sort) => void;
    readonly grouping?: Grouping<Row> | undefined;
    /** marks a row */
    readonly rowClass?: (row: Row) => string | undefined;
    /** in place of rows */
    readonly empty?: ReactNode;
}

/** A row, or the head of a group. */
type Line<Row> =
    | { readonly row: Row; readonly key: RowKey }
    | { readonly group: string; readonly title: string; readonly count: number; readonly isOpen: boolean };

export function DataTable<Row>(props: DataTableProps<Row>) {
    const { label, columns, rows, keyOf, actions, grouping, rowClass, empty } = props;
    const [ownSort, setOwnSort] = useState(props.sort);
    const sort = props.onSort ? props.sort : ownSort;
    const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
    const lines = useMemo(
        () => linesOf({ columns, rows, keyOf, sort, grouping, closed }),
        [columns, rows, keyOf, sort, grouping, closed],
    );
    const width = columns.length + (actions ? 1 : 0);
    if (rows.length === 0 && empty !== undefined) return <>{empty}</>;
    const toggleGroup = (key: string) => {
        const next = new Set(closed);
        if (!next.delete(key)) next.add(key);
        setClosed(next);
    };
    const renderLine = (line: Line<Row>, at: number) =>
        "row" in line ? (
            <tr
                key={line.key}
                className={classes("pf-v6-c-table__tr", rowClass?.(line.row))}
                aria-rowindex={lines.length > windowedFrom ? at + 2 : undefined}
            >
                {columns.map(column => (
                    <td key={column.id} className={cellClass(column)} data-label={column.title}>
                        {column.cell(line.row)}
                    </td>
                ))}
                {actions && <td className="pf-v6-c-table__td pf-v6-c-table__action">{actions(line.row)}</td>}
            </tr>
        ) : (
            <GroupRow key={`group ${line.group}`} line={line} width={width} onToggle={toggleGroup} />
        );
    return (
        <table
            // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: as PatternFly's tables are
            role="grid"
            aria-label={label}
            aria-rowcount={lines.length > windowedFrom ? lines.length + 1 : undefined}
            className={classes(
                "pf-v6-c-table pf-m-grid-md pf-m-compact",
                // columns would change their widths with the rows that come and go
                lines.length > windowedFrom && "pf-m-fixed",
            )}
        >
            <thead className="pf-v6-c-table__thead">
                <tr className="pf-v6-c-table__tr">
                    {columns.map(column => (
                        <HeadCell key={column.id} column={column} sort={sort} onSort={props.onSort ?? setOwnSort} />
                    ))}
                    {actions && (
                        <th scope="col" className="pf-v6-c-table__th">
                            <span className="pf-v6-screen-reader">{_("Actions")}</span>
                        </th>
                    )}
                </tr>
            </thead>
            <TableWindow lines={lines} width={width} render={renderLine} />
        </table>
    );
}

interface Arrangement<Row> {
    readonly columns: readonly Column<Row>[];
    readonly rows: readonly Row[];
    readonly keyOf: (row: Row) => RowKey;
    readonly sort: Sort | undefined;
    readonly grouping: Grouping<Row> | undefined;
    readonly closed: ReadonlySet<string>;
}

function linesOf<Row>(given: Arrangement<Row>): Line<Row>[] {
    const { columns, keyOf, sort, grouping, closed } = given;
    const column = columns.find(one => one.id === sort?.by);
    const rows = sort && column?.sortBy ? sorted(given.rows, column.sortBy, sort.descending, collator) : given.rows;
    const lineOf = (row: Row): Line<Row> => ({ row, key: keyOf(row) });
    if (!grouping) return rows.map(lineOf);
    return grouped(rows, grouping.keyOf, collator).flatMap(group => {
        const isOpen = !closed.has(group.key);
        const title = group.key === "" ? grouping.noneTitle : group.key;
        const head: Line<Row> = { group: group.key, title, count: group.rows.length, isOpen };
        return isOpen ? [head, ...group.rows.map(lineOf)] : [head];
    });
}

let made: Intl.Collator | undefined;

/** Of the page's language; digits within names count as numbers. Made when first two texts are compared: it takes long. */
const collator: Collator = {
    compare: (a, b) => {
        made ??= new Intl.Collator(pageLanguage(), { numeric: true, sensitivity: "base" });
        return made.compare(a, b);
    },
};

function cellClass<Row>({ wrap, isNumeric, isWideOnly }: Column<Row>): string {
    return classes(
        "pf-v6-c-table__td",
        wrap === "breakWord" && "pf-m-break-word",
        wrap === "nowrap" && "pf-m-nowrap",
        wrap === "truncate" && "pf-m-truncate",
        wrap === "fitContent" && "pf-m-fit-content",
        isNumeric && "numeric pf-m-nowrap",
        isWideOnly && "wide-only",
    );
}

interface HeadCellProps<Row> {
    readonly column: Column<Row>;
    readonly sort: Sort | undefined;
    readonly onSort: (sort: Sort) => void;
}

function HeadCell<Row>({ column, sort, onSort }: HeadCellProps<Row>) {
    const isSorted = sort?.by === column.id;
    const direction = sort?.descending ? "descending" : "ascending";
    const next = (): Sort => ({
        by: column.id,
        descending: isSorted ? !sort.descending : (column.isNumeric ?? false),
    });
    const title = <span className="pf-v6-c-table__text">{column.title}</span>;
    return (
        <th
            scope="col"
            className={classes(
                "pf-v6-c-table__th",
                column.width !== undefined && `pf-m-width-${column.width}`,
                column.sortBy && "pf-v6-c-table__sort",
                isSorted && "pf-m-selected",
                column.isNumeric && "numeric pf-m-nowrap",
                column.isWideOnly && "wide-only",
            )}
            aria-sort={column.sortBy && (isSorted ? direction : "none")}
        >
            {column.sortBy ? (
                <button type="button" className="pf-v6-c-table__button" onClick={() => onSort(next())}>
                    <div className="pf-v6-c-table__button-content">
                        {title}
                        <span className="pf-v6-c-table__sort-indicator">
                            <Icon name={isSorted ? (sort.descending ? "sortedDown" : "sortedUp") : "sortable"} />
                        </span>
                    </div>
                </button>
            ) : (
                title
            )}
        </th>
    );
}

interface GroupRowProps<Row> {
    readonly line: Exclude<Line<Row>, { row: Row }>;
    readonly width: number;
    readonly onToggle: (key: string) => void;
}

function GroupRow<Row>({ line, width, onToggle }: GroupRowProps<Row>) {
    return (
        <tr className="pf-v6-c-table__tr group-row">
            <th scope="rowgroup" colSpan={width} className="pf-v6-c-table__th">
                <button
                    type="button"
                    className="group-toggle"
                    aria-expanded={line.isOpen}
                    onClick={() => onToggle(line.group)}
                >
                    <Icon
                        name={line.isOpen ? "angleDown" : "angleRight"}
                        className={line.isOpen ? "" : "directional"}
                    />
                    <span>{line.title}</span>
                    <span className="note">{line.count}</span>
                </button>
            </th>
        </tr>
    );
}
