// SPDX-License-Identifier: Apache-2.0
// What stands in front of a change to somebody else's map.
import type { MapInfo } from "../../model/map-model.ts";
import { _ } from "../../text/i18n.ts";
import { Alert } from "../../ui/alert.tsx";
import { Checkbox } from "../../ui/choice.tsx";

interface ForeignMapFieldProps {
    readonly map: MapInfo;
    readonly agreed: boolean;
    readonly onChange: (agreed: boolean) => void;
}

export function ForeignMapField({ map, agreed, onChange }: ForeignMapFieldProps) {
    if (map.managed) return null;
    return (
        <Alert variant="warning" title={_("This map belongs to programs that were not loaded here")} className="task">
            <p>
                {_(
                    "Whoever made it may rely on what it holds: a service may stop working, or let through what it should not.",
                )}
            </p>
            <Checkbox
                id="foreign-map-agreed"
                label={_("Change it all the same")}
                isChecked={agreed}
                onChange={onChange}
            />
        </Alert>
    );
}

export function mayChange(map: MapInfo, agreed: boolean): boolean {
    return map.managed || agreed;
}
