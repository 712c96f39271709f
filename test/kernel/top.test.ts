// SPDX-License-Identifier: Apache-2.0
// `bpfman top` on a real terminal, and where there is none.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { suite } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { bpfman } from "../lab/command.ts";
import { xdpItem } from "../lab/items.ts";
import type { Lab } from "../lab/lab.ts";
import { main } from "../lab/main.ts";
import type { Wire } from "../lab/namespaces.ts";
import { Pty } from "../lab/pty.ts";
import { sharedLab } from "../lab/shared-lab.ts";

const size = { columns: 120, rows: 16 };
/** how the command ended, and whether the terminal is as shells want it: lines and echo */
const after = `echo "status $?"; stty -a | grep -o -- "-*icanon\\|-*echo "`;

function onTerminal(lab: Lab, ...words: string[]): Pty {
    const command = [process.execPath, main, "top", "--runtime-dir", lab.runtimeDir, "-d", "250ms", ...words].join(" ");
    return new Pty(`${command}; ${after}`, size);
}

async function dropChain(lab: Lab): Promise<Wire> {
    const wire = lab.wire();
    const [first] = await lab.load("xdp_sequence", ["xdp:xdp_sequence_0"]);
    const [fourth] = await lab.load("every_fourth", ["xdp:xdp_every_fourth"]);
    await lab.attach(xdpItem(wire, first?.id, 10), xdpItem(wire, fourth?.id, 20));
    return wire;
}

/** The command's end is heard of a moment later. */
async function untilQuiet(lab: Lab): Promise<void> {
    for (let waited = 0; lab.pins("xdp").some(name => name.endsWith("_counting")) && waited < 500; waited++)
        await sleep(10);
    for (let waited = 0; waited < 500; waited++) {
        try {
            return lab.assertNoDescriptors();
        } catch {
            await sleep(10);
        }
    }
}

