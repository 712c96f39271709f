// SPDX-License-Identifier: Apache-2.0
import { shown } from "../../text/escape.ts";

/** A path, a digest, a name of the kernel's: read from left to right in every language. */
export function Code({ children }: { children: string }) {
    return <code dir="ltr">{shown(children)}</code>;
}
