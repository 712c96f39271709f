// SPDX-License-Identifier: Apache-2.0
// Loads programs of an object: choose its source, look inside, choose programs, load and perhaps attach.
import { Form } from "@patternfly/react-core/dist/esm/components/Form/index.js";
import { useId, useState } from "react";
import type { ImageSourceJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { shown } from "../escape.ts";
import { _, format, ngettext } from "../i18n.ts";
import { useInterfaces, usePage } from "../page.ts";
import { Button } from "../ui/button.tsx";
import { Modal, ModalBody, ModalFooter, ModalHeader } from "../ui/modal.tsx";
import { Refusal } from "../views/refusal.tsx";
import { SessionWarning } from "../views/session-warning.tsx";
import { asError } from "./frame.tsx";
import { interfaceOfChoice } from "./hook-choice.ts";
import { choiceOf, type LoadChoice, loadRequest } from "./load-choice.ts";
import { LoadFields } from "./load-fields.tsx";
import { SourceFields } from "./load-source.tsx";
import { pullImage } from "./pull.ts";
import { bytecodeOf, type ObjectSource, type Source, sourceName } from "./source.ts";
import { type TaskOptions, useTask } from "./task.ts";
import { TaskProgress } from "./task-progress.tsx";

interface Failure {
    readonly title: string;
    readonly error: Error;
}

/** image: one to begin with */
export function LoadDialog({ image = "" }: { image?: string }) {
    const { bulk, live, notify, show } = usePage();
    const labelId = useId();
    const interfaces = useInterfaces().value ?? [];
    const [source, setSource] = useState<Source>();
    const [choice, setChoice] = useState<LoadChoice>();
    const [failure, setFailure] = useState<Failure>();
    const { task, run, cancel } = useTask();
    const request = choice && loadRequest(choice, interfaces);
    const iface = choice?.hook && interfaceOfChoice(choice.hook, interfaces);
    const place = iface && { interface: iface.name, netns: iface.netns };

    const reset = () => {
        cancel();
        setSource(undefined);
        setChoice(undefined);
        setFailure(undefined);
    };
    const failed = (title: string, error: unknown, { signal }: TaskOptions) => {
        if (!signal.aborted) setFailure({ title, error: asError(error) });
    };
    const lookInto = async (found: Source, options: TaskOptions) => {
        options.signal.throwIfAborted();
        setSource(found);
        const { sourcePath: _path, ...bytecode } = bytecodeOf(found);
        setChoice(choiceOf(await bulk.inspect(bytecode, options)));
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
            }
        });
    };
    const load = (fullLog: boolean) => {
        if (!source || !request) return;
        if (!fullLog) setFailure(undefined);
        const whole = { ...request, ...bytecodeOf(source), fullLog };
        run(_("Loading"), async options => {
            try {
                const { programs = [] } = await bulk.load(whole, options);
                notify(ngettext("$0 program loaded", "$0 programs loaded", programs.length));
                show(null);
            } catch (error) {
                failed(_("The load was refused"), error, options);
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
        <Modal aria-labelledby={labelId} onClose={close} focus={image === "" ? "#load-file-button" : "#load-pull"}>
            <ModalHeader title={_("Load program")} labelId={labelId} />
            <ModalBody>
                <Form isHorizontal onSubmit={event => event.preventDefault()}>
                    <SourceFields
                        source={source}
                        image={image}
                        isDisabled={task !== undefined}
                        onChoose={inspect}
                        onPull={pull}
                        onReset={reset}
                    />
                    {choice && <LoadFields choice={choice} onChange={setChoice} interfaces={interfaces} />}
                </Form>
                {place && <SessionWarning places={[place]} change="attach" />}
                {task && <TaskProgress task={task} {...(source && { title: progressTitle(task.title, source) })} />}
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

function progressTitle(title: string, source: Source): string {
    return format("$0: $1", title, shown(sourceName(source)));
}
