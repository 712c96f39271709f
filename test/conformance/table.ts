// SPDX-License-Identifier: Apache-2.0
// docs/conformance.md from what the tests came to: no cell that says whether something holds is written by hand.
// `node test/conformance/table.ts` writes it from the latest run of each stage (test-results/); a run of everything does so by
// itself.
import fs from "node:fs";
import { basename, join } from "node:path";
import { type Result, readResults } from "../results.ts";
import { asks, features, type Proof } from "./rows.ts";

const root = join(import.meta.dirname, "../..");
export const page = join(root, "docs/conformance.md");

/** All runs of the test, on each kernel and with each parameter. */
export function resultsOf({ file, test }: Proof, results: readonly Result[]): Result[] {
    return results.filter(
        result =>
            result.file === file &&
            (typeof test === "string"
                ? result.name === test || result.name.endsWith(` › ${test}`)
                : test.test(result.name)),
    );
}

export interface Judged {
    /** the cell */
    readonly holds: string;
    /** what the run must fail for, one sentence each */
    readonly problems: readonly string[];
}

interface Row {
    readonly proofs: readonly Proof[];
    readonly claim?: string;
    readonly open?: string;
}

const named = ({ file, test }: Proof) => `${file}: ${String(test)}`;

/** A row holds where each of its tests passed at least once and never failed. */
export function judge({ proofs, claim = "yes", open }: Row, results: readonly Result[]): Judged {
    if (proofs.length === 0)
        return open === undefined
            ? { holds: "not shown", problems: ["a row has neither a test nor a reason"] }
            : { holds: `no: ${open}`, problems: [] };
    const problems: string[] = [];
    const skips = new Set<string>();
    const ran = new Set(results.map(({ file }) => file));
    const idle = proofs.filter(({ file }) => !ran.has(file));
    if (idle.length > 0) return { holds: "not run", problems: idle.map(proof => `did not run: ${named(proof)}`) };
    for (const proof of proofs) {
        const found = resultsOf(proof, results);
        if (found.length === 0) problems.push(`no such test ran: ${named(proof)}`);
        else if (found.some(({ outcome }) => outcome === "failed")) problems.push(`failed: ${named(proof)}`);
        else if (!found.some(({ outcome }) => outcome === "passed")) skips.add(found[0]?.reason ?? "");
    }
    if (problems.length > 0) return { holds: "**not shown**: a test failed or is missing", problems };
    if (skips.size > 0) return { holds: `not shown where the table was made: ${[...skips].join("; ")}`, problems };
    return { holds: open === undefined ? claim : `${claim}; ${open}`, problems };
}

/** The tests, each file once. */
function shownBy(proofs: readonly Proof[]): string {
    const files = [...new Set(proofs.map(({ file }) => file))];
    return files
        .map(file => {
            const tests = proofs.filter(proof => proof.file === file).map(({ test }) => words(test));
            return `[${basename(file, ".test.ts")}](../${file}): ${tests.join(", ")}`;
        })
        .join("<br>");
}

function words(test: string | RegExp): string {
    if (typeof test === "string") return cell(test.split(" › ").at(-1) ?? "");
    if (test.source === ".") return "all of it";
    return cell(test.source.replace(/[\\^$]|\.\*/g, ""));
}

// inside a code span of a table a bar has to be escaped as well
const cell = (text: string) => text.replaceAll("|", "\\|");

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
    const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
    return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

export function render(results: readonly Result[]): { text: string; problems: string[] } {
    const problems: string[] = [];
    const holds = (row: Row, what: string): string => {
        const judged = judge(row, results);
        problems.push(...judged.problems.map(problem => `${what}: ${problem}`));
        return cell(judged.holds);
    };
    const featureRows = features.map(row => [
        ...[row.feature, row.released, row.rewrite].map(cell),
        holds(row, row.feature),
        shownBy(row.proofs),
    ]);
    const askRows = asks.map(row => [cell(row.threads), cell(row.ask), holds(row, row.ask), shownBy(row.proofs)]);
    const text = `# Conformance

Made by \`make check\` from what its tests came to; \`make conformance\` makes it again from the latest run. The column *here* holds only what the tests beside it
proved: a row whose test fails, is skipped or is gone says so. The rows stand in [test/conformance/rows.ts](../test/conformance/rows.ts).

## What earlier lines do

*Released* is the line of bpfman 0.6, *rewrite* the one that follows it.

${table(["feature", "released", "rewrite", "here", "shown by"], featureRows)}

## What users asked for

Numbers without a word before them are threads of bpfman's own project.

${table(["thread", "asked for", "here", "shown by"], askRows)}
`;
    return { text, problems };
}

/** Returns what is not as the table wants it, one sentence each. */
export function writeConformance(): string[] {
    const { text, problems } = render(readResults());
    fs.writeFileSync(page, text);
    return problems;
}

if (import.meta.main) {
    const problems = writeConformance();
    for (const problem of problems) console.error(problem);
    process.exitCode = problems.length === 0 ? 0 : 1;
}
