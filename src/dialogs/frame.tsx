// SPDX-License-Identifier: Apache-2.0
// What all dialogs share: one action that runs, fails inline, or closes the dialog.
import { type ReactNode, useId, useState } from "react";
import { CallError } from "../../client/errors.ts";
import type { BatchResponseJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { usePage } from "../page.ts";
import { _ } from "../text/i18n.ts";
import { Button } from "../ui/button.tsx";
import { Modal, ModalBody, ModalFooter, ModalHeader } from "../ui/modal.tsx";
import { Refusal } from "../views/shared/refusal.tsx";

interface ActionDialogProps {
    readonly title: string;
    /** the primary button's label */
    readonly action: string;
    /** what the inline alert is headed when the action fails */
    readonly failure: string;
    /** throws what is to be shown; fullLog asks for the verifier's whole log. The dialog closes when it is done. */
    readonly run: (fullLog: boolean) => Promise<void>;
    readonly isDanger?: boolean;
    readonly isDisabled?: boolean;
    readonly size?: "small" | "medium" | "large";
    /** selector of the field to begin with */
    readonly focus?: string;
    readonly children: ReactNode;
}

export function ActionDialog(props: ActionDialogProps) {
    const { show, live } = usePage();
    const labelId = useId();
    const [busy, setBusy] = useState(false);
    const [error, setError] = useState<Error>();
    const close = () => show(null);
    const run = async (fullLog: boolean) => {
        setBusy(true);
        if (!fullLog) setError(undefined);
        try {
            await props.run(fullLog);
            close();
        } catch (cause) {
            setError(asError(cause));
            setBusy(false);
        }
        live.refresh();
    };
    return (
        <Modal
            size={props.size ?? "medium"}
            aria-labelledby={labelId}
            onClose={() => !busy && close()}
            focus={props.focus}
        >
            <ModalHeader title={props.title} labelId={labelId} isDanger={props.isDanger} />
            <ModalBody>
                {props.children}
                {error && <Refusal title={props.failure} error={error} onFullLog={() => void run(true)} />}
            </ModalBody>
            <ModalFooter>
                <Button
                    variant={props.isDanger ? "danger" : "primary"}
                    onClick={() => void run(false)}
                    isDisabled={busy || (props.isDisabled ?? false)}
                    isLoading={busy}
                >
                    {props.action}
                </Button>
                <Button variant="link" onClick={close} isDisabled={busy}>
                    {_("Cancel")}
                </Button>
            </ModalFooter>
        </Modal>
    );
}

/** For what was done without a dialog of its own. */
export function FailureDialog({ title, error }: { title: string; error: unknown }) {
    const { show } = usePage();
    const labelId = useId();
    return (
        <Modal aria-labelledby={labelId} onClose={() => show(null)}>
            <ModalHeader title={title} labelId={labelId} />
            <ModalBody>
                <Refusal title={title} error={asError(error)} />
            </ModalBody>
            <ModalFooter>
                <Button variant="secondary" onClick={() => show(null)}>
                    {_("Close")}
                </Button>
            </ModalFooter>
        </Modal>
    );
}

/** A batch of one: its failure is the call's. */
export function throwFailure({ failures = [] }: BatchResponseJson): void {
    const [failure] = failures;
    if (failure) throw new CallError(failure.code ?? "UNKNOWN", failure.message ?? "", failure.detail);
}

export function asError(cause: unknown): Error {
    if (cause instanceof Error) return cause;
    return new Error(cockpit.message(typeof cause === "object" && cause !== null ? cause : { message: String(cause) }));
}
