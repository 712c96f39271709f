// SPDX-License-Identifier: Apache-2.0
// A key or a value: by BTF as a tree that opens, or as bytes.
import type { Entry } from "../../model/map-model.ts";
import { type Datum, hexOf, isTree, type Json, preview } from "../../model/map-text.ts";
import { shown } from "../../text/escape.ts";
import { _, format, ngettext } from "../../text/i18n.ts";

export function DatumView({ datum, asBytes }: { datum: Datum; asBytes: boolean }) {
    return asBytes || datum.json === undefined ? <Bytes base64={datum.bytes} /> : <JsonView json={datum.json} />;
}

function Bytes({ base64 }: { base64: string }) {
    if (base64 === "") return <span className="note">{_("no bytes")}</span>;
    return (
        <code className="bytes" dir="ltr">
            {hexOf(base64)}
        </code>
    );
}

function JsonView({ json }: { json: Json }) {
    if (!isTree(json)) return <Scalar json={json} />;
    const count = Array.isArray(json) ? json.length : Object.keys(json).length;
    if (count === 0) return <code>{preview(json)}</code>;
    return (
        <details className="tree">
            <summary>
                <code dir="ltr">{shown(preview(json))}</code>
            </summary>
            <Fields json={json} />
        </details>
    );
}

const mostItems = 256;

function Fields({ json }: { json: readonly Json[] | { readonly [key: string]: Json } }) {
    const fields = Object.entries(json);
    return (
        <>
            <dl className="tree-fields" dir="ltr">
                {fields.slice(0, mostItems).map(([name, value]) => (
                    <div key={name}>
                        <dt>
                            <code>{shown(name)}</code>
                        </dt>
                        <dd>
                            <JsonView json={value} />
                        </dd>
                    </div>
                ))}
            </dl>
            {fields.length > mostItems && (
                <p className="note">{format(_("$0 more; the export has all of them"), fields.length - mostItems)}</p>
            )}
        </>
    );
}

function Scalar({ json }: { json: null | boolean | number | string }) {
    if (json === "") return <span className="note">{_("empty text")}</span>;
    return (
        <code className={typeof json === "string" ? "scalar" : "scalar scalar-number"} dir="auto">
            {shown(String(json))}
        </code>
    );
}

export function EntryValue({ entry, asBytes }: { entry: Entry; asBytes: boolean }) {
    if (entry.cpus.length === 0) return <DatumView datum={entry.value} asBytes={asBytes} />;
    return (
        <>
            {entry.sum !== undefined && !asBytes && (
                <div className="sum">
                    <span className="note">{_("Sum")}</span> <JsonView json={entry.sum} />
                </div>
            )}
            <details className="tree">
                <summary>{ngettext("$0 CPU", "$0 CPUs", entry.cpus.length)}</summary>
                <dl className="tree-fields">
                    {entry.cpus.map(({ cpu, value }) => (
                        <div key={cpu}>
                            <dt>{format(_("CPU $0"), cpu)}</dt>
                            <dd>
                                <DatumView datum={value} asBytes={asBytes} />
                            </dd>
                        </div>
                    ))}
                </dl>
            </details>
        </>
    );
}

/** Within a sentence. */
export function datumText({ bytes, json }: Datum): string {
    return json === undefined ? hexOf(bytes, 16) : shown(preview(json, 40));
}
