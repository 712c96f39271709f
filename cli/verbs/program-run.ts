// SPDX-License-Identifier: Apache-2.0
// program run: a test run on a packet
import { readFileSync } from "node:fs";
import { toBase64 } from "../../client/base64.ts";
import { type Args, UsageError } from "../args.ts";
import { type Verb, wantsJson } from "../host.ts";
import { integer } from "../output/json.ts";
import { printJson, printLines, table } from "../output/print.ts";
import { hexOf } from "../output/text.ts";
import { parseCount, parseId } from "../values.ts";

const maxRuns = 1_000_000_000;

function packetOf(args: Args): Uint8Array {
    const hex = args.value("packet-hex");
    const file = args.value("packet");
    if ((hex === undefined) === (file === undefined))
        throw new UsageError("give the packet with --packet FILE or with --packet-hex HEX");
    if (file !== undefined) return readFileSync(file === "-" ? 0 : file);
    const digits = (hex ?? "").replace(/^0[xX]|[\s:]/g, "");
    if (!/^(?:[0-9a-fA-F]{2})+$/.test(digits))
        throw new UsageError("invalid --packet-hex: must be pairs of hexadecimal digits");
    return Uint8Array.from(digits.match(/../g) ?? [], pair => Number.parseInt(pair, 16));
}

export const programRun: Verb = async (args, { client }) => {
    const repeat = parseCount("repeat", args.value("repeat") ?? "1");
    if (repeat > maxRuns) throw new UsageError(`--repeat must be at most ${maxRuns}`);
    const run = await client.testRun({
        programId: parseId("program", args.required("ID")),
        packet: toBase64(packetOf(args)),
        repeat,
        force: args.flag("force"),
    });
    const { returnCode = 0, returnName = "", runs = 0, nsPerRun } = run;
    const packet = hexOf(run.packet ?? "");
    if (wantsJson(args)) {
        printJson({ return_code: returnCode, return_name: returnName, runs, ns_per_run: integer(nsPerRun), packet });
        return 0;
    }
    // of tc programs the one negative code
    const code = returnCode | 0;
    printLines(
        table([
            ["Return:", returnName === "" ? String(code) : `${returnName} (${code})`],
            ["Runs:", String(runs)],
            ["Time:", `${nsPerRun ?? 0} ns a run`],
            ["Packet:", `${packet.length / 2} bytes`],
        ]),
    );
    printLines(hexLines(packet));
    return 0;
};

/** Sixteen bytes a line, with their offset. */
function hexLines(hex: string): string[] {
    const lines = hex.match(/.{1,32}/g) ?? [];
    return lines.map((line, at) => `  ${(16 * at).toString(16).padStart(4, "0")}  ${line.match(/../g)?.join(" ")}`);
}
