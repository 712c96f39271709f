// SPDX-License-Identifier: Apache-2.0
// Figures of this project beside those of what users would pick instead, all of one run: `npm run bench`.
// `node test/bench/bench.ts quick` leaves the VM out and measures fewer rounds; `write` also puts a run into docs/bench.md.
// Exits with 1 where a figure or its peer's is missing; a target that is not met is told, and changes nothing.
import "./environment.ts";
import { readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Lab } from "../lab/lab.ts";
import { findKernel, type Kernel } from "../vm/kernel.ts";
import { runInVm } from "../vm/vm.ts";
import { ourBundle, podmanBundle } from "./bundle.ts";
import { measureCommands, commandNames as names } from "./commands.ts";
import { measureCalls, measureFeatures, measureList, measureMemory } from "./daemon.ts";
import { atMost, incomplete, markdown, type Row, type Table, type Target, targetList } from "./figures.ts";
import { measureImages } from "./images.ts";
import { attachedChain, candidate, lengths, libxdpStubs, opened, passingPrograms, tailCallChain } from "./packets.ts";
import { measurePage } from "./page.ts";
import { type Candidate, inTurn } from "./rounds.ts";

type Figures = ReadonlyMap<string, number>;

/** what follows in docs/bench.md is a run's */
const marker = "<!-- figures -->";
/** The one with a long life; outside Debian there is the system's own alone. */
function vmKernel(): Kernel {
    for (const kernel of [findKernel("6.12"), findKernel("newest")]) if (typeof kernel !== "string") return kernel;
    throw new Error("there is no kernel to boot");
}

const quick = process.argv.includes("quick");
const tables: Table[] = [];
const targets: Target[] = [];
const say = (text: string) => process.stderr.write(`bench: ${text} …\n`);
const figure = (figures: Figures, name: string) => figures.get(name) ?? Number.NaN;

/** The four commands of ours, each beside its peers. */
function commandRows(figures: Figures, loader: "beside xdp-loader" | "without"): Row[] {
    const rows = [
        [names.list, names.bpftoolList, names.loaderStatus],
        [names.load, names.bpftoolLoad, names.loaderLoad],
        [names.attach, names.bpftoolAttach, names.loaderLoad],
        [names.loadAttach, undefined, names.loaderLoad],
    ] as const;
    return rows.map(([ours, tool, other]) => ({
        what: `\`${ours}\``,
        ours: figure(figures, ours),
        peers: {
            "`node -e 0`": figures.get(names.node),
            "`bpftool` the same": tool === undefined ? both(figures) : figures.get(tool),
            ...(loader === "without" ? {} : { "`xdp-loader` status, load": figures.get(other) }),
        },
    }));
}

const both = (figures: Figures) => figure(figures, names.bpftoolLoad) + figure(figures, names.bpftoolAttach);

async function commandsHere(lab: Lab): Promise<Figures> {
    say("whole commands");
    const figures = await measureCommands(lab, { rounds: quick ? 5 : 25, xdpLoader: false });
    tables.push({
        title: "Whole commands, on this machine",
        unit: "ms",
        decimals: 1,
        note: "From start to end, the daemon serves. `bpftool` cannot order several programs; it is what shows and does the same for one.",
        rows: commandRows(figures, "without"),
    });
    const ratio = figure(figures, names.list) / figure(figures, names.node);
    targets.push(atMost("a whole `bpfman program list`, times `node -e 0`,", ratio, 1.4, " ×", 2));
    return figures;
}

