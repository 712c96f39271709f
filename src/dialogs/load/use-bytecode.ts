// SPDX-License-Identifier: Apache-2.0
// Bytecode that a dialog begins with: read, uploaded or pulled, then looked into.
import { useState } from "react";
import type { ImageSourceJson, InspectResponseJson } from "../../../proto/gen/bpfman/host/v1/host_pb.js";
import { usePage } from "../../page.ts";
import { _ } from "../../text/i18n.ts";
import { asError } from "../frame.tsx";
import { type TaskOptions, useTask } from "../task.ts";
import { pullImage } from "./pull.ts";
import { bytecodeOf, type ObjectSource, type Source } from "./source.ts";

interface Failure {
    readonly title: string;
    readonly error: Error;
}

/** onFacts: what is inside of it; undefined as soon as it is another, which is not looked into yet */
export function useBytecode(onFacts: (facts: InspectResponseJson | undefined) => void) {
    const { bulk } = usePage();
    const [source, setSource] = useState<Source>();
    const [failure, setFailure] = useState<Failure>();
    const { task, run, cancel } = useTask();
    const reset = () => {
        cancel();
        setSource(undefined);
        onFacts(undefined);
        setFailure(undefined);
    };
    const failed = (title: string, error: unknown, { signal }: TaskOptions) => {
        if (!signal.aborted) setFailure({ title, error: asError(error) });
    };
    const lookInto = async (found: Source, options: TaskOptions) => {
        options.signal.throwIfAborted();
        setSource(found);
        const { sourcePath: _path, ...bytecode } = bytecodeOf(found);
        onFacts(await bulk.inspect(bytecode, options));
    };
    const inspect = (read: () => Promise<ObjectSource>) => {
        reset();
        run(_("Looking into the object"), async options => {
            try {
                await lookInto(await read(), options);
            } catch (error) {
                failed(_("The object can't be used"), error, options);
            }
        });
    };
    const pull = (wanted: ImageSourceJson) => {
        reset();
        run(_("Getting the image"), async options => {
            try {
                const pulled = await pullImage(bulk, wanted, options);
                await lookInto({ kind: "image", image: wanted, pulled }, options);
            } catch (error) {
                failed(_("The image can't be used"), error, options);
                // it can be tried again as it is
                if (!options.signal.aborted) setSource(undefined);
            }
        });
    };
    /** What is done with it at last; the dialog stays open where it is refused. */
    const act = (title: string, refusal: string, body: (options: TaskOptions) => Promise<void>) =>
        run(title, async options => {
            try {
                await body(options);
            } catch (error) {
                failed(refusal, error, options);
            }
        });
    return { source, failure, task, reset, cancel, inspect, pull, act, forgetFailure: () => setFailure(undefined) };
}

export type Bytecode = ReturnType<typeof useBytecode>;
