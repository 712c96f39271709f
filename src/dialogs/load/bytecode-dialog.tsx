// SPDX-License-Identifier: Apache-2.0
// The frame of dialogs that do something with bytecode: where it comes from, what is chosen of it, how far it is.
import { type ReactNode, useId } from "react";
import { usePage } from "../../page.ts";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { Button } from "../../ui/button.tsx";
import { Form } from "../../ui/form.tsx";
import { Modal, ModalBody, ModalFooter, ModalHeader } from "../../ui/modal.tsx";
import { Progress } from "../../ui/progress.tsx";
import { Refusal } from "../../views/shared/refusal.tsx";
import { SourceFields } from "./load-source.tsx";
import { sourceName } from "./source.ts";
import type { Bytecode } from "./use-bytecode.ts";

interface BytecodeDialogProps {
    readonly title: string;
    /** of the primary button */
    readonly action: string;
    readonly description?: ReactNode;
    readonly bytecode: Bytecode;
    /** an image to begin with */
    readonly image?: string;
    /** undefined while it can't be done yet */
    readonly onAct: ((fullLog: boolean) => void) | undefined;
    /** what can be chosen of the bytecode */
    readonly fields: ReactNode;
    /** below the form */
    readonly children: ReactNode;
}

export function BytecodeDialog(props: BytecodeDialogProps) {
    const { bytecode, image = "", onAct } = props;
    const { source, failure, task, cancel } = bytecode;
    const { show } = usePage();
    const labelId = useId();
    const close = () => {
        cancel();
        show(null);
    };
    const act = (fullLog: boolean) => {
        if (!fullLog) bytecode.forgetFailure();
        onAct?.(fullLog);
    };
    return (
        <Modal aria-labelledby={labelId} onClose={close} focus={image === "" ? "#load-file-button" : "#load-pull"}>
            <ModalHeader title={props.title} labelId={labelId} description={props.description} />
            <ModalBody>
                <Form isHorizontal>
                    <SourceFields
                        source={source}
                        image={image}
                        isDisabled={task !== undefined}
                        onChoose={bytecode.inspect}
                        onPull={bytecode.pull}
                        onReset={bytecode.reset}
                    />
                    {props.fields}
                </Form>
                {props.children}
                {task && (
                    <Progress
                        className="task"
                        {...task}
                        {...(source && { title: format("$0: $1", task.title, shown(sourceName(source))) })}
                    />
                )}
                {failure && <Refusal {...failure} onFullLog={onAct && (() => act(true))} />}
            </ModalBody>
            <ModalFooter>
                <Button
                    variant="primary"
                    onClick={() => act(false)}
                    isDisabled={!onAct || task !== undefined}
                    isLoading={task !== undefined && onAct !== undefined}
                >
                    {props.action}
                </Button>
                <Button variant="link" onClick={close}>
                    {_("Cancel")}
                </Button>
            </ModalFooter>
        </Modal>
    );
}
