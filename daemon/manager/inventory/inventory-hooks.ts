// SPDX-License-Identifier: Apache-2.0
// Where everything in the kernel is attached, as text for people: by links, by netlink, by control groups, by perf events.
// Programs without a link are asked for only where there are some whose place is not known.
import fs from "node:fs";
import type { KernelTypeNames } from "../../kernel/btf/btf-names.ts";
import { btfObject } from "../../kernel/btf/btf-objects.ts";
import { attachTypes } from "../../kernel/enums.ts";
import { Fd } from "../../kernel/fd.ts";
import { taskEvents } from "../../kernel/holders/task-events.ts";
import { type CgroupGroup, cgroupGroups, isCgroupType, queryPrograms } from "../../kernel/hooks/cgroup-query.ts";
import type { LinkPlace } from "../../kernel/hooks/link-detail.ts";
import { openMapReadOnly } from "../../kernel/objects/map-calls.ts";
import type { KernelLinkId, ProgramId } from "../../model/ids.ts";
import type { KernelMap, KernelProgram } from "../../model/kernel.ts";
import type { Context } from "../context.ts";
import { functionName } from "../programs/function-names.ts";

const maxCgroupMs = 500;
const maxNamespaceMs = 1000;
const maxNamespaces = 256;

export interface PlacedLink {
    readonly id: KernelLinkId;
    readonly programId: ProgramId;
    readonly place: LinkPlace;
}

export interface HookSources {
    readonly programs: readonly KernelProgram[];
    readonly maps: ReadonlyMap<number, KernelMap>;
    readonly links: readonly PlacedLink[];
    /** processes that hold programs */
    readonly pids: readonly number[];
    readonly typeNames: KernelTypeNames;
}

export interface FoundHooks {
    readonly ofLink: ReadonlyMap<KernelLinkId, string>;
    readonly ofProgram: ReadonlyMap<ProgramId, readonly string[]>;
}

export async function findHooks(context: Context, sources: HookSources): Promise<FoundHooks> {
    const { programs, links, maps, typeNames } = sources;
    const ofProgram = new Map<ProgramId, Set<string>>();
    const add = (id: ProgramId, hook: string) => {
        const hooks = ofProgram.get(id);
        if (hooks === undefined) ofProgram.set(id, new Set([hook]));
        else hooks.add(hook);
    };
    const homeless = (types: readonly string[]) =>
        programs.filter(({ id, typeName }) => types.includes(typeName) && !ofProgram.has(id));

    typeNames.learn(
        links.flatMap(({ programId, place }) =>
            place.kind === "tracing" && !isOnProgram(place, programId, programs) ? [place] : [],
        ),
    );
    const cgroups = await groupsOf(links, programs);
    const devices = await devicesOf(context, sources, add);
    const ofLink = new Map<KernelLinkId, string>();
    for (const { id, programId, place } of links) {
        const hook = linkText(place, { programs, maps, typeNames, cgroups, devices, programId, linkId: id });
        ofLink.set(id, hook);
        if (hook !== "") add(programId, hook);
    }
    for (const { path, attached } of cgroups)
        for (const { programId, attachType } of attached) add(programId, cgroupText(attachType, path));
    if (homeless(["kprobe", "tracepoint", "perf_event", "raw_tracepoint"]).length > 0)
        for (const pid of sources.pids) for (const { programId, hook } of taskEvents(pid)) add(programId, hook);
    if (homeless(["flow_dissector"]).length > 0) {
        using fd = new Fd(fs.openSync("/proc/self/ns/net", "r"));
        for (const { programId } of queryPrograms(fd.number, attachTypes.flow_dissector))
            add(programId, "flow_dissector");
    }
    if (homeless(["sk_msg", "sk_skb"]).length > 0)
        for (const { programId, hook } of sockmapPrograms(maps)) add(programId, hook);
    return { ofLink, ofProgram: new Map(Array.from(ofProgram, ([id, hooks]) => [id, [...hooks]])) };
}

type TracingPlace = LinkPlace & { readonly kind: "tracing" };

/** BPF_TRACE_… are the attach types of fentry and the like; that of freplace is 0. */
const isFreplace = ({ attachType }: TracingPlace): boolean => attachType === "cgroup_inet_ingress";

