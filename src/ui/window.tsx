// SPDX-License-Identifier: Apache-2.0
// Of many lines those near the screen. They come in pieces, each a <tbody> (or an element of the caller's): a piece that
// is far away is one empty box of its height. An IntersectionObserver tells which are near: nothing runs on scrolling,
// whatever scrolls, and rows may be of any height.
import { type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { chunks } from "./rows.ts";

/** Fewer lines than this are all in the document. */
export const windowedFrom = 150;

const pieceLines = 40;
const rowHeightPx = 41;
// about a screen to both sides, so that scrolling meets drawn rows
const marginPx = 900;

interface TableWindowProps<Line> {
    readonly lines: readonly Line[];
    /** columns of the table */
    readonly width: number;
    readonly render: (line: Line, at: number) => ReactNode;
}

export function TableWindow<Line>({ lines, width, render }: TableWindowProps<Line>) {
    const isWindowed = lines.length > windowedFrom;
    const pieces = useMemo(() => chunks(lines, isWindowed ? pieceLines : lines.length || 1), [lines, isWindowed]);
    return (
        <>
            {pieces.map((piece, at) => (
                <Piece
                    // biome-ignore lint/suspicious/noArrayIndexKey: a piece is a place, whatever stands there
                    key={at}
                    isWindowed={isWindowed}
                    isFirst={at === 0}
                    count={piece.length}
                    width={width}
                >
                    {() => piece.map((line, within) => render(line, at * pieceLines + within))}
                </Piece>
            ))}
        </>
    );
}

interface PieceProps {
    readonly isWindowed: boolean;
    readonly isFirst: boolean;
    readonly count: number;
    readonly width: number;
    readonly children: () => ReactNode;
}

function Piece({ isWindowed, isFirst, count, width, children }: PieceProps) {
    const ref = useRef<HTMLTableSectionElement>(null);
    const [isNear, heightPx] = useNear(ref, { isWindowed, isFirst, count });
    return (
        // biome-ignore lint/a11y/noRedundantRoles: PatternFly shows it as a block on phones, which takes its role
        <tbody ref={ref} role="rowgroup" className="pf-v6-c-table__tbody">
            {isNear ? (
                children()
            ) : (
                // biome-ignore lint/a11y/noAriaHiddenOnFocusable: an empty row takes no focus
                <tr aria-hidden="true" className="far-rows" style={{ blockSize: heightPx }}>
                    <td colSpan={width} />
                </tr>
            )}
        </tbody>
    );
}

interface NearOptions {
    readonly isWindowed: boolean;
    readonly isFirst: boolean;
    readonly count: number;
}

/** Whether the element is near the screen, and how high it was when it last was. */
function useNear(
    ref: { readonly current: HTMLElement | null },
    { isWindowed, isFirst, count }: NearOptions,
): readonly [boolean, number] {
    const [isNear, setNear] = useState(isFirst);
    const heights = useRef({ perLine: rowHeightPx });
    useEffect(() => {
        const element = ref.current;
        if (!element || !isWindowed) return undefined;
        const observer = new IntersectionObserver(
            ([entry]) => {
                if (!entry) return;
                // what has the focus stays, wherever it is scrolled to
                setNear(entry.isIntersecting || element.contains(document.activeElement));
            },
            { rootMargin: `${marginPx}px 0px` },
        );
        observer.observe(element);
        return () => observer.disconnect();
    }, [ref, isWindowed]);
    const isDrawn = isNear || !isWindowed;
    useLayoutEffect(() => {
        if (isWindowed && isDrawn && ref.current && count > 0)
            heights.current.perLine = ref.current.getBoundingClientRect().height / count;
    });
    return [isDrawn, heights.current.perLine * count];
}

interface ListWindowProps<Line> {
    readonly lines: readonly Line[];
    readonly lineHeightPx: number;
    readonly render: (line: Line, at: number) => ReactNode;
}

/** As TableWindow, for lines that are no table's: code, a log. */
export function ListWindow<Line>({ lines, lineHeightPx, render }: ListWindowProps<Line>) {
    const isWindowed = lines.length > windowedFrom;
    const size = isWindowed ? pieceLines * 2 : lines.length || 1;
    const pieces = useMemo(() => chunks(lines, size), [lines, size]);
    return (
        <>
            {pieces.map((piece, at) => (
                <ListPiece
                    // biome-ignore lint/suspicious/noArrayIndexKey: as above
                    key={at}
                    isWindowed={isWindowed}
                    isFirst={at === 0}
                    count={piece.length}
                    lineHeightPx={lineHeightPx}
                >
                    {() => piece.map((line, within) => render(line, at * size + within))}
                </ListPiece>
            ))}
        </>
    );
}

interface ListPieceProps extends Omit<PieceProps, "width"> {
    readonly lineHeightPx: number;
}

function ListPiece({ isWindowed, isFirst, count, lineHeightPx, children }: ListPieceProps) {
    const ref = useRef<HTMLDivElement>(null);
    const [isNear] = useNear(ref, { isWindowed, isFirst, count });
    return (
        <div ref={ref} style={isNear ? undefined : { blockSize: lineHeightPx * count }}>
            {isNear && children()}
        </div>
    );
}