async function callsHere(lab: Lab, commands: Figures): Promise<void> {
    say("calls of the daemon");
    const calls = await measureCalls(lab, quick ? 5 : 31);
    const features = await measureFeatures(lab, quick ? 3 : 9);
    const peers = (tool: string) => ({ "`bpftool`, whole command": commands.get(tool) });
    const attachPeers = { ...peers(names.bpftoolAttach), "BPF_LINK_CREATE alone": calls.kernelAttach };
    tables.push({
        title: "Calls of the daemon, over its socket",
        unit: "ms",
        decimals: 1,
        note: "Every attach of an XDP program waits for RCU in the kernel, whoever asks for it.",
        rows: [
            { what: "load one program", ours: calls.load, peers: peers(names.bpftoolLoad) },
            { what: "attach the first program", ours: calls.attach, peers: attachPeers },
            { what: "attach the second program", ours: calls.attachSecond, peers: attachPeers },
            {
                what: "attach ten in one request",
                ours: calls.tenInOne,
                peers: { "one attach": calls.attach, "ten requests": calls.tenOneByOne },
            },
            {
                what: "tell what the kernel can do",
                ours: features.ours,
                peers: { "`bpftool`, whole command": features.bpftool },
            },
        ],
    });
    targets.push(
        atMost("in the daemon, load p50", calls.load, 60, " ms"),
        atMost("in the daemon, attach p50", Math.max(calls.attach, calls.attachSecond), 30, " ms"),
        atMost("ten attaches in one request, times one,", calls.tenInOne / calls.attach, 1.5, " ×", 2),
    );
}

async function listsHere(lab: Lab): Promise<void> {
    const count = 1000;
    say(`a list of ${count} programs`);
    const { ours, all, bpftool } = await measureList(lab, count, quick ? 5 : 21);
    const peers = { "`bpftool prog show -j`": bpftool };
    tables.push({
        title: `A list of ${count} programs`,
        unit: "ms",
        decimals: 1,
        note: "Over the socket, each with its links, maps and kernel facts, read and understood by the client; bpftool's figure is without anybody reading its JSON.",
        rows: [
            { what: "programs of ours", ours, peers },
            { what: "all programs of the kernel", ours: all, peers },
        ],
    });
    targets.push(atMost("a list of 1,000", ours, 15, " ms"));
}

async function imagesHere(): Promise<void> {
    say("images");
    const { warmLoad, fileLoad, coldPull, skopeoCopy } = await measureImages(quick ? 5 : 21);
    tables.push({
        title: "Images",
        unit: "ms",
        decimals: 1,
        note: "Over the socket; the registry is on loopback. A pull asks what the image is, copies it, looks for its signatures, checks every byte and keeps the object; `skopeo copy` is the copy alone.",
        rows: [
            {
                what: "load one program of an image in the cache",
                ours: warmLoad,
                peers: { "the same from a file": fileLoad },
            },
            { what: "pull an image", ours: coldPull, peers: { "`skopeo copy`": skopeoCopy } },
        ],
    });
    targets.push(atMost("a load from the cache, times one from a file,", warmLoad / fileLoad, 1.2, " ×", 2));
}

async function packetsHere(lab: Lab): Promise<void> {
    say("packets");
    const repeat = 200_000;
    using stack = new DisposableStack();
    const ids = await passingPrograms(lab);
    const candidates: Candidate[] = [candidate("program", stack.use(opened(ids[0])), repeat)];
    const backends = new Map<string, string>();
    const add = async (length: number, dispatcher: "as needed" | "always") => {
        const name = dispatcher === "always" ? `chain ${length}` : "lone";
        const chain = await attachedChain(lab, lab.wire(), ids.slice(0, length), dispatcher);
        backends.set(name, chain.backend);
        candidates.push(candidate(name, stack.use(chain.program), repeat));
    };
    await add(1, "as needed");
    for (const length of lengths) {
        await add(length, "always");
        const stubs = libxdpStubs(length);
        if (stubs) candidates.push(candidate(`stubs ${length}`, stack.use(stubs), repeat));
        for (const counts of ["counting", "not counting"] as const) {
            const made = tailCallChain(ids.slice(0, length), counts);
            stack.use(made.keep);
            candidates.push(candidate(`${counts} ${length}`, made.program, repeat));
        }
    }
    const figures = await inTurn(quick ? 9 : 25, candidates);
    const alone = figures.get("program");
    tables.push({
        title: "A packet, on this machine's kernel",
        unit: "ns",
        decimals: 0,
        note: "BPF_PROG_TEST_RUN of programs that pass. libxdp's dispatcher with empty slots is what it costs before any member runs; kernels that refuse freplace let none in.",
        rows: [
            {
                what: `1 program, ${backends.get("lone")}`,
                ours: figure(figures, "lone"),
                peers: { "the program, not attached": alone },
            },
            ...lengths.map(length => ({
                what: `${length === 1 ? "1 program that proceeds on DROP too" : `${length} programs`}, ${backends.get(`chain ${length}`)}`,
                ours: figure(figures, `chain ${length}`),
                peers: {
                    "the program, not attached": alone,
                    "libxdp's dispatcher, empty slots": figures.get(`stubs ${length}`),
                },
            })),
            // what `bpfman top` costs while it runs; the kernel's own counters cost more beside it
            ...lengths.map(length => ({
                what: `${length} ${length === 1 ? "program" : "programs"}, tail-call, counted while statistics are watched`,
                ours: figure(figures, `counting ${length}`),
                peers: {
                    "the program, not attached": alone,
                    "the same, not counted": figures.get(`not counting ${length}`),
                },
            })),
        ],
    });
    await lab.clean();
}

