// SPDX-License-Identifier: Apache-2.0
// Where the page is, kept in the URL so that Back, reload and links work:
// #/overview, #/programs, #/program/12, #/program/12/code, #/interfaces/eth0?netns=/run/netns/blue, #/map/3, …
import { useEffect, useState } from "react";

const tabNames = ["overview", "programs", "interfaces", "links", "maps", "images", "events", "settings"] as const;

/** In the order that they are shown in. */
export type Tab = (typeof tabNames)[number];

export type Route =
    | { readonly [T in Tab]: { readonly view: T } }[Tab]
    /** tab: of the program's own; empty: the first */
    | { readonly view: "program"; readonly id: number; readonly tab: string }
    | { readonly view: "map"; readonly id: number }
    | { readonly view: "link"; readonly id: number }
    | { readonly view: "interface"; readonly name: string; readonly netns: string };

export type View = Route["view"];

type Options = Readonly<Record<string, string | string[]>>;

export function parseRoute(path: readonly string[], options: Options): Route {
    const [first = "", item, tab = ""] = path;
    if (first === "interfaces" && item !== undefined) {
        const netns = options["netns"];
        return { view: "interface", name: item, netns: typeof netns === "string" ? netns : "" };
    }
    // a list's name stands for its items too, as in the page's earlier addresses
    const view = first.replace(/^(program|map|link)s$/, "$1");
    if (item !== undefined && /^[1-9][0-9]{0,9}$/.test(item)) {
        const id = Number(item);
        if (view === "program") return { view, id, tab };
        if (view === "map" || view === "link") return { view, id };
    }
    return { view: isTab(first) ? first : "overview" };
}

function isTab(word: string): word is Tab {
    return (tabNames as readonly string[]).includes(word);
}

export function routePath(route: Route): { path: string[]; options: Record<string, string> } {
    switch (route.view) {
        case "program":
            return { path: ["program", String(route.id), ...(route.tab === "" ? [] : [route.tab])], options: {} };
        case "map":
        case "link":
            return { path: [route.view, String(route.id)], options: {} };
        case "interface":
            return { path: ["interfaces", route.name], options: route.netns === "" ? {} : { netns: route.netns } };
        default:
            return { path: [route.view], options: {} };
    }
}

/** For a link's href. */
export function routeHref(route: Route): string {
    const { path, options } = routePath(route);
    return `#${cockpit.location.encode(path, options)}`;
}

export function programHref(id: number, tab = ""): string {
    return routeHref({ view: "program", id, tab });
}

export function go(route: Route): void {
    const { path, options } = routePath(route);
    cockpit.location.go(path, options);
}

/** As go, in place of the entry that Back would lead to. */
export function goInstead(route: Route): void {
    const { path, options } = routePath(route);
    cockpit.location.replace(path, options);
}

export function useRoute(): Route {
    const [route, setRoute] = useState(current);
    useEffect(() => {
        const changed = () => setRoute(current());
        cockpit.addEventListener("locationchanged", changed);
        return () => cockpit.removeEventListener("locationchanged", changed);
    }, []);
    return route;
}

function current(): Route {
    return parseRoute(cockpit.location.path, cockpit.location.options);
}
