// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRoute, type Route, routePath } from "./route.ts";

test("every route survives the URL", () => {
    const routes: Route[] = [
        { view: "programs" },
        { view: "program", id: 12 },
        { view: "interfaces" },
        { view: "interface", name: "eth0", netns: "" },
        { view: "interface", name: "veth 1", netns: "/run/netns/blue" },
    ];
    for (const route of routes) {
        const { path, options } = routePath(route);
        assert.deepEqual(parseRoute(path, options), route);
    }
});

test("what is no route shows the programs", () => {
    for (const path of [[], ["nowhere"], ["programs", "twelve"], ["programs", "0"], ["programs", "12x"]]) {
        assert.deepEqual(parseRoute(path, {}), { view: "programs" });
    }
    assert.deepEqual(parseRoute(["interfaces", "eth0"], { netns: ["a", "b"] }), {
        view: "interface",
        name: "eth0",
        netns: "",
    });
});