async function memoryHere(lab: Lab): Promise<void> {
    say("memory");
    const { started, loaded, idleNode } = await measureMemory(lab);
    const row = (what: string, key: keyof typeof started, at: typeof started): Row => ({
        what,
        ours: at[key],
        peers: { "an idle Node.js server": idleNode[key] },
    });
    tables.push({
        title: "Memory of the serving daemon",
        unit: "MB",
        decimals: 1,
        note: "A second after the last call. The child that waits for the next load is counted in the rows that say so.",
        rows: [
            row("resident, after the start", "resident", started),
            row("of these its own (anonymous)", "anonymous", started),
            row("resident, after 100 loads", "resident", loaded),
            row("of these its own (anonymous), after 100 loads", "anonymous", loaded),
            row("with its children, shared pages divided, after 100 loads", "proportionalOfAll", loaded),
        ],
    });
}

function bundleHere(): void {
    const ours = ourBundle();
    const podman = podmanBundle();
    tables.push({
        title: "The page",
        unit: "kB gzipped",
        decimals: 0,
        note: "What a browser fetches before the page stands.",
        rows: [
            { what: "JavaScript", ours: ours.js, peers: { "cockpit-podman": podman?.js } },
            { what: "CSS", ours: ours.css, peers: { "cockpit-podman": podman?.css } },
        ],
    });
    targets.push(
        atMost("the page's JavaScript, gzipped,", ours.js, 200, " kB", 0),
        atMost("the page's CSS, gzipped,", ours.css, 100, " kB", 0),
    );
}

async function pageHere(): Promise<void> {
    say("the page in a browser");
    const { firstList, bareFirstList, open, bareOpen } = await measurePage(quick ? 3 : 11, 20);
    const peer = "a bare page that runs `bpftool`";
    tables.push({
        title: "The page in a browser",
        unit: "ms",
        decimals: 0,
        note: "From the frame's load event to the rows of 25 programs, Cockpit on loopback. The bare page has `cockpit.js` and a table, and runs `bpftool prog show` once.",
        rows: [{ what: "first list", ours: firstList, peers: { [peer]: bareFirstList } }],
    });
    tables.push({
        title: "A page that is left open",
        unit: "% of a CPU",
        decimals: 2,
        note: "The overview, statistics off, nothing changes: browser, Cockpit, its bridge and the daemon, over 20 s.",
        rows: [{ what: "open page", ours: open, peers: { [peer]: bareOpen } }],
    });
    targets.push(
        atMost("the first list after the frame loads", firstList, 300, " ms", 0),
        atMost("an open page with statistics off", open, 2, " % of a CPU", 2),
    );
}

