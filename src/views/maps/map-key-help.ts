// SPDX-License-Identifier: Apache-2.0
import type { MapInfo } from "../../model/map-model.ts";
import { keyForm } from "../../model/map-text.ts";
import { _, format } from "../../text/i18n.ts";

/** How a key of this map is written. */
export function keyHelp(map: MapInfo): string {
    switch (keyForm(map)) {
        case "index":
            return format(_("A number from 0 to $0."), map.maxEntries - 1);
        case "prefix":
            return format(_("An address with its prefix, as $0, or bytes as $1."), prefixExample(map), "hex:00 0a");
        case "text":
            return format(_("Text, or bytes as $0."), "hex:00 0a");
        case "structure":
            return format(_("JSON of $0, as $1, or bytes as $2."), map.keyType, '{"field": 1}', "hex:00 0a");
        case "number":
            return map.keyBytes === 4
                ? format(_("A number, an IPv4 address, or bytes as $0."), "hex:00 0a")
                : format(_("A number, or bytes as $0."), "hex:00 0a");
        case "bytes":
            return format(_("$0 bytes, as $1."), map.keyBytes, "hex:00 0a …");
    }
}

function prefixExample({ keyBytes }: MapInfo): string {
    return keyBytes === 20 ? "2001:db8::/32" : "10.0.0.0/8";
}