/**
 * Whether the function is one of a program, whose id then stands in the place of a BTF object's (bpf_trampoline_compute_key
 * in include/linux/bpf.h). Which of both it is the attached program tells, from Linux 5.17 on: it names the BTF object.
 */
export function isOnProgram(place: TracingPlace, programId: ProgramId, programs: readonly KernelProgram[]): boolean {
    if (isFreplace(place)) return true;
    const btfObject = programs.find(({ id }) => id === programId)?.attachBtfObjId ?? 0;
    return btfObject !== 0 && btfObject !== place.objectId && programs.some(({ id }) => id === place.objectId);
}

const cgroupText = (attachType: string, path: string): string => `${attachType} ${path}`;

/** Control groups are walked only where something of the kind is there. */
async function groupsOf(links: readonly PlacedLink[], programs: readonly KernelProgram[]): Promise<CgroupGroup[]> {
    const linked = new Set(links.map(({ programId }) => programId));
    const types = new Set(programs.flatMap(({ id, type }) => (isCgroupType(type) && !linked.has(id) ? [type] : [])));
    if (types.size === 0 && !links.some(({ place }) => place.kind === "cgroup")) return [];
    return cgroupGroups(types, maxCgroupMs);
}

interface Devices {
    /** by what the kernel says of the link itself */
    readonly byLink: Map<KernelLinkId, string>;
    /** XDP, by program and interface */
    readonly byProgram: Map<string, string>;
    /** names of the daemon's own namespace */
    readonly own: Map<number, string>;
}

async function devicesOf(
    context: Context,
    { programs, links }: HookSources,
    add: (id: ProgramId, hook: string) => void,
): Promise<Devices> {
    const devices: Devices = { byLink: new Map(), byProgram: new Map(), own: new Map() };
    const network = new Set(
        programs.filter(({ typeName }) => ["xdp", "sched_cls", "sched_act"].includes(typeName)).map(({ id }) => id),
    );
    const interfaceLinks = links.filter(({ place }) => place.kind === "interface");
    if (network.size === 0) return devices;
    const until = performance.now() + maxNamespaceMs;
    const placed = new Set<ProgramId>();
    const seen = new Set<string>();
    const visit = async ({ path, label }: { path: string; label: string }) => {
        const { namespace, interfaces } = await context.net.call(path, { op: "survey" });
        const identity = `${namespace.nsid} ${namespace.cookie}`;
        if (seen.has(identity)) return;
        seen.add(identity);
        const place = (id: ProgramId, hook: string) => {
            add(id, hook);
            placed.add(id);
        };
        const names = new Map(interfaces.map(({ device }) => [device.ifindex, device.name]));
        for (const { device, ingress, egress } of interfaces) {
            const { name, ifindex, xdp } = device;
            if (path === "") devices.own.set(ifindex, name);
            if (xdp !== undefined) {
                const text = `xdp ${name}${label}`;
                devices.byProgram.set(`${xdp.programId} ${ifindex}`, text);
                place(xdp.programId as ProgramId, text);
            }
            for (const [direction, entries] of [
                ["ingress", ingress],
                ["egress", egress],
            ] as const)
                for (const { programId, linkId } of entries) {
                    const text = `tcx ${name} ${direction}${label}`;
                    devices.byLink.set(linkId, text);
                    place(programId, text);
                }
        }
        const filters = await context.net.call(path, { op: "tc-filters" });
        for (const { ifindex, direction, programId } of filters)
            place(programId as ProgramId, `tc ${names.get(ifindex)} ${direction}${label}`);
    };
    const open = () =>
        interfaceLinks.some(({ id, programId, place }) => {
            if (place.kind !== "interface") return false;
            return !devices.byLink.has(id) && !devices.byProgram.has(`${programId} ${place.ifindex}`);
        }) || [...network].some(id => !placed.has(id));
    for (const one of await namespaces(context)) {
        // others are entered only as long as something is missing
        if (one.path !== "" && (!open() || performance.now() > until || seen.size >= maxNamespaces)) break;
        // one that goes meanwhile takes its interfaces along
        await visit(one).catch((error: unknown) => {
            if (one.path === "") throw error;
        });
    }
    return devices;
}

