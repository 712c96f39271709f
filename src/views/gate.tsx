// SPDX-License-Identifier: Apache-2.0
// What stands in place of the views while there is no connection, and says what to do.
import { Button } from "@patternfly/react-core/dist/esm/components/Button/index.js";
import {
    EmptyState,
    EmptyStateActions,
    EmptyStateBody,
    EmptyStateFooter,
} from "@patternfly/react-core/dist/esm/components/EmptyState/index.js";
import { Spinner } from "@patternfly/react-core/dist/esm/components/Spinner/index.js";
import ExclamationCircleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon";
import LockIcon from "@patternfly/react-icons/dist/esm/icons/lock-icon";
import PowerOffIcon from "@patternfly/react-icons/dist/esm/icons/power-off-icon";
import { type ComponentType, type ReactNode, useEffect, useState } from "react";
import { shown } from "../escape.ts";
import { _ } from "../i18n.ts";
import type { Connection } from "../live.ts";
import { usePage } from "../page.ts";
import { Alert } from "../ui/alert.tsx";
import { Section } from "./section.tsx";

const unit = "bpfman.socket";

export function Gate({ connection, children }: { connection: Connection; children: ReactNode }) {
    switch (connection.state) {
        case "connecting":
            return <Loading />;
        case "absent":
            return <NotRunning />;
        case "denied":
            return <NotPermitted />;
        case "failed":
            return <Failed message={connection.message} />;
        case "ready":
            return children;
        case "reconnecting":
            return (
                <>
                    <Section>
                        <Alert
                            variant="warning"
                            title={_("The connection to the eBPF manager was lost. Reconnecting…")}
                        >
                            {_("What is shown below may be out of date.")}
                        </Alert>
                    </Section>
                    {children}
                </>
            );
    }
}

export function Loading() {
    return (
        <Section>
            <EmptyState headingLevel="h1" titleText={_("Loading…")} icon={LoadingIcon} />
        </Section>
    );
}

function LoadingIcon() {
    return <Spinner aria-label={_("Loading…")} />;
}

function NotRunning() {
    const { admin, live } = usePage();
    const known = useUnitKnown();
    const [busy, setBusy] = useState(false);
    const [problem, setProblem] = useState("");
    const start = async () => {
        setBusy(true);
        setProblem("");
        try {
            await cockpit.spawn(["systemctl", "enable", "--now", unit], { superuser: "require", err: "message" });
            live.retry();
        } catch (error) {
            setProblem(error instanceof Error ? error.message : cockpit.message(error as cockpit.Problem));
        }
        setBusy(false);
    };
    return (
        <State title={_("eBPF manager is not running")} icon={PowerOffIcon}>
            <EmptyStateBody>{notRunningText(known, admin)}</EmptyStateBody>
            {problem !== "" && (
                <Alert variant="danger" title={_("It could not be started")}>
                    {shown(problem)}
                </Alert>
            )}
            <EmptyStateFooter>
                <EmptyStateActions>
                    {known && admin && (
                        <Button variant="primary" onClick={() => void start()} isLoading={busy} isDisabled={busy}>
                            {_("Start")}
                        </Button>
                    )}
                    <Button variant="link" onClick={() => live.retry()}>
                        {_("Try again")}
                    </Button>
                </EmptyStateActions>
                {known && (
                    <EmptyStateActions>
                        <Button variant="link" onClick={() => cockpit.jump(`/system/services#/${unit}`)}>
                            {_("Troubleshoot")}
                        </Button>
                    </EmptyStateActions>
                )}
            </EmptyStateFooter>
        </State>
    );
}

function notRunningText(known: boolean | undefined, admin: boolean | null): string {
    if (known === undefined) return "";
    if (!known) return _("This machine has no service for it. An administrator can start it with “bpfman serve”.");
    if (admin) return _("Programs that are attached keep running. Start the service to see and manage them.");
    return _("Programs that are attached keep running. Starting the service needs administrative access.");
}

function NotPermitted() {
    const { live } = usePage();
    return (
        <State title={_("Not permitted to manage eBPF programs")} icon={LockIcon}>
            <EmptyStateBody>
                {_("Switch from “Limited access” to administrative access at the top of the page.")}{" "}
                {_(
                    "Members of the group “bpfman” need no administrative access; a new membership counts from the next login on.",
                )}
            </EmptyStateBody>
            <EmptyStateFooter>
                <EmptyStateActions>
                    <Button variant="link" onClick={() => live.retry()}>
                        {_("Try again")}
                    </Button>
                </EmptyStateActions>
            </EmptyStateFooter>
        </State>
    );
}

function Failed({ message }: { message: string }) {
    const { live } = usePage();
    return (
        <State title={_("The eBPF manager does not answer")} icon={ExclamationCircleIcon}>
            <EmptyStateBody>{shown(message)}</EmptyStateBody>
            <EmptyStateFooter>
                <EmptyStateActions>
                    <Button variant="primary" onClick={() => live.retry()}>
                        {_("Try again")}
                    </Button>
                </EmptyStateActions>
            </EmptyStateFooter>
        </State>
    );
}

function State(props: { title: string; icon: ComponentType; children: ReactNode }) {
    return (
        <Section>
            <EmptyState headingLevel="h1" titleText={props.title} icon={props.icon}>
                {props.children}
            </EmptyState>
        </Section>
    );
}

/** Whether systemd runs here and has the unit; undefined until that is known. */
function useUnitKnown(): boolean | undefined {
    const [known, setKnown] = useState<boolean>();
    useEffect(() => {
        let current = true;
        cockpit.spawn(["systemctl", "show", "--value", "--property=LoadState", unit], { err: "ignore" }).then(
            state => current && setKnown(state.trim() === "loaded"),
            () => current && setKnown(false),
        );
        return () => {
            current = false;
        };
    }, []);
    return known;
}
