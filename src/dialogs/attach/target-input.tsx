// SPDX-License-Identifier: Apache-2.0
// A field for the name of something on the host, which the daemon completes.
import { useEffect, useState } from "react";
import type { ListTargetsRequestJson } from "../../../proto/gen/bpfman/host/v1/host_pb.js";
import { usePage } from "../../page.ts";
import { ngettext } from "../../text/i18n.ts";
import { ComboBox, type Offer } from "../../ui/combo-box.tsx";
import { English } from "../../views/shared/english.tsx";

interface TargetInputProps {
    /** a Field's, whose help is this field's */
    readonly id: string;
    /** of what and where, without the text typed so far */
    readonly targets: Omit<ListTargetsRequestJson, "query" | "limit">;
    readonly value: string;
    readonly onChange: (value: string) => void;
    readonly placeholder?: string;
}

interface Found {
    readonly offers: readonly Offer[];
    readonly more: number;
    readonly unavailable: string;
}

const nothing: Found = { offers: [], more: 0, unavailable: "" };
const offered = 50;
const typingMs = 120;

export function TargetInput({ targets, ...field }: TargetInputProps) {
    const [isUsed, setUsed] = useState(false);
    const { offers, more, unavailable } = useTargets(isUsed ? targets : undefined, field.value);
    const footer =
        unavailable === "" ? (
            more > 0 && ngettext("$0 more; type to narrow them down", "$0 more; type to narrow them down", more)
        ) : (
            <English>{unavailable}</English>
        );
    return (
        <ComboBox
            {...field}
            describedBy={`${field.id}-help`}
            offers={offers}
            onOpen={() => setUsed(true)}
            {...(footer === false ? {} : { footer })}
        />
    );
}

function useTargets(targets: TargetInputProps["targets"] | undefined, query: string): Found {
    const { client } = usePage();
    const [found, setFound] = useState(nothing);
    const key = targets && JSON.stringify(targets);
    useEffect(() => {
        if (key === undefined) return;
        const left = new AbortController();
        const timer = setTimeout(async () => {
            try {
                const request = { ...(JSON.parse(key) as ListTargetsRequestJson), query, limit: offered };
                const answer = await client.listTargets(request, { signal: left.signal });
                const offers = (answer.targets ?? []).map(one => ({ value: one.name ?? "", detail: one.detail }));
                const more = Math.max(0, (answer.total ?? 0) - offers.length);
                setFound({ offers, more, unavailable: answer.unavailable ?? "" });
            } catch {
                // without help any name may still be typed, and the attach says what is wrong with it
                if (!left.signal.aborted) setFound(nothing);
            }
        }, typingMs);
        return () => {
            clearTimeout(timer);
            left.abort();
        };
    }, [client, key, query]);
    return found;
}
