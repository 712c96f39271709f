// SPDX-License-Identifier: Apache-2.0
// The configuration file's XDP mode, at real interfaces.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { refusal, xdpItem } from "../lab/items.ts";
import { Lab } from "../lab/lab.ts";

/** A daemon with this configuration, and the text's path. */
async function configured(text: string, work: (lab: Lab, path: string) => Promise<void>): Promise<void> {
    const dir = mkdtempSync(join(tmpdir(), "bpfman-config-"));
    try {
        const path = join(dir, "bpfman.toml");
        writeFileSync(path, text);
        await using lab = await Lab.start(["--config", path]);
        await work(lab, path);
    } finally {
        rmSync(dir, { recursive: true });
    }
}

const chain = async (lab: Lab) => (await lab.client.listChains({})).chains?.[0];

test("TheConfiguredModeIsTakenWhereTheCallerNamesNone", async () => {
    await configured(
        '[interfaces.veth1]\nxdp_mode = "skb"\n[interfaces.other]\nxdp_mode = "drv"\n',
        async (lab, path) => {
            const wire = lab.wire();
            const [program] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
            const [link] = await lab.attach(xdpItem(wire, program?.id, 1));
            assert.equal(link?.xdpMode, "generic");
            const shown = await chain(lab);
            assert.deepEqual(
                [shown?.mode, shown?.modeReason],
                ["generic", `interfaces.veth1.xdp_mode in ${path} is "skb"`],
            );
            const kernel = wire.inside("ip", "-d", "-j", "link", "show", wire.interface);
            // IFLA_XDP_ATTACHED of include/uapi/linux/if_link.h: 2 is XDP_ATTACHED_SKB
            assert.equal(JSON.parse(kernel)[0].xdp.mode, 2);
            // a running chain keeps its mode, and a link that leaves it open joins
            const [second] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
            assert.match(
                (await refusal(lab.attach(xdpItem(wire, second?.id, 2, { mode: "native" })))).message,
                /generic mode/,
            );
            await lab.attach(xdpItem(wire, second?.id, 2));
            assert.equal((await chain(lab))?.mode, "generic");
            await lab.client.unload({ programIds: [program?.id ?? 0, second?.id ?? 0] });

            const [third] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
            const [fixed] = await lab.attach(xdpItem(wire, third?.id, 1, { mode: "native" }));
            assert.equal(fixed?.xdpMode, "native", "the caller's own word wins");
        },
    );
});

test("NativeInTheConfigurationFallsBackWhereTheDriverRefuses", async () => {
    await configured('[interfaces.veth1]\nxdp_mode = "native"\n', async (lab, path) => {
        const wire = lab.wire();
        const [program] = await lab.load("xdp_pass", ["xdp:xdp_pass"]);
        const [link] = await lab.attach(xdpItem(wire, program?.id, 1));
        assert.equal(link?.xdpMode, "native");
        assert.equal((await chain(lab))?.modeReason, `interfaces.veth1.xdp_mode in ${path} is "native"`);
        await lab.detach(link?.id);
        // veth takes a program without frags natively while its peer's MTU fits a page (drivers/net/veth.c, veth_xdp_set)
        execFileSync("nsenter", [`--net=${wire.sender}`, "ip", "link", "set", "veth0", "mtu", "9000"]);
        const [jumbo] = await lab.attach(xdpItem(wire, program?.id, 1));
        assert.equal(jumbo?.xdpMode, "generic");
        assert.match((await chain(lab))?.modeReason ?? "", /^the driver of veth1 refused native mode \(E[A-Z]+\)$/);
    });
});

test("AJumboInterfaceRunsMembersWithFragsNatively", async () => {
    await using lab = await Lab.start();
    const wire = lab.wire();
    execFileSync("nsenter", [`--net=${wire.sender}`, "ip", "link", "set", "veth0", "mtu", "9000"]);
    const [frags, plain] = [
        await lab.load("xdp_frags", ["xdp:xdp_frags"]),
        await lab.load("xdp_pass", ["xdp:xdp_pass"]),
    ];
    const [link] = await lab.attach(xdpItem(wire, frags[0]?.id, 10));
    const shown = await chain(lab);
    assert.deepEqual(
        [link?.xdpMode, shown?.mode, shown?.modeReason ?? "", shown?.frags],
        ["native", "native", "", true],
    );
    // a member without frags would take jumbo packets away from the running chain
    const refused = await refusal(lab.attach(xdpItem(wire, plain[0]?.id, 20)));
    assert.equal(refused.code, "FAILED_PRECONDITION");
    assert.match(refused.message, /does not take multi-buffer packets/);
    assert.equal((await chain(lab))?.revision, shown?.revision);
    const more = await lab.load("xdp_frags", ["xdp:xdp_frags"]);
    await lab.attach(xdpItem(wire, more[0]?.id, 20));
    assert.deepEqual([(await chain(lab))?.mode, (await chain(lab))?.frags], ["native", true]);
});
