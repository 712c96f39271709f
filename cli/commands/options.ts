// SPDX-License-Identifier: Apache-2.0
// Options that commands of several tables have.
import type { Option } from "../args.ts";

export const output: Option = {
    name: "output",
    short: "o",
    value: "text|json",
    choices: ["text", "json"],
    help: "text or json",
};
export const quiet: Option = { name: "quiet", short: "q", help: "ids alone, one a line" };
export const fullLog: Option = { name: "full-log", help: "on a refusal, the verifier's whole log" };
