// SPDX-License-Identifier: Apache-2.0
// An answer as the bytes of its JSON. What a handler froze stays as it is, and a list of thousands has the same
// elements again and again: their bytes are made once.
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** With a comma before it, as behind another element. */
const made = new WeakMap<object, Buffer>();

/** What JSON.stringify gives, in UTF-8; of the elements of lists that stand at the top, those that are frozen are kept. */
export function answerBytes(answer: JsonObject): Buffer {
    const pieces: Buffer[] = [];
    let text = "{";
    let first = true;
    for (const [name, value] of Object.entries(answer)) {
        if (value === undefined) continue;
        text += `${first ? "" : ","}${JSON.stringify(name)}:`;
        first = false;
        if (!Array.isArray(value) || value.length === 0) {
            text += JSON.stringify(value);
            continue;
        }
        pieces.push(Buffer.from(`${text}[`));
        value.forEach((element, at) => {
            const bytes = elementBytes(element);
            pieces.push(at === 0 ? bytes.subarray(1) : bytes);
        });
        text = "]";
    }
    pieces.push(Buffer.from(`${text}}`));
    return Buffer.concat(pieces);
}

function elementBytes(value: JsonValue): Buffer {
    const frozen = typeof value === "object" && value !== null && Object.isFrozen(value) ? value : undefined;
    const known = frozen && made.get(frozen);
    if (known !== undefined) return known;
    // in a list, what JSON does not know is written as null
    const bytes = Buffer.from(`,${JSON.stringify(value) ?? "null"}`);
    if (frozen) made.set(frozen, bytes);
    return bytes;
}
