// SPDX-License-Identifier: Apache-2.0
// Every text of the page goes through here; po/extract.ts knows these names.

export function _(text: string): string {
    return cockpit.gettext(text);
}

/** $0 is the count, $1 and on are the values. */
export function ngettext(one: string, many: string, count: number, ...values: (string | number)[]): string {
    return cockpit.format(cockpit.ngettext(one, many, count), count, ...values);
}

/** Of the page's texts, as Intl has it. */
export function pageLanguage(): string | undefined {
    return cockpit.language?.replace("_", "-");
}

/** Marks a text that is translated where it is shown. */
export function N_(text: string): string {
    return text;
}

/** Replaces $0, $1, … by the arguments. */
export function format(text: string, ...values: (string | number)[]): string {
    return cockpit.format(text, ...values);
}
