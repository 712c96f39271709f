// SPDX-License-Identifier: Apache-2.0
// What the words mean, for who reads them for the first time.
import { _ } from "../../text/i18n.ts";

const topics = {
    ebpf: () => ({
        title: _("eBPF"),
        text: [
            _(
                "Small programs that run inside the kernel, at packets, system calls, functions or events. Before one runs, the kernel's verifier proves that it ends and touches nothing it should not.",
            ),
            _("They filter and count traffic, watch the system, and enforce policy, without a kernel module."),
        ],
    }),
    xdp: () => ({
        title: _("XDP"),
        text: [
            _(
                "The earliest place for a program: it sees each packet as the network driver receives it, before the kernel has made anything of it. That makes it the cheapest place to drop or redirect traffic.",
            ),
            _(
                "It sees arriving packets only. The result of the program decides: pass, drop, send back (tx), redirect.",
            ),
        ],
    }),
    tc: () => ({
        title: _("TC"),
        text: [
            _(
                "Traffic control: programs that see packets after XDP on their way in (ingress), or last on their way out (egress), with all that the kernel knows of them.",
            ),
            _("Results have the meaning of the tc tool: ok accepts, shot drops, pipe lets the next one decide."),
        ],
    }),
    tcx: () => ({
        title: _("TCX"),
        text: [
            _(
                "The newer form of TC (Linux 6.6): the kernel itself keeps the list of programs at an interface and their order, up to 63.",
            ),
            _("A program that returns next leaves the packet to the one behind it; any other result ends the list."),
        ],
    }),
    chain: () => ({
        title: _("Chain"),
        text: [
            _(
                "Several programs at one place, one after the other. Each packet meets them in this order, until one returns a result after which the chain does not go on.",
            ),
            _(
                "A change of the chain is made in one step: each packet meets the old chain or the new one, never a half of it.",
            ),
        ],
    }),
    proceedOn: () => ({
        title: _("Proceed on"),
        text: [
            _(
                "The results of this program after which the next one in the chain runs. After any other result the chain ends, and that result is the chain's.",
            ),
            _(
                "Usually it goes on after pass, so that a later program may still drop the packet; and it ends after drop, as there is nothing left to decide.",
            ),
            _(
                "dispatcher_return is a result that only chains know: the program leaves the decision to the chain. If nobody decides, the packet passes.",
            ),
        ],
    }),
    priority: () => ({
        title: _("Priority"),
        text: [
            _(
                "A number that gives each program its place in the chain: lower values run first. Moving a program by hand or by keyboard gives it a fitting number.",
            ),
        ],
    }),
    xdpMode: () => ({
        title: _("Native and generic mode"),
        text: [
            _(
                "Native: the driver runs the program on each packet as it arrives. Generic: the driver can't, so the kernel runs it later, on packets it has already taken in. The result is the same, at a higher cost.",
            ),
        ],
    }),
    backend: () => ({
        title: _("How a chain is carried"),
        text: [
            _(
                "An interface takes one XDP program. For several, a dispatcher is put there that calls them in order: direct is a lone program without one.",
            ),
            _(
                "freplace: each program takes the place of one of the dispatcher's functions, the fastest way. tail-call: the dispatcher jumps to each program, on kernels that refuse freplace. libxdp: the form that other tools understand. kernel: the kernel's own list (TCX).",
            ),
        ],
    }),
    foreign: () => ({
        title: _("Not managed here"),
        text: [
            _(
                "Something else attached this program: another tool, a container, a service. It is shown so that you see all that packets meet, and left as it is. Change it with the tool that attached it.",
            ),
        ],
    }),
    livePackets: () => ({
        title: _("Live packets"),
        text: [
            _(
                "While this is on, chains run a revision that counts what each program returns. That costs a little time for each packet, so it is switched off again when you leave this page.",
            ),
        ],
    }),
    netns: () => ({
        title: _("Network namespace"),
        text: [
            _(
                "A network of its own, with its own interfaces, as containers have. A program attached in one sees the packets of that one only.",
            ),
        ],
    }),
    map: () => ({
        title: _("Map"),
        text: [
            _(
                "Memory that eBPF programs share with each other and with programs outside the kernel: counters, settings, lists of addresses. Each entry has a key and a value of fixed size.",
            ),
        ],
    }),
    mapType: () => ({
        title: _("Types of maps"),
        text: [
            _(
                "hash: any keys, found quickly. array: numbered from 0, all entries there from the start. lru_hash: a hash that forgets what was not used for long. lpm_trie: addresses with a prefix, the longest match wins.",
            ),
            _(
                "percpu_…: each CPU has a value of its own, so that counting needs no lock. ringbuf, perf_event_array: streams of events for programs outside. prog_array: programs to jump to. …_of_maps, devmap, cpumap, sockmap: maps, interfaces, CPUs, sockets to hand packets to.",
            ),
        ],
    }),
    perCpu: () => ({
        title: _("Values per CPU"),
        text: [
            _(
                "Each CPU counts in a value of its own. Shown is the sum over all of them; open the entry to see each. A change sets the value of every CPU.",
            ),
        ],
    }),
    btf: () => ({
        title: _("BTF"),
        text: [
            _(
                "A description of types that the compiler put into the object: names of fields, numbers, texts. With it, keys and values are shown as what they mean; without it as bytes.",
            ),
        ],
    }),
    frozen: () => ({
        title: _("Frozen"),
        text: [_("No more changes from outside the kernel, for good: so are the constants of a program.")],
    }),
    pinned: () => ({
        title: _("Pinned"),
        text: [
            _(
                "A name in the BPF file system. What is pinned stays in the kernel even when the program that made it ends.",
            ),
        ],
    }),
    mapOwner: () => ({
        title: _("Maps of others"),
        text: [
            _(
                "This map belongs to programs that were not loaded here. What it holds may be the memory of another service; a change can make it misbehave.",
            ),
        ],
    }),
    lpmKey: () => ({
        title: _("Key of a prefix"),
        text: [_("The number of leading bits that count, and the address: 24 and 10.0.0.0 stand for 10.0.0.0/24.")],
    }),
    verifier: () => ({
        title: _("Verifier"),
        text: [
            _(
                "The kernel's proof, before a program may run, that it always ends and never reaches memory that it must not. Its log tells the step where a refused program failed.",
            ),
        ],
    }),
    jit: () => ({
        title: _("JIT"),
        text: [_("The kernel translates the program's instructions into machine code once, when it is loaded.")],
    }),
    link: () => ({
        title: _("Link"),
        text: [
            _("The attachment of one program to one place. A program may have several; without one it does not run."),
        ],
    }),
    runStats: () => ({
        title: _("Run statistics"),
        text: [
            _(
                "How often the kernel ran a program and how long that took. The kernel counts only while somebody asks: it costs a little time at each run.",
            ),
        ],
    }),
    tracing: () => ({
        title: _("Tracing programs"),
        text: [
            _(
                "They run when something happens in the kernel or a process and only watch: tracepoint (events the kernel names), kprobe and fentry (when a function begins), kretprobe and fexit (when it ends), uprobe (a function of a process), perf_event (samples).",
            ),
        ],
    }),
    lsm: () => ({
        title: _("LSM"),
        text: [_("A program at one of the kernel's security checks: it may refuse what is about to happen.")],
    }),
    cgroup: () => ({
        title: _("Control group"),
        text: [_("A group of processes, as a service or a container is one. The program runs for what they do.")],
    }),
    mapSharing: () => ({
        title: _("Shared maps"),
        text: [
            _(
                "Programs that are loaded together share the maps of their object. A program can also take over the maps of one that is loaded already, and go on with what they hold.",
            ),
        ],
    }),
    globals: () => ({
        title: _("Global variables"),
        text: [
            _(
                "Settings that the author of a program left open. Constants can be set only when it is loaded; the verifier then leaves out what can't happen.",
            ),
        ],
    }),
    metadata: () => ({
        title: _("Metadata"),
        text: [_("Words of your own, as key and value. The application groups what belongs together.")],
    }),
    signature: () => ({
        title: _("Signed images"),
        text: [_("The policy of this host decides whose signatures an image needs before its program is loaded.")],
    }),
} as const;

export type Topic = keyof typeof topics;

export function topicTitle(topic: Topic): string {
    return topics[topic]().title;
}

export function topicText(topic: Topic): readonly string[] {
    return topics[topic]().text;
}
