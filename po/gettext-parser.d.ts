// SPDX-License-Identifier: Apache-2.0
// What is used of gettext-parser, which brings no declarations.

declare module "gettext-parser" {
    interface Message {
        msgid: string;
        msgid_plural?: string;
        msgstr: string[];
        comments?: { flag?: string };
    }
    interface Catalogue {
        headers: Record<string, string>;
        /** by context, then by message id */
        translations: Record<string, Record<string, Message>>;
    }
    const po: { parse(source: Uint8Array | string): Catalogue };
}
