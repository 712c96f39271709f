// SPDX-License-Identifier: Apache-2.0
import { Progress } from "@patternfly/react-core/dist/esm/components/Progress/index.js";
import type { Task } from "./task.ts";

/** title: in place of the task's own */
export function TaskProgress({ task, title }: { task: Task; title?: string }) {
    return (
        <Progress
            className="task"
            value={task.percent}
            title={title ?? task.title}
            size="sm"
            {...(task.detail === "" ? {} : { helperText: task.detail })}
        />
    );
}
