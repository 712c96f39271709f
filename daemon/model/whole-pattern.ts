// SPDX-License-Identifier: Apache-2.0
// Patterns of identities, as the configuration and callers write them.

/** Of the whole text, as in earlier releases: part of an identity is another identity. Throws where it is no pattern. */
export function wholePattern(source: string): RegExp {
    // alone first: an unmatched parenthesis must not be matched by ours
    return new RegExp(`^(?:${new RegExp(source, "u").source})$`, "u");
}
