// SPDX-License-Identifier: Apache-2.0
// features: what this kernel and its libbpf can do, and the errno where not
import { type Verb, wantsJson } from "../host.ts";
import { printJson, printLines, table } from "../output/print.ts";

export const features: Verb = async (args, { client }) => {
    const answer = await client.features();
    const rows = (answer.features ?? []).map(({ name = "", supported = false, errno = "", note = "" }) => ({
        name,
        supported,
        errno,
        note,
    }));
    const { kernel = "", libbpf = "", architecture = "" } = answer;
    if (wantsJson(args)) {
        printJson({ kernel, libbpf, architecture, features: rows });
        return 0;
    }
    printLines([
        ...table([
            ["Kernel:", kernel],
            ["libbpf:", libbpf],
            ["Architecture:", architecture],
        ]),
        "",
        ...table([
            ["FEATURE", "SUPPORTED", "ERRNO", "NOTE"],
            ...rows.map(row => [row.name, row.supported ? "yes" : "no", row.errno || "-", row.note]),
        ]),
    ]);
    return 0;
};
