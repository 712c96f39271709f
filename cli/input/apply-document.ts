// SPDX-License-Identifier: Apache-2.0
// The text of a set's file, YAML or JSON, as a document: what it means is apply-file.ts's business.

/** Throws an Error that says where the text is wrong. */
export async function parseDocumentText(text: string): Promise<unknown> {
    if (text.trimStart().startsWith("{")) {
        try {
            return JSON.parse(text);
        } catch {
            // YAML has mappings in braces too, and says where it is wrong
        }
    }
    const { parseDocument } = await import("yaml");
    const document = parseDocument(text, { prettyErrors: true, stringKeys: true });
    const [error] = document.errors;
    if (error !== undefined) {
        const at = error.linePos?.[0];
        const [what = ""] = error.message.split(/ at line |\n/);
        throw new Error(at === undefined ? what : `line ${at.line}, column ${at.col}: ${what}`);
    }
    // aliases of aliases cost nothing to write and much to follow
    return document.toJS({ maxAliasCount: 100 });
}
