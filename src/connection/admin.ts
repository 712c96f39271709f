// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "react";

/** Whether the session has administrative access; null until it says. */
export function useAdmin(): boolean | null {
    const [allowed, setAllowed] = useState<boolean | null>(null);
    useEffect(() => {
        const permission = cockpit.permission({ admin: true });
        const changed = () => setAllowed(permission.allowed);
        permission.addEventListener("changed", changed);
        changed();
        return () => {
            permission.removeEventListener("changed", changed);
            permission.close();
        };
    }, []);
    return allowed;
}
