// SPDX-License-Identifier: Apache-2.0
// Loads programs of an object: choose its source, look inside, choose programs, load and perhaps attach.
import { Button } from "@patternfly/react-core/dist/esm/components/Button/index.js";
import { Form } from "@patternfly/react-core/dist/esm/components/Form/index.js";
import { Progress } from "@patternfly/react-core/dist/esm/components/Progress/index.js";
import { useEffect, useId, useRef, useState } from "react";
import { toBase64 } from "../../client/base64.ts";
import { shown } from "../escape.ts";
import { _, format, ngettext } from "../i18n.ts";
import { useInterfaces, usePage } from "../page.ts";
import { Modal, ModalBody, ModalFooter, ModalHeader } from "../ui/modal.tsx";
import { Refusal } from "../views/refusal.tsx";
import { asError } from "./frame.tsx";
import { choiceOf, type LoadChoice, loadRequest } from "./load-choice.ts";
import { LoadFields } from "./load-fields.tsx";
import { SourceFields } from "./load-source.tsx";
import type { Source } from "./source.ts";

interface Failure {
    readonly title: string;
    readonly error: Error;
}

export function LoadDialog() {
    const { bulk, live, notify, show } = usePage();
    const labelId = useId();
    const interfaces = useInterfaces().value ?? [];
    const [source, setSource] = useState<Source>();
    const [choice, setChoice] = useState<LoadChoice>();
    const [failure, setFailure] = useState<Failure>();
    const { task, run, cancel } = useTask();
    const request = choice && loadRequest(choice, interfaces);

    const reset = () => {
        cancel();
        setSource(undefined);
        setChoice(undefined);
        setFailure(undefined);
    };
    const inspect = (read: () => Promise<Source>) => {
        reset();
        run(_("Looking into the object"), async options => {
            try {
                const read_ = await read();
                options.signal.throwIfAborted();
                setSource(read_);
                const facts = await bulk.inspect({ object: toBase64(read_.object) }, options);
                setChoice(choiceOf(facts));
            } catch (error) {
                if (!options.signal.aborted)
                    setFailure({ title: _("The object can't be used"), error: asError(error) });
            }
        });
    };
    const load = (fullLog: boolean) => {
        if (!source || !request) return;
        if (!fullLog) setFailure(undefined);
        const whole = { ...request, object: toBase64(source.object), sourcePath: source.path, fullLog };
        run(_("Loading"), async options => {
            try {
                const { programs = [] } = await bulk.load(whole, options);
                notify(ngettext("$0 program loaded", "$0 programs loaded", programs.length));
                show(null);
            } catch (error) {
                if (!options.signal.aborted) setFailure({ title: _("The load was refused"), error: asError(error) });
            }
            live.refresh();
        });
    };
    const close = () => {
        cancel();
        show(null);
    };
    const refused = failure && choice !== undefined;
    return (
        <Modal aria-labelledby={labelId} onClose={close} focus="#load-file-button">
            <ModalHeader title={_("Load program")} labelId={labelId} />
            <ModalBody>
                <Form isHorizontal onSubmit={event => event.preventDefault()}>
                    <SourceFields source={source} isDisabled={task !== undefined} onChoose={inspect} onReset={reset} />
                    {choice && <LoadFields choice={choice} onChange={setChoice} interfaces={interfaces} />}
                </Form>
                {task && (
                    <Progress
                        className="task"
                        value={task.percent}
                        title={source ? format("$0: $1", task.title, shown(source.path)) : task.title}
                        size="sm"
                    />
                )}
                {failure && <Refusal {...failure} onFullLog={refused ? () => load(true) : undefined} />}
            </ModalBody>
            <ModalFooter>
                <Button
                    variant="primary"
                    onClick={() => load(false)}
                    isDisabled={!request || task !== undefined}
                    isLoading={task !== undefined && choice !== undefined}
                >
                    {choice?.hook ? _("Load and attach") : _("Load")}
                </Button>
                <Button variant="link" onClick={close}>
                    {_("Cancel")}
                </Button>
            </ModalFooter>
        </Modal>
    );
}

interface Task {
    readonly title: string;
    readonly percent: number;
}

interface TaskOptions {
    readonly signal: AbortSignal;
    readonly onProgress: (sent: number, total: number) => void;
}

/** One thing at a time that takes a while; a new one, or the dialog's end, aborts the one before. */
function useTask() {
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
        setTask({ title, percent: 0 });
        const onProgress = (sent: number, total: number) => {
            if (running.current === controller) setTask({ title, percent: Math.floor((100 * sent) / total) });
        };
        void body({ signal: controller.signal, onProgress }).finally(() => {
            if (running.current === controller) setTask(undefined);
        });
    };
    return { task, run, cancel };
}
