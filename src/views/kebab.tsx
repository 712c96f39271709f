// SPDX-License-Identifier: Apache-2.0
import { Dropdown, DropdownList } from "@patternfly/react-core/dist/esm/components/Dropdown/index.js";
import { MenuToggle } from "@patternfly/react-core/dist/esm/components/MenuToggle/index.js";
import EllipsisVIcon from "@patternfly/react-icons/dist/esm/icons/ellipsis-v-icon";
import { type ReactNode, useState } from "react";

/** A row's actions behind three dots; label says whose. */
export function Kebab({ label, children }: { label: string; children: ReactNode }) {
    const [isOpen, setOpen] = useState(false);
    return (
        <Dropdown
            isOpen={isOpen}
            onOpenChange={setOpen}
            onSelect={() => setOpen(false)}
            popperProps={{ position: "right" }}
            shouldFocusFirstItemOnOpen
            toggle={ref => (
                <MenuToggle
                    ref={ref}
                    variant="plain"
                    aria-label={label}
                    isExpanded={isOpen}
                    onClick={() => setOpen(!isOpen)}
                    icon={<EllipsisVIcon />}
                />
            )}
        >
            <DropdownList>{children}</DropdownList>
        </Dropdown>
    );
}
