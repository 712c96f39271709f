// SPDX-License-Identifier: Apache-2.0
// Label selectors as Kubernetes writes them: k=v, k!=v, k in (a,b), k notin (a,b), k, !k, all of them joined by commas.
import { UsageError } from "../args.ts";

export type Selector = (labels: Readonly<Record<string, string>>) => boolean;

const name = "[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?";
const forms: readonly [RegExp, (match: RegExpExecArray) => Selector][] = [
    [new RegExp(`^(${name}) (in|notin) \\(([^()]*)\\)$`), inSet],
    [new RegExp(`^(${name}) ?(==|=|!=) ?(.*)$`), equals],
    [new RegExp(`^(!?) ?(${name})$`), exists],
];

const shapes = "k=v, k!=v, k in (a,b), k notin (a,b), k or !k";

export function parseSelector(text: string): Selector {
    const parts = text
        // commas inside parentheses separate values
        .split(/,(?![^(]*\))/)
        .map(part =>
            part
                .trim()
                .replaceAll(/\s+/g, " ")
                .replace(/ ?\( ?/, " ("),
        )
        .filter(part => part !== "")
        .map(part => {
            for (const [form, make] of forms) {
                const match = form.exec(part);
                if (match) return make(match);
            }
            throw new UsageError(`can't read "${part}" in selector "${text}": must be ${shapes}`);
        });
    return labels => parts.every(part => part(labels));
}

function inSet([, key = "", operator, list = ""]: RegExpExecArray): Selector {
    const values = list.split(",").map(value => value.trim());
    const wanted = operator === "in";
    return labels => values.includes(labels[key] ?? "\u0000") === wanted;
}

function equals([, key = "", operator, value = ""]: RegExpExecArray): Selector {
    return labels => (labels[key] === value) === (operator !== "!=");
}

function exists([, not, key = ""]: RegExpExecArray): Selector {
    return labels => Object.hasOwn(labels, key) === (not === "");
}
