// SPDX-License-Identifier: Apache-2.0
// One thing at a time that takes a while; a new one, or the end of what shows it, aborts the one before.
import { useEffect, useRef, useState } from "react";

export interface Task {
    readonly title: string;
    readonly percent: number;
    /** what is known beside the percentage */
    readonly detail: string;
}

export interface TaskOptions {
    readonly signal: AbortSignal;
    readonly onProgress: (done: number, total: number, detail?: string) => void;
}

export function useTask() {
    const [task, setTask] = useState<Task>();
    const running = useRef<AbortController>(undefined);
    const cancel = () => {
        running.current?.abort();
        running.current = undefined;
        setTask(undefined);
    };
    useEffect(() => () => running.current?.abort(), []);
    const run = (title: string, body: (options: TaskOptions) => Promise<void>) => {
        running.current?.abort();
        const controller = new AbortController();
        running.current = controller;
        setTask({ title, percent: 0, detail: "" });
        const onProgress = (done: number, total: number, detail = "") => {
            if (running.current !== controller) return;
            setTask({ title, percent: total === 0 ? 0 : Math.floor((100 * done) / total), detail });
        };
        void body({ signal: controller.signal, onProgress }).finally(() => {
            if (running.current === controller) setTask(undefined);
        });
    };
    return { task, run, cancel };
}
