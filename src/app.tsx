// SPDX-License-Identifier: Apache-2.0
// The page: its connection to the daemon, its tabs, the dialog and the toasts over them.
import {
    memo,
    type ReactNode,
    useCallback,
    useEffect,
    useLayoutEffect,
    useMemo,
    useState,
    useSyncExternalStore,
} from "react";
import { HostClient } from "../client/host-client.ts";
import type { EventJson } from "../proto/gen/bpfman/host/v1/host_pb.js";
import { useAdmin } from "./connection/admin.ts";
import { Live } from "./connection/live.ts";
import { cockpitDial } from "./connection/transport.ts";
import { isOlder, OutdatedError, pageVersion } from "./connection/version.ts";
import { type Page, PageContext } from "./page.ts";
import { routeHref, routePath, useRoute } from "./route.ts";
import { _ } from "./text/i18n.ts";
import { type Toast, Toasts } from "./ui/alert.tsx";
import { NavBar } from "./ui/nav.tsx";
import { Gate } from "./views/gate.tsx";
import { Section } from "./views/shared/section.tsx";
import { shownBy, tabs } from "./views/tabs.tsx";

const defaultSocketPath = "/run/bpfman-sock/bpfman.sock";

export function App() {
    const admin = useAdmin();
    // a member of the socket's group needs no administrative access, so without it the session's own rights are tried
    return <Connected key={String(admin !== false)} admin={admin} />;
}

function Connected({ admin }: { admin: boolean | null }) {
    const daemon = useDaemon(admin !== false);
    // asked before the session had said that it may
    useEffect(() => {
        if (admin) daemon.live.retry();
    }, [daemon, admin]);
    return <Shown daemon={daemon} />;
}

interface Daemon {
    readonly client: HostClient;
    readonly bulk: HostClient;
    readonly live: Live;
}

function useDaemon(privileged: boolean): Daemon {
    const daemon = useMemo(() => {
        const dial = cockpitDial({ socketPath: socketPath(), privileged });
        const client = new HostClient(dial);
        return { client, bulk: new HostClient(dial), live: new Live({ watch: signal => watch(client, signal) }) };
    }, [privileged]);
    // before the first paint: the daemon answers while the browser draws
    useLayoutEffect(() => {
        daemon.live.start();
        return () => {
            daemon.live.stop();
            daemon.client.close();
            daemon.bulk.close();
        };
    }, [daemon]);
    return daemon;
}

// the session's rights change what it asks, not what it shows
const Shown = memo(function Shown({ daemon }: { daemon: Daemon }) {
    const [dialog, setDialog] = useState<ReactNode>(null);
    const { toasts, notify, dismiss } = useToasts();
    const page = useMemo<Page>(() => ({ ...daemon, notify, show: setDialog }), [daemon, notify]);
    const connection = useSyncExternalStore(daemon.live.subscribe, daemon.live.connection);
    const route = useRoute();
    const { tab, content } = shownBy(route);
    const place = routePath(route).path.join("/");
    // a dialog belongs to what it was opened on: it goes with Back, and with its own links
    // biome-ignore lint/correctness/useExhaustiveDependencies: at each other place
    useEffect(() => setDialog(null), [place]);
    return (
        <PageContext.Provider value={page}>
            <main className="page">
                <Section className="tabs">
                    <NavBar label={_("eBPF")} items={navItems()} current={tab} />
                </Section>
                <Gate connection={connection}>{content()}</Gate>
            </main>
            {dialog}
            <Toasts toasts={toasts} onDismiss={dismiss} />
        </PageContext.Provider>
    );
});

/** As the client's, but of a daemon that knows what this page asks for. */
async function* watch(client: HostClient, signal: AbortSignal): AsyncIterable<EventJson> {
    for await (const event of client.watch(signal)) {
        const { kind, version = "" } = event;
        if (kind === "READY" && isOlder(version, pageVersion)) throw new OutdatedError(version);
        yield event;
    }
}

function navItems() {
    return tabs.map(({ tab, title }) => ({ id: tab, href: routeHref({ view: tab }), title: _(title) }));
}

function useToasts() {
    const [toasts, setToasts] = useState<readonly Toast[]>([]);
    const notify = useCallback<Page["notify"]>((text, variant = "success") => {
        setToasts(shown => [...shown, { id: (shown.at(-1)?.id ?? 0) + 1, text, variant }]);
    }, []);
    const dismiss = useCallback((id: number) => setToasts(shown => shown.filter(toast => toast.id !== id)), []);
    return { toasts, notify, dismiss };
}

/** An administrator may point the page elsewhere: {"config": {"socket": "…"}} in /etc/cockpit/bpfman.override.json. */
function socketPath(): string {
    const configured = cockpit.manifests?.["bpfman"]?.config?.["socket"];
    return typeof configured === "string" ? configured : defaultSocketPath;
}
