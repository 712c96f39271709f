// SPDX-License-Identifier: Apache-2.0
// Where the page is, kept in the URL so that Back, reload and links work:
// #/programs, #/programs/12, #/interfaces, #/interfaces/eth0?netns=/run/netns/blue
import { useEffect, useState } from "react";

export type Route =
    | { readonly view: "programs" }
    | { readonly view: "program"; readonly id: number }
    | { readonly view: "interfaces" }
    | { readonly view: "interface"; readonly name: string; readonly netns: string };

export function parseRoute(path: readonly string[], options: Readonly<Record<string, string | string[]>>): Route {
    const [tab, item] = path;
    if (tab === "interfaces") {
        if (item === undefined) return { view: "interfaces" };
        const netns = options["netns"];
        return { view: "interface", name: item, netns: typeof netns === "string" ? netns : "" };
    }
    if (item !== undefined && /^[1-9][0-9]{0,9}$/.test(item)) return { view: "program", id: Number(item) };
    return { view: "programs" };
}

export function routePath(route: Route): { path: string[]; options: Record<string, string> } {
    switch (route.view) {
        case "programs":
        case "interfaces":
            return { path: [route.view], options: {} };
        case "program":
            return { path: ["programs", String(route.id)], options: {} };
        case "interface":
            return { path: ["interfaces", route.name], options: route.netns === "" ? {} : { netns: route.netns } };
    }
}

/** For a link's href. */
export function routeHref(route: Route): string {
    const { path, options } = routePath(route);
    return `#${cockpit.location.encode(path, options)}`;
}

export function go(route: Route): void {
    const { path, options } = routePath(route);
    cockpit.location.go(path, options);
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