/** The daemon's own, those of our links, those with a name, then those that processes hold; each once. */
async function namespaces({ store }: Context): Promise<{ path: string; label: string }[]> {
    const seen = new Set<bigint>([fs.statSync("/proc/self/ns/net", { bigint: true }).ino]);
    const found = [{ path: "", label: "" }];
    const add = (path: string, label: string) => {
        try {
            const { ino } = fs.statSync(path, { bigint: true });
            if (seen.has(ino)) return;
            seen.add(ino);
            found.push({ path, label: ` (${label})` });
        } catch {
            // gone
        }
    };
    const named = await fs.promises.readdir("/run/netns").catch((): string[] => []);
    for (const name of named) add(`/run/netns/${name}`, `netns ${name}`);
    for (const { netns } of store.links()) if (netns !== "") add(netns, `netns ${netns}`);
    for (const pid of await fs.promises.readdir("/proc"))
        if (/^\d+$/.test(pid)) add(`/proc/${pid}/ns/net`, `netns of process ${pid}`);
    return found;
}

interface TextSources {
    readonly programs: readonly KernelProgram[];
    readonly maps: ReadonlyMap<number, KernelMap>;
    readonly typeNames: KernelTypeNames;
    readonly cgroups: readonly CgroupGroup[];
    readonly devices: Devices;
    readonly programId: ProgramId;
    readonly linkId: KernelLinkId;
}

const tracingWords: Readonly<Record<string, string>> = {
    trace_fentry: "fentry",
    trace_fexit: "fexit",
    modify_return: "fmod_ret",
    lsm_mac: "lsm",
    lsm_cgroup: "lsm",
    trace_iter: "iter",
    trace_raw_tp: "raw_tracepoint",
};

function linkText(place: LinkPlace, sources: TextSources): string {
    switch (place.kind) {
        case "text":
            return place.text;
        case "interface": {
            const { devices, programId, linkId } = sources;
            const known = devices.byLink.get(linkId) ?? devices.byProgram.get(`${programId} ${place.ifindex}`);
            // 0: the interface is gone
            return known ?? (place.ifindex === 0 ? "" : `${place.hook} interface ${place.ifindex}`);
        }
        case "cgroup": {
            if (place.cgroupId === 0n) return "";
            const path = sources.cgroups.find(({ id }) => id === place.cgroupId)?.path;
            return cgroupText(place.attachType, path ?? `group ${place.cgroupId}`);
        }
        case "netns":
            return `${place.attachType} ${place.nsid === 0 ? "(netns gone)" : `netns ${place.nsid}`}`;
        case "map":
            return `${place.hook} ${sources.maps.get(place.mapId)?.name ?? `map ${place.mapId}`}`;
        case "tracing": {
            const word = isFreplace(place) ? "freplace" : (tracingWords[place.attachType] ?? place.attachType);
            if (isOnProgram(place, sources.programId, sources.programs)) {
                const target = functionName(place.objectId as ProgramId, place.typeId);
                return `${word} ${target === "" ? "" : `${target} of `}program ${place.objectId}`;
            }
            const name = sources.typeNames.name(place).replace(/^(?:bpf_lsm_|btf_trace_|bpf_iter_)/, "");
            const module = place.objectId === 0 ? "" : (btfObject(place.objectId)?.name ?? "");
            const where = module === "" || module === "vmlinux" ? "" : ` [${module}]`;
            return `${word} ${name}${where}`.trim();
        }
    }
}

const sockmapTypes = [
    attachTypes.sk_skb_stream_parser,
    attachTypes.sk_skb_stream_verdict,
    attachTypes.sk_skb_verdict,
    attachTypes.sk_msg_verdict,
];

/** Linux 5.17 tells them. */
function sockmapPrograms(maps: ReadonlyMap<number, KernelMap>): { programId: ProgramId; hook: string }[] {
    return Array.from(maps.values()).flatMap(({ id, name, typeName }) => {
        if (typeName !== "sockmap" && typeName !== "sockhash") return [];
        using fd = openMapReadOnly(id);
        if (fd === undefined) return [];
        return sockmapTypes.flatMap(type =>
            queryPrograms(fd.number, type).map(({ programId, attachType }) => ({
                programId,
                hook: `${attachType} ${name}`,
            })),
        );
    });
}
