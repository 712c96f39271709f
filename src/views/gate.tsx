// SPDX-License-Identifier: Apache-2.0
// What stands in place of the views while there is no connection, and says what to do.
import { type ReactNode, useEffect, useState } from "react";
import { useAdmin } from "../connection/admin.ts";
import type { Connection } from "../connection/live.ts";
import { pageVersion } from "../connection/version.ts";
import { asError } from "../dialogs/frame.tsx";
import { usePage } from "../page.ts";
import { shown } from "../text/escape.ts";
import { _, format } from "../text/i18n.ts";
import { Alert } from "../ui/alert.tsx";
import { Button } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty.tsx";
import { Icon, type IconName } from "../ui/icons.tsx";
import { Section } from "./shared/section.tsx";

const unit = "bpfman.socket";
const service = "bpfman.service";

export function Gate({ connection, children }: { connection: Connection; children: ReactNode }) {
    switch (connection.state) {
        case "absent":
            return <NotRunning />;
        case "denied":
            return <NotPermitted />;
        case "outdated":
            return <Outdated version={connection.version} />;
        case "failed":
            return <Failed message={connection.message} />;
        // what the views ask for is on its way already; each says itself that it waits
        case "connecting":
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

/** Tells systemd something, with what it says where it refuses. */
function useSystemctl() {
    const { live } = usePage();
    const [isBusy, setBusy] = useState(false);
    const [problem, setProblem] = useState("");
    const systemctl = async (...words: string[]) => {
        setBusy(true);
        setProblem("");
        try {
            await cockpit.spawn(["systemctl", ...words], { superuser: "require", err: "message" });
            live.retry();
        } catch (error) {
            setProblem(asError(error).message);
        }
        setBusy(false);
    };
    return { isBusy, problem, systemctl };
}

function TryAgain() {
    const { live } = usePage();
    return (
        <Button variant="link" onClick={() => live.retry()}>
            {_("Try again")}
        </Button>
    );
}

function NotRunning() {
    const admin = useAdmin();
    const known = useUnitKnown();
    const { isBusy, problem, systemctl } = useSystemctl();
    return (
        <State
            title={_("eBPF manager is not running")}
            icon="powerOff"
            actions={
                <>
                    {known && admin && (
                        <Button
                            variant="primary"
                            onClick={() => void systemctl("enable", "--now", unit)}
                            isLoading={isBusy}
                            isDisabled={isBusy}
                        >
                            {_("Start")}
                        </Button>
                    )}
                    <TryAgain />
                </>
            }
            moreActions={known && <Troubleshoot unit={unit} />}
        >
            {notRunningText(known, admin)}
            {problem !== "" && (
                <Alert variant="danger" title={_("It could not be started")}>
                    {shown(problem)}
                </Alert>
            )}
        </State>
    );
}

function Troubleshoot({ unit }: { unit: string }) {
    return (
        <Button variant="link" onClick={() => cockpit.jump(`/system/services#/${unit}`)}>
            {_("Troubleshoot")}
        </Button>
    );
}

function notRunningText(known: boolean | undefined, admin: boolean | null): string {
    if (known === undefined) return "";
    if (!known) return _("This machine has no service for it. An administrator can start it with “bpfman serve”.");
    if (admin) return _("Programs that are attached keep running. Start the service to see and manage them.");
    return _("Programs that are attached keep running. Starting the service needs administrative access.");
}

function Outdated({ version }: { version: string }) {
    const admin = useAdmin();
    const known = useUnitKnown();
    const { isBusy, problem, systemctl } = useSystemctl();
    return (
        <State
            title={_("The eBPF manager is older than this page")}
            icon="warning"
            actions={
                <>
                    {known && admin && (
                        <Button
                            variant="primary"
                            onClick={() => void systemctl("restart", service)}
                            isLoading={isBusy}
                            isDisabled={isBusy}
                        >
                            {_("Restart")}
                        </Button>
                    )}
                    <TryAgain />
                </>
            }
            moreActions={known && <Troubleshoot unit={service} />}
        >
            <p>
                {version === ""
                    ? _("It does not know what this page asks it for.")
                    : format(_("Version $0 runs; this page is of version $1."), shown(version), pageVersion)}
            </p>
            <p>
                {admin || !known
                    ? _("Programs that are attached keep running while it is restarted.")
                    : _("Programs that are attached keep running. Restarting the service needs administrative access.")}
            </p>
            {problem !== "" && (
                <Alert variant="danger" title={_("It could not be restarted")}>
                    {shown(problem)}
                </Alert>
            )}
        </State>
    );
}

function NotPermitted() {
    return (
        <State title={_("Not permitted to manage eBPF programs")} icon="lock" actions={<TryAgain />}>
            {_("Switch from “Limited access” to administrative access at the top of the page.")}{" "}
            {_(
                "Members of the group “bpfman” need no administrative access; a new membership counts from the next login on.",
            )}
        </State>
    );
}

function Failed({ message }: { message: string }) {
    const { live } = usePage();
    return (
        <State
            title={_("The eBPF manager does not answer")}
            icon="danger"
            actions={
                <Button variant="primary" onClick={() => live.retry()}>
                    {_("Try again")}
                </Button>
            }
        >
            {shown(message)}
        </State>
    );
}

interface StateProps {
    readonly title: string;
    readonly icon: IconName;
    readonly actions: ReactNode;
    readonly moreActions?: ReactNode;
    readonly children: ReactNode;
}

function State({ icon, children, ...rest }: StateProps) {
    return (
        <Section>
            <EmptyState level={1} icon={<Icon name={icon} />} {...rest}>
                {children}
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
