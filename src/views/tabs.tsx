// SPDX-License-Identifier: Apache-2.0
// The page's tabs in their order, and what each shows: the list, and the details that its items lead to.
import type { ReactNode } from "react";
import type { Route, Tab, View } from "../route.ts";
import { N_ } from "../text/i18n.ts";
import { EventsView } from "./events.tsx";
import { ImagesView } from "./images.tsx";
import { InterfacesView } from "./interfaces/interfaces.tsx";
import { LinkView } from "./links/link.tsx";
import { LinksView } from "./links/links.tsx";
import { MapView } from "./maps/map.tsx";
import { MapsView } from "./maps/maps.tsx";
import { OverviewView } from "./overview/overview.tsx";
import { ProgramView } from "./programs/program.tsx";
import { ProgramsView } from "./programs/programs.tsx";
import { SettingsView } from "./settings.tsx";

interface TabEntry {
    readonly tab: Tab;
    readonly title: string;
    readonly views: { readonly [V in View]?: (route: Extract<Route, { view: V }>) => ReactNode };
}

const overview: TabEntry = {
    tab: "overview",
    title: N_("Overview"),
    views: { overview: () => <OverviewView /> },
};

const programs: TabEntry = {
    tab: "programs",
    title: N_("Programs"),
    views: {
        programs: () => <ProgramsView />,
        program: ({ id, tab }) => <ProgramView key={id} id={id} tab={tab} />,
    },
};

/** The first is where the page begins. */
export const tabs: readonly TabEntry[] = [
    overview,
    programs,
    {
        tab: "interfaces",
        title: N_("Interfaces"),
        views: {
            interfaces: () => <InterfacesView />,
            interface: route => <InterfacesView only={route} />,
        },
    },
    {
        tab: "links",
        title: N_("Links"),
        views: { links: () => <LinksView />, link: ({ id }) => <LinkView key={id} id={id} /> },
    },
    {
        tab: "maps",
        title: N_("Maps"),
        views: {
            maps: () => <MapsView />,
            map: ({ id }) => <MapView key={id} id={id} />,
        },
    },
    { tab: "images", title: N_("Images"), views: { images: () => <ImagesView /> } },
    { tab: "events", title: N_("Events"), views: { events: () => <EventsView /> } },
    { tab: "settings", title: N_("Settings"), views: { settings: () => <SettingsView /> } },
];

export interface Shown {
    readonly tab: Tab;
    readonly content: () => ReactNode;
}

export function shownBy(route: Route): Shown {
    for (const { tab, views } of tabs) {
        // the table's type pairs each name with its route
        const render = views[route.view] as ((route: Route) => ReactNode) | undefined;
        if (render) return { tab, content: () => render(route) };
    }
    return { tab: overview.tab, content: () => <OverviewView /> };
}
