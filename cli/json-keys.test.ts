// SPDX-License-Identifier: Apache-2.0
// `-o json` key for key: scripts read these documents. Each list is whole and in order; what is not listed may not come.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChainJson, LinkJson, ProgramJson } from "../proto/gen/bpfman/host/v1/host_pb.js";
import {
    chainJson,
    chainListJson,
    linkJson,
    linkRecordJson,
    programDetailJson,
    programJson,
    programListJson,
} from "./output/json.ts";
import { releasedProgramRows } from "./output/state-text.ts";
import { programTable } from "./output/text.ts";

/** The keys of an object, and of those in it: `record`, `record.load`, `links[]` … */
function keysOf(value: unknown, at = "", found = new Map<string, string[]>()): Map<string, string[]> {
    // what users name has the keys that they gave it
    if (/(^|\.)(metadata|global_data)$/.test(at)) return found;
    if (Array.isArray(value)) for (const item of value) keysOf(item, `${at}[]`, found);
    else if (typeof value === "object" && value !== null) {
        found.set(at, Object.keys(value));
        for (const [key, inner] of Object.entries(value)) keysOf(inner, at === "" ? key : `${at}.${key}`, found);
    }
    return found;
}

function assertKeys(value: unknown, expected: Record<string, string>): void {
    const found = Object.fromEntries([...keysOf(value)].map(([at, keys]) => [at, keys.join(" ")]));
    assert.deepEqual(found, expected);
}

const kernelProgram =
    "id name program_type tag loaded_at uid has_uid btf_id has_btf_id map_ids has_map_ids jited_size xlated_size verified_insns memlock has_memlock restricted";
const programRecord = "program_id load license gpl_compatible handles meta created_at updated_at";
const load = "object_path source_path program_name program_type global_data image_source attach_func map_owner_id";
const handles = "pin_path map_pin_path map_owner_id";
const meta = "name owner description metadata";
const map =
    "id name map_type key_size value_size max_entries flags btf_id has_btf_id map_extra has_map_extra memlock has_memlock frozen pin_path present";
const linkRecord = "id program_id kernel_link_id kind pin_path details created_at metadata";
const linkStatus = "kernel kernel_seen pin_present";
const kernelLink = "id program_id link_type attach_type ifindex target_obj_id target_btf_id";
const details = {
    xdp: "interface ifindex priority position proceed_on netns nsid dispatcher_id revision",
    tc: "interface ifindex direction priority position proceed_on netns nsid dispatcher_id revision",
    tcx: "interface ifindex direction priority position netns nsid",
    tracepoint: "group name",
    kprobe: "fn_name offset retprobe",
    kretprobe: "fn_name offset retprobe",
    uprobe: "target fn_name offset pid retprobe container_pid",
    uretprobe: "target fn_name offset pid retprobe container_pid",
    fentry: "fn_name",
    fexit: "fn_name",
    lsm: "hook_name",
} as const;

const hooks: Record<keyof typeof details, Partial<LinkJson>> = {
    xdp: { interface: "eth0" },
    tc: { interface: "eth0", direction: "ingress" },
    tcx: { interface: "eth0", direction: "ingress" },
    tracepoint: { tracepoint: { group: "sched", name: "sched_switch" } },
    kprobe: { kprobe: { function: "f" } },
    kretprobe: { kprobe: { function: "f", retprobe: true } },
    uprobe: { uprobe: { target: "libc", function: "malloc" } },
    uretprobe: { uprobe: { target: "libc", function: "malloc", retprobe: true } },
    fentry: { fentry: { function: "f" } },
    fexit: { fexit: { function: "f" } },
    lsm: { lsm: { hook: "file_open" } },
};

const link = (kind: keyof typeof details): LinkJson => ({ id: 1, kind, kernel: { id: 2 }, ...hooks[kind] });

const program: ProgramJson = {
    id: 12,
    record: { type: "xdp", metadata: { k: "v" }, globalData: { g: "AA==" } },
    kernel: { id: 12 },
    stats: { runCount: "1" },
    links: [link("xdp")],
    maps: [{ id: 8 }],
    mapUsedBy: [13],
};

const wholeProgram = {
    "": "record status",
    record: programRecord,
    "record.load": load,
    "record.handles": handles,
    "record.meta": meta,
    status: "kernel stats prog_pin map_dir bytecode links maps map_used_by",
    "status.kernel": kernelProgram,
    "status.stats": "runtime run_count recursion_misses",
    "status.links[]": "record status",
    "status.links[].record": linkRecord,
    "status.links[].record.details": details.xdp,
    "status.links[].status": linkStatus,
    "status.links[].status.kernel": kernelLink,
    "status.maps[]": map,
};