async function inGuest(what: "commands" | "instructions"): Promise<Figures> {
    say(`${what} in the VM`);
    const result = await runInVm({
        kernel: vmKernel(),
        command: ["node", "test/bench/guest.ts", what],
        timeoutMs: 10 * 60_000,
        collect: ["figures"],
        countInstructions: what === "instructions",
    });
    if (result.status === 0) return new Map(Object.entries(JSON.parse(result.collected.get("figures") ?? "{}")));
    const words = `${result.output}\n${result.status === undefined ? result.console.slice(-2000) : ""}`;
    process.stderr.write(`bench: the VM ended with ${result.timedOut ? "a timeout" : result.status}:\n${words}\n`);
    return new Map();
}

async function commandsInGuest(): Promise<void> {
    tables.push({
        title: "Whole commands, in the VM",
        unit: "ms",
        decimals: 0,
        note: "An emulated CPU: only the ratios mean something. `xdp-loader load` loads and attaches in one command, and needs freplace, which not every kernel has.",
        rows: commandRows(await inGuest("commands"), "beside xdp-loader"),
    });
}

async function instructionsInGuest(): Promise<void> {
    const figures = await inGuest("instructions");
    const loneNames = {
        direct: "1 program, direct",
        freplace: "1 program that proceeds on DROP too, freplace",
        "tail-call": "1 program that proceeds on DROP too, tail-call",
    };
    const row = (backend: keyof typeof loneNames, length: number): Row => ({
        what: length > 1 ? `${length} programs, ${backend}` : loneNames[backend],
        ours: figure(figures, `${backend} ${length}`),
        peers: {
            "the program, not attached": figures.get("program"),
            "libxdp's dispatcher": figures.get(`libxdp ${length}`),
        },
    });
    tables.push({
        title: "A packet, in instructions",
        unit: "instructions",
        decimals: 0,
        note: "In the VM, whose clock counts instructions. `xdp-loader load` fills libxdp's dispatcher; it puts a lone program in the dispatcher's place, whatever its actions. Ours attaches a lone program itself, unless it proceeds on more than PASS: then a dispatcher of one sees to it that a neighbour changes no verdict.",
        rows: [
            row("direct", 1),
            ...lengths.map(length => row("freplace", length)),
            ...lengths.map(length => row("tail-call", length)),
        ],
    });
    const more = figure(figures, "direct 1") - figure(figures, "program");
    targets.push(atMost("instructions that a lone attached program adds", more, 0, "", 0));
    for (const length of lengths) {
        const ours = length === 1 ? "direct 1" : `freplace ${length}`;
        const ratio = figure(figures, ours) / figure(figures, `libxdp ${length}`);
        targets.push(atMost(`a chain of ${length} by ${ours.split(" ")[0]}, times libxdp's,`, ratio, 1, " ×", 2));
    }
}

async function here(): Promise<void> {
    await using lab = await Lab.start();
    const commands = await commandsHere(lab);
    await lab.clean();
    await callsHere(lab, commands);
    await lab.clean();
    await listsHere(lab);
    await packetsHere(lab);
    await memoryHere(lab);
}

await here();
await imagesHere();
await pageHere();
if (!quick) {
    await commandsInGuest();
    await instructionsInGuest();
}
bundleHere();
const kernel = readFileSync("/proc/sys/kernel/osrelease", "utf8").split("-")[0]?.trim();
const guest = quick ? "" : `; VM: kernel ${vmKernel().release.split("+")[0]}, one emulated CPU`;
const machine = `${os.availableParallelism()} CPUs, kernel ${kernel}, Node ${process.versions.node}${guest}. Medians.`;
const report = [machine, ...tables.map(markdown), targetList(targets)].join("\n\n");
console.log(report);
const missing = incomplete(tables);
for (const one of missing) console.error(`bench: ${one}`);
process.exitCode = missing.length === 0 ? 0 : 1;
if (process.argv.includes("write") && !quick && missing.length === 0) {
    const file = path.resolve(import.meta.dirname, "../../docs/bench.md");
    const [introduction = ""] = readFileSync(file, "utf8").split(marker);
    writeFileSync(file, `${introduction}${marker}\n\n${report}\n`);
}
