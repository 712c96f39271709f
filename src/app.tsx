// SPDX-License-Identifier: Apache-2.0
// The page: its connection to the daemon, its tabs, the dialog and the toasts over them.
import { Nav, NavItem, NavList } from "@patternfly/react-core/dist/esm/components/Nav/index.js";
import { type ReactNode, useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { HostClient } from "../client/host-client.ts";
import { _ } from "./i18n.ts";
import { Live } from "./live.ts";
import { type Page, PageContext } from "./page.ts";
import { type Route, routeHref, useRoute } from "./route.ts";
import { cockpitDial } from "./transport.ts";
import { type Toast, Toasts } from "./ui/alert.tsx";
import { Gate } from "./views/gate.tsx";
import { InterfacesView } from "./views/interfaces.tsx";
import { ProgramView } from "./views/program.tsx";
import { ProgramsView } from "./views/programs.tsx";
import { Section } from "./views/section.tsx";

const defaultSocketPath = "/run/bpfman-sock/bpfman.sock";

export function App() {
    const admin = useAdmin();
    if (admin === null) return null;
    // a member of the socket's group needs no administrative access, so without it the session's own rights are tried
    return <Connected key={String(admin)} admin={admin} />;
}

function Connected({ admin }: { admin: boolean }) {
    const [dialog, setDialog] = useState<ReactNode>(null);
    const { toasts, notify, dismiss } = useToasts();
    const daemon = useMemo(() => {
        const dial = cockpitDial({ socketPath: socketPath(), privileged: admin });
        const client = new HostClient(dial);
        return { client, bulk: new HostClient(dial), live: new Live({ watch: signal => client.watch(signal) }) };
    }, [admin]);
    useEffect(() => {
        daemon.live.start();
        return () => {
            daemon.live.stop();
            daemon.client.close();
            daemon.bulk.close();
        };
    }, [daemon]);
    const page = useMemo<Page>(() => ({ ...daemon, admin, notify, show: setDialog }), [daemon, admin, notify]);
    const connection = useSyncExternalStore(daemon.live.subscribe, daemon.live.connection);
    const route = useRoute();
    return (
        <PageContext.Provider value={page}>
            <main className="page">
                <Tabs route={route} />
                <Gate connection={connection}>
                    <View route={route} />
                </Gate>
            </main>
            {dialog}
            <Toasts toasts={toasts} onDismiss={dismiss} />
        </PageContext.Provider>
    );
}

function Tabs({ route }: { route: Route }) {
    const programs = route.view === "programs" || route.view === "program";
    return (
        <Section className="tabs">
            <Nav variant="horizontal-subnav" aria-label={_("eBPF")}>
                <NavList>
                    <NavItem itemId="programs" isActive={programs} to={routeHref({ view: "programs" })}>
                        {_("Programs")}
                    </NavItem>
                    <NavItem itemId="interfaces" isActive={!programs} to={routeHref({ view: "interfaces" })}>
                        {_("Interfaces")}
                    </NavItem>
                </NavList>
            </Nav>
        </Section>
    );
}

function View({ route }: { route: Route }) {
    switch (route.view) {
        case "programs":
            return <ProgramsView />;
        case "program":
            return <ProgramView key={route.id} id={route.id} />;
        case "interfaces":
            return <InterfacesView />;
        case "interface":
            return <InterfacesView only={route} />;
    }
}

/** null until the session says. */
function useAdmin(): boolean | null {
    const [allowed, setAllowed] = useState<boolean | null>(null);
    useEffect(() => {
        const permission = cockpit.permission({ admin: true });
        const changed = () => setAllowed(permission.allowed);
        permission.addEventListener("changed", changed);
        changed();
        return () => {
            permission.removeEventListener("changed", changed);
            permission.close();
        };
    }, []);
    return allowed;
}

function useToasts() {
    const [toasts, setToasts] = useState<readonly Toast[]>([]);
    const notify = useCallback((text: string) => {
        setToasts(shown => [...shown, { id: (shown.at(-1)?.id ?? 0) + 1, text }]);
    }, []);
    const dismiss = useCallback((id: number) => setToasts(shown => shown.filter(toast => toast.id !== id)), []);
    return { toasts, notify, dismiss };
}

/** An administrator may point the page elsewhere: {"config": {"socket": "…"}} in /etc/cockpit/bpfman.override.json. */
function socketPath(): string {
    const configured = cockpit.manifests?.["bpfman"]?.config?.["socket"];
    return typeof configured === "string" ? configured : defaultSocketPath;
}