suite("bpfman top", () => {
    const labTest = sharedLab();

    labTest("OnATerminalItDrawsTakesKeysAndGivesTheTerminalBack", async lab => {
        const wire = await dropChain(lab);
        const flood = wire.ping(100_000, { intervalSeconds: 0.005, waitSeconds: 0.1 });
        try {
            await using pty = onTerminal(lab);
            const has = (pattern: RegExp) => () => pty.screen().some(line => pattern.test(line));
            await pty.until(has(/chain of veth1 +2 links +[1-9].*drop [1-9].*pass [1-9]/), "chain with verdicts");
            await pty.until(has(/^ *\d+ +1 xdp_every_fourth +link \d+ +[1-9].*drop/), "slot with verdicts");
            assert.ok(has(/NS\/RUN +CPU%\*/)(), "sorted by CPU");
            assert.ok(pty.screen().length <= size.rows);
            assert.ok(pty.screen().every(line => line.length <= size.columns));
            pty.type("s");
            await pty.until(has(/RUNS\/S\*/), "another sort column");
            pty.type("\x1b[D");
            await pty.until(has(/CPU%\*/), "the column before");
            pty.type("p");
            await pty.until(has(/PAUSED/), "pause");
            const paused = pty.screen()[0];
            await sleep(600);
            assert.equal(pty.screen()[0], paused, "a pause shows the same look");
            pty.type("p");
            await pty.until(() => pty.screen()[0] !== paused && !has(/PAUSED/)(), "going on");
            pty.type("h");
            await pty.until(has(/turn the order around/), "help");
            pty.type("h");
            pty.resize(60, 8);
            const fits = () => pty.screen().length <= 8 && pty.screen().every(line => line.length <= 60);
            await pty.until(fits, "a smaller frame");
            pty.type("q");
            assert.match(await pty.rest(), /status 0\s+icanon\s+echo /);
            // nothing was blanked: each frame was drawn over the one before
            // biome-ignore lint/suspicious/noControlCharactersInRegex: what clears a screen
            assert.doesNotMatch(pty.output, /\x1b\[2J/);
        } finally {
            flood.stop();
            await flood.result;
        }
        await untilQuiet(lab);
    });

    labTest("EveryWayOutGivesTheTerminalBack", async lab => {
        await dropChain(lab);
        const signals = [
            ["SIGTERM", 143],
            ["SIGHUP", 129],
            ["SIGINT", 130],
        ] as const;
        for (const [signal, status] of signals) {
            await using pty = onTerminal(lab);
            await pty.until(() => pty.screen().some(line => line.includes("chain of veth1")), "chain");
            const device = pty.device.replace("/dev/", "");
            const pid = execFileSync("pgrep", ["-t", device, "-f", `${main} top`], { encoding: "utf8" });
            process.kill(Number(pid.trim().split("\n").at(-1)), signal);
            assert.match(await pty.rest(), new RegExp(`status ${status}\\s+icanon\\s+echo `), signal);
        }
        {
            await using pty = onTerminal(lab);
            await pty.until(() => pty.screen().some(line => line.includes("chain of veth1")), "chain");
            pty.type("\x03");
            assert.match(await pty.rest(), /status 0\s+icanon\s+echo /, "Ctrl-C");
        }
        {
            await using pty = onTerminal(lab, "--count", "2");
            assert.match(await pty.rest(), /status 0\s+icanon\s+echo /, "the count is reached");
        }
        {
            await using pty = onTerminal(lab);
            await pty.until(() => pty.screen().some(line => line.includes("chain of veth1")), "chain");
            await lab.stopDaemon("SIGKILL");
            assert.match(await pty.rest(), /status 1\s+icanon\s+echo /, "the daemon went");
            await lab.startDaemon();
        }
        await untilQuiet(lab);
    });

    labTest("ElsewhereItPrintsTablesOrLinesOfJson", async lab => {
        const wire = await dropChain(lab);
        const flood = wire.ping(100_000, { intervalSeconds: 0.005, waitSeconds: 0.1 });
        const tables = await bpfman(lab, "top", "--interval", "500ms", "--count", 2);
        assert.deepEqual([tables.status, tables.err], [0, ""]);
        assert.equal(tables.out.match(/^bpfman top /gm)?.length, 2);
        assert.match(tables.out, /chain of veth1 +2 links/);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: none is to be there
        assert.doesNotMatch(tables.out, /\x1b/);
        const json = await bpfman(lab, "top", "--interval", "500ms", "--count", 3, "--json");
        assert.equal(json.status, 0);
        const records = json.out
            .trim()
            .split("\n")
            .map(line => JSON.parse(line));
        assert.equal(records.length, 3);
        const { programs, chains, interval_ms } = records[2];
        assert.ok(interval_ms >= 400);
        const [chain] = chains;
        assert.deepEqual([chain.type, chain.interface, chain.unmeasured], ["xdp", "veth1", ""]);
        assert.deepEqual(
            chain.verdicts.map(({ name }: { name: string }) => name),
            ["drop", "pass"],
        );
        assert.ok(chain.packets > 0);
        const member = programs.find(({ id }: { id: number }) => id === chain.slots[1].program_id);
        assert.deepEqual([member.name, member.by_chain], ["xdp_every_fourth", true]);
        assert.equal(member.runs, chain.slots[1].runs);
        const plain = await bpfman(lab, "top", "--interval", "250ms", "--count", 1, "--json", "--no-chains");
        assert.deepEqual(JSON.parse(plain.out).chains, []);
        flood.stop();
        await flood.result;
        await untilQuiet(lab);
    });

    labTest("WrongOptionsAreToldInOneSentence", async lab => {
        const sort = await bpfman(lab, "top", "--sort", "colour");
        assert.equal(sort.status, 1);
        assert.match(sort.err, /colour/);
        const quick = await bpfman(lab, "top", "--interval", "10ms");
        assert.equal(quick.status, 1);
        assert.match(quick.err, /every 250 to 3600000 ms, not every 10/);
    });
});
