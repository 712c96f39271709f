// SPDX-License-Identifier: Apache-2.0
// The kernel counts while somebody looks: the stream is open while the view that asked for it is on the screen.
import { useEffect, useState, useSyncExternalStore } from "react";
import { addRecord, type LiveStatistics } from "../model/statistics.ts";
import { usePage } from "../page.ts";
import { follow } from "./follow.ts";

interface StatisticsRequest {
    readonly isOn: boolean;
    /** one program; absent: all */
    readonly programId?: number;
}

interface StatisticsState {
    readonly statistics: LiveStatistics | undefined;
    readonly error: Error | undefined;
}

const nothing: StatisticsState = { statistics: undefined, error: undefined };

export function useStatistics({ isOn, programId }: StatisticsRequest): StatisticsState {
    const { client } = usePage();
    const isVisible = useVisible();
    const [state, setState] = useState<StatisticsState>(nothing);
    useEffect(() => {
        if (!isOn) setState(nothing);
        if (!isOn || !isVisible) return undefined;
        const request = {
            intervalMs: 1000,
            chains: true,
            ...(programId === undefined ? {} : { programIds: [programId] }),
        };
        return follow({
            open: signal => client.watchStatistics(request, signal),
            onRecord: record =>
                setState(before => ({ statistics: addRecord(before.statistics, record), error: undefined })),
            onRefused: error => setState({ statistics: undefined, error }),
        });
    }, [client, isOn, isVisible, programId]);
    return state;
}

/** Whether the page is on the screen: not behind another of Cockpit's, nor in a browser's tab that is not shown. */
export function useVisible(): boolean {
    return useSyncExternalStore(onVisibility, () => !cockpit.hidden && document.visibilityState === "visible");
}

function onVisibility(changed: () => void): () => void {
    cockpit.addEventListener("visibilitychange", changed);
    document.addEventListener("visibilitychange", changed);
    return () => {
        cockpit.removeEventListener("visibilitychange", changed);
        document.removeEventListener("visibilitychange", changed);
    };
}
