// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "react";

const everyMs = 30_000;

/** The time, told anew now and then: for what says how long ago something was. */
export function useNow(): number {
    const [now, setNow] = useState(() => Date.now());
    useEffect(() => {
        const timer = setInterval(() => setNow(Date.now()), everyMs);
        return () => clearInterval(timer);
    }, []);
    return now;
}