test("program get, and each program of program load", () => {
    assertKeys(programDetailJson(program), wholeProgram);
    assertKeys(programJson(program), wholeProgram);
    const { stats: _, ...unmeasured } = program;
    const status = (value: unknown) => (value as { status: Record<string, unknown> }).status;
    assert.equal(status(programJson(unmeasured))["stats"], null);
    assert.deepEqual(status(programDetailJson(unmeasured))["stats"], { runtime: 0, run_count: 0, recursion_misses: 0 });
});

test("what nobody set is null or empty, and its key is there", () => {
    const { record } = programJson({ id: 1, record: {} }) as { record: Record<string, Record<string, unknown>> };
    assert.deepEqual(record["load"], {
        object_path: "",
        source_path: null,
        program_name: "",
        program_type: "",
        global_data: {},
        image_source: null,
        attach_func: null,
        map_owner_id: null,
    });
    assert.deepEqual(record["handles"], { pin_path: "", map_pin_path: "", map_owner_id: null });
    assert.equal(record["updated_at"], null);
    assert.deepEqual(programJson({ id: 1 }), {
        record: null,
        status: {
            kernel: null,
            stats: null,
            prog_pin: "",
            map_dir: "",
            bytecode: "",
            links: [],
            maps: [],
            map_used_by: [],
        },
    });
});

test("program list", () => {
    assertKeys(programListJson([program]), {
        "": "programs",
        "programs[]": "program_id managed application type function_name links record kernel",
        "programs[].record": programRecord,
        "programs[].record.load": load,
        "programs[].record.handles": handles,
        "programs[].record.meta": meta,
        "programs[].kernel": kernelProgram,
    });
    const [foreign] = (programListJson([{ id: 7, kernel: { id: 7 } }]) as { programs: Record<string, unknown>[] })
        .programs;
    assert.deepEqual([foreign?.["managed"], foreign?.["record"], foreign?.["links"]], [false, null, []]);
    // a dispatcher of the daemon's own is told from programs of others, in text too
    const part = { id: 8, kernel: { id: 8, name: "xdp_dispatcher" }, partOf: "dispatcher of xdp eth0" };
    const [own] = (programListJson([part]) as { programs: Record<string, unknown>[] }).programs;
    assert.equal(own?.["part_of"], part.partOf);
    assert.match(programTable([part]).join("\n"), /xdp_dispatcher +dispatcher of xdp eth0$/);
    assert.equal(releasedProgramRows([part])[1]?.at(-1), part.partOf);
});

test("link attach, link get and link list, for every kind", () => {
    for (const kind of Object.keys(details) as (keyof typeof details)[]) {
        assertKeys(linkJson(link(kind)), {
            "": "record status",
            record: linkRecord,
            "record.details": details[kind],
            status: linkStatus,
            "status.kernel": kernelLink,
        });
        assertKeys(
            { links: [linkRecordJson(link(kind))] },
            {
                "": "links",
                "links[]": linkRecord,
                "links[].details": details[kind],
            },
        );
    }
    const record = linkRecordJson({ id: 1, kind: "xdp" }) as Record<string, unknown>;
    assert.deepEqual([record["kernel_link_id"], record["pin_path"]], [null, null]);
});

test("dispatcher list and dispatcher get", () => {
    const chain: ChainJson = { type: "xdp", nsid: "1", ifindex: 2, kernelLinkId: 9, members: [{ programId: 12 }] };
    const runtime = "program_id kernel_link_id netns_path";
    const list = {
        "": "dispatchers",
        "dispatchers[]": "key revision runtime member_count",
        "dispatchers[].key": "type nsid ifindex",
    };
    assertKeys(chainListJson([chain]), { ...list, "dispatchers[].runtime": runtime });
    const held = { ...chain, kernelLinkId: 0, filter: { priority: 50, handle: 1 } };
    const byFilter = "program_id filter_priority filter_handle netns_path";
    assertKeys(chainListJson([held]), { ...list, "dispatchers[].runtime": byFilter });
    assertKeys(chainJson(chain), {
        "": "key revision runtime members",
        key: "type nsid ifindex",
        runtime,
        "members[]":
            "program_id program_name prog_pin_path link_id kernel_link_id link_pin_path position priority proceed_on ifname metadata",
    });
});
