// SPDX-License-Identifier: Apache-2.0
// What the manager without a kernel tells of objects, images, maps and programs.
import type { HookRequest, ProbeHook, ProbeHookRequest } from "../model/hooks.ts";
import type { MapId, ProgramId } from "../model/ids.ts";
import type { ImageFacts } from "../model/images.ts";
import type { Inventory } from "../model/inventory.ts";
import type { KernelProgram } from "../model/kernel.ts";
import type { MapDetail, MapEntryView } from "../model/maps.ts";
import type { ProgramCode } from "../model/program-code.ts";
import type { LinkRecord } from "../model/records.ts";
import type { ProgramView } from "../model/views.ts";

type Place = Pick<LinkRecord, "hook" | "interface" | "netns" | "priority" | "proceedOn">;

export function fakePlace(hook: HookRequest): Place {
    if (!("interface" in hook)) return { hook: fakeProbe(hook), interface: "", netns: "", priority: 0, proceedOn: [] };
    return {
        hook: {
            kind: hook.kind,
            direction: hook.kind === "xdp" ? "ingress" : hook.direction,
            nsid: 4_026_531_840n,
            netnsCookie: 1n,
            ifindex: 2,
        },
        interface: hook.interface,
        netns: hook.netns,
        priority: hook.priority,
        proceedOn: hook.kind === "tcx" ? [] : hook.proceedOn,
    };
}

function fakeProbe(hook: ProbeHookRequest): ProbeHook {
    switch (hook.kind) {
        case "uprobe":
            return { ...hook, path: hook.target, fileOffset: hook.offset };
        case "fentry":
        case "fexit":
        case "lsm":
            return { kind: hook.kind, function: "file_open" };
        case "cgroup":
            return { ...hook, attachType: "cgroup_device" };
        default:
            return hook;
    }
}

export const fakeInventory: Inventory = {
    programs: [
        {
            kernel: kernelProgram(12 as ProgramId, "sched_cls"),
            name: "a_name_longer_than_the_kernel's",
            managed: false,
            partOf: "",
            pids: [1],
            pinPaths: [],
            hooks: ["tc eth0 ingress"],
            stats: undefined,
            application: "",
            linkIds: [],
            owner: "systemd",
        },
    ],
    maps: [],
    links: [],
    btf: [{ id: 1, name: "vmlinux", sizeBytes: 5_000_000, kernel: true, programIds: [], mapIds: [], pids: [] }],
    processes: [
        {
            ...{ pid: 1, name: "systemd", command: "/usr/lib/systemd/systemd", uid: 0, user: "root" },
            ...{ unit: "init.scope", container: "", containerRuntime: "" },
        },
    ],
    ownersUnknown: "",
};

export const fakeSettings = {
    config: {
        path: "/etc/bpfman/bpfman.toml",
        present: true,
        settings: [{ key: "logging.level", value: '"info"', set: false, description: "What is less is not logged." }],
        warnings: [],
        trusted: [],
    },
    socketPath: "/run/bpfman-sock/bpfman.sock",
    runtimeDir: "/run/bpfman",
    stateDir: "/var/lib/bpfman",
    imageCacheDir: "/nowhere",
    imageCacheLimitBytes: 1000,
};

const source = { text: "return 2;", file: "pass.bpf.c", line: 7, column: 3 };

export const programCode: ProgramCode = {
    functions: [
        {
            name: "pass",
            prototype: "int pass(struct xdp_md *ctx)",
            instructions: [
                { index: 0, text: "r0 = 2", hex: "b700000002000000", jumpTo: undefined, source },
                { index: 1, text: "goto pc-2", hex: "0500feff00000000", jumpTo: 0, source: undefined },
            ],
        },
    ],
    unavailable: "",
    jitedBytes: 2,
    jited: undefined,
    jitedUnavailable: "",
};

export const objectMap = {
    name: "counts",
    typeName: "array",
    keySize: 4,
    valueSize: 8,
    maxEntries: 1,
    flags: 0,
    keyType: "__u32",
    valueType: "__u64",
    pinnedByName: false,
};

export const imageFacts: ImageFacts = {
    reference: "quay.io/bpfman-bytecode/xdp_pass:latest",
    digest: `sha256:${"d".repeat(64)}`,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    manifestDigest: `sha256:${"d".repeat(64)}`,
    architecture: "amd64",
    platforms: [],
    labels: new Map([["io.ebpf.programs", '{"pass":"xdp"}']]),
    programs: [{ name: "pass", type: "xdp" }],
    maps: [],
    layers: [
        {
            digest: `sha256:${"e".repeat(64)}`,
            sizeBytes: 1700,
            mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
        },
    ],
    objectName: "pass.bpf.o",
    objectSha256: "f".repeat(64),
    objectSizeBytes: 4,
    pulledAt: "2026-01-01T00:00:00Z",
    usedAt: "2026-01-01T00:00:00Z",
    signature: {
        state: "verified",
        detail: "signed by me@example.com (https://accounts.example.com)",
        identity: "me@example.com",
        issuer: "https://accounts.example.com",
        form: "bundle",
    },
    policyChanged: false,
};

export const kernelMap: ProgramView["maps"][number]["kernel"] = {
    id: 5 as MapId,
    name: "counts",
    type: 2,
    typeName: "array",
    keySize: 4,
    valueSize: 8,
    maxEntries: 1,
    flags: 0,
    btfId: 3,
    memlockBytes: 4096,
    frozen: false,
    mapExtra: 18_446_744_073_709_551_615n,
};

export const mapDetail: MapDetail = {
    kernel: kernelMap,
    name: "counts",
    programIds: [1 as ProgramId],
    usedBy: [1 as ProgramId],
    pinPaths: ["/run/bpfman/fs/maps/1/counts"],
    managed: true,
    partOf: "",
    keyType: "__u32",
    valueType: "__u64",
    perCpu: false,
    unreadable: "",
    unwritable: "",
    shared: false,
};

export const mapEntry: MapEntryView = {
    key: new Uint8Array([1, 0, 0, 0]),
    keyJson: 1,
    value: new Uint8Array([255, 255, 255, 255, 255, 255, 255, 255]),
    valueJson: "18446744073709551615",
    cpus: [],
    sum: undefined,
};

export function kernelProgram(id: ProgramId, typeName: "xdp" | "sched_cls"): KernelProgram {
    return {
        id,
        name: "count",
        type: typeName === "xdp" ? 6 : 3,
        typeName,
        tag: "0123456789abcdef",
        gplCompatible: true,
        loadedAt: "2026-01-01T00:00:00Z",
        uid: 0,
        btfId: 3,
        mapIds: [5 as MapId],
        sizeXlated: 64,
        sizeJited: 80,
        verifiedInsns: 8,
        memlockBytes: 4096,
        attachBtfObjId: 0,
        attachBtfId: 0,
    };
}
