// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRoute, type Route, routePath } from "./route.ts";

test("every route survives the URL", () => {
    const routes: Route[] = [
        { view: "overview" },
        { view: "programs" },
        { view: "program", id: 12, tab: "" },
        { view: "program", id: 12, tab: "code" },
        { view: "interfaces" },
        { view: "interface", name: "eth0", netns: "" },
        { view: "interface", name: "veth 1", netns: "/run/netns/blue" },
        { view: "links" },
        { view: "link", id: 3 },
        { view: "maps" },
        { view: "map", id: 4294967295 },
        { view: "images" },
        { view: "events" },
        { view: "settings" },
    ];
    for (const route of routes) {
        const { path, options } = routePath(route);
        assert.deepEqual(parseRoute(path, options), route);
    }
});

test("what is no route shows the overview, a list's bad item the list", () => {
    for (const path of [[], ["nowhere"], ["nowhere", "12"], ["program", "twelve"]]) {
        assert.deepEqual(parseRoute(path, {}), { view: "overview" });
    }
    for (const id of ["twelve", "0", "12x"]) {
        assert.deepEqual(parseRoute(["programs", id], {}), { view: "programs" });
    }
    assert.deepEqual(parseRoute(["interfaces", "eth0"], { netns: ["a", "b"] }), {
        view: "interface",
        name: "eth0",
        netns: "",
    });
});

test("the addresses of earlier pages lead to the same program", () => {
    assert.deepEqual(parseRoute(["programs", "12"], {}), { view: "program", id: 12, tab: "" });
});
