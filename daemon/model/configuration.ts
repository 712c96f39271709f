// SPDX-License-Identifier: Apache-2.0
// The configuration as it is told.

export interface ConfigFacts {
    readonly path: string;
    readonly present: boolean;
    readonly settings: readonly {
        /** as "logging.level" */
        readonly key: string;
        /** as TOML writes it */
        readonly value: string;
        /** it stands in the file */
        readonly set: boolean;
        readonly description: string;
    }[];
    readonly warnings: readonly string[];
    readonly trusted: readonly { readonly subject: string; readonly issuer: string; readonly keyPath: string }[];
}
