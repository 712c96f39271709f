// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue, StatementSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { BpfmanError } from "../model/error.ts";
import type { EventKind } from "../model/events.ts";
import type { HookKey, ProbeHook } from "../model/hooks.ts";
import type { KernelLinkId, LinkId, MapId, ProgramId } from "../model/ids.ts";
import type { ChainRecord, LinkRecord, ProgramRecord } from "../model/records.ts";
import { linkParameters, programParameters } from "./rows.ts";
import { migrations, schemaVersion } from "./schema.ts";
import { keptOfEachKind, Store } from "./store.ts";

let directory: string;
beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "bpfman-store-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function program(id: number, bootId = "boot-a"): ProgramRecord {
    return {
        id: id as ProgramId,
        bootId,
        tag: "0123456789abcdef",
        name: `count_${id}`,
        type: "xdp",
        section: "xdp.frags",
        frags: true,
        attachFunction: "",
        sourcePath: "/tmp/x.o",
        objectSha256: "a".repeat(64),
        globalData: new Map([["limit", new Uint8Array([0, 255, 1])]]),
        metadata: new Map([["__proto__", "kept"]]),
        mapOwnerId: undefined,
        mapSet: 3,
        mapIds: new Map([[".rodata", 4_294_967_295 as MapId]]),
        license: "GPL",
        gplCompatible: true,
        createdAt: "2026-01-01T00:00:00Z",
        createdBy: "root",
    };
}

// the largest values that the kernel's u64 can hold: SQLite's own integers end at half of it
const hook: HookKey = {
    kind: "xdp",
    direction: "ingress",
    nsid: 18_446_744_073_709_551_615n,
    netnsCookie: 9_223_372_036_854_775_808n,
    ifindex: 2,
};

function link(programId: number, bootId = "boot-a"): Omit<LinkRecord, "id"> {
    return {
        bootId,
        programId: programId as ProgramId,
        hook,
        interface: "eth0",
        netns: "",
        priority: 50,
        proceedOn: [2, 31],
        request: 1,
        requestIndex: 0,
        metadata: new Map([["k", "v"]]),
        createdAt: "2026-01-01T00:00:00Z",
        createdBy: "uid 1000",
        kernelLinkId: undefined,
        furtherKernelLinkIds: [],
    };
}

function chain(revision: number, bootId = "boot-a"): ChainRecord {
    return {
        hook,
        bootId,
        interface: "eth0",
        netns: "",
        revision,
        backend: "freplace",
        backendReason: "two members",
        mode: "generic",
        modeReason: "the driver refused",
        frags: false,
        counting: true,
        programId: 9 as ProgramId,
        programTag: "fedcba9876543210",
        kernelLinkId: 4 as KernelLinkId,
        members: [
            { linkId: 1 as LinkId, kernelLinkId: 7 as KernelLinkId },
            { linkId: 2 as LinkId, kernelLinkId: undefined },
        ],
    };
}

test("records come back as they were given", () => {
    const store = Store.open(directory, "boot-a");
    store.insertProgram(program(7));
    const owned = { ...program(8), mapOwnerId: 7 as ProgramId, globalData: new Map(), metadata: new Map() };
    store.insertProgram(owned);
    const made = store.insertLink(link(7));
    const tcx = store.insertLink({ ...link(8), kernelLinkId: 12 as KernelLinkId });
    store.putChain(chain(1));
    store.putChain(chain(2));

    assert.deepEqual(store.programs(), [program(7), owned]);
    assert.deepEqual(store.program(7 as ProgramId), program(7));
    assert.equal(store.program(9 as ProgramId), undefined);
    assert.deepEqual(store.links(), [made, tcx]);
    assert.deepEqual(store.link(tcx.id), tcx);
    assert.deepEqual(store.chains(), [chain(2)]);
    const held = { ...chain(2), filter: { priority: 50, handle: 1, ownQdisc: true } };
    store.putChain(held);
    assert.deepEqual(store.chains(), [held]);
    store.putChain(chain(2));
    assert.deepEqual(store.chain(hook), chain(2));
    assert.equal(store.chain({ ...hook, ifindex: 3 }), undefined);

    const changed = { ...made, priority: 10, proceedOn: [], metadata: new Map<string, string>() };
    store.updateLink(changed);
    assert.deepEqual(store.link(made.id), changed);
    store.deleteProgram(7 as ProgramId);
    store.deleteLink(made.id);
    store.deleteChain(hook);
    assert.deepEqual(store.programs(), [owned]);
    assert.deepEqual(store.links(), [tcx]);
    assert.deepEqual(store.chains(), []);
    assert.throws(() => store.updateLink(changed), { name: "BpfmanError", code: "NOT_FOUND" });
    store.close();
});

test("a transaction that throws leaves nothing", () => {
    const store = Store.open(directory, "boot-a");
    assert.throws(
        () =>
            store.transaction(() => {
                store.insertProgram(program(1));
                store.nextRequest();
                throw new Error("stop");
            }),
        /stop/,
    );
    assert.deepEqual(store.programs(), []);
    assert.equal(store.nextRequest(), 1);
    assert.throws(() => store.transaction(async () => store.insertProgram(program(1))), TypeError);
    assert.deepEqual(store.programs(), []);
    assert.equal(
        store.transaction(() => 5),
        5,
    );
    store.close();
});

test("rows survive a close, rows of another boot are not shown, and their ids are not given again", () => {
    const before = Store.open(directory, "boot-a");
    before.insertProgram(program(7));
    before.insertLink(link(7));
    const last = before.insertLink(link(7));
    before.putChain(chain(1));
    before.close();

    const after = Store.open(directory, "boot-b");
    assert.deepEqual([after.programs(), after.links(), after.chains()], [[], [], []]);
    assert.equal(after.program(7 as ProgramId), undefined);
    assert.equal(after.link(last.id), undefined);
    // the same kernel id is another program in this boot
    after.insertProgram(program(7, "boot-b"));
    after.deleteLink(last.id);
    assert.deepEqual(after.forgetOtherBoots(), { programs: 1, links: 2, chains: 1 });
    assert.deepEqual(after.forgetOtherBoots(), { programs: 0, links: 0, chains: 0 });
    assert.equal(after.programs().length, 1);
    assert.equal(after.insertLink(link(7, "boot-b")).id, last.id + 1);
    after.close();

    const again = Store.open(directory, "boot-b");
    assert.deepEqual(again.programs(), [program(7, "boot-b")]);
    again.close();
});

test("counters never step back", () => {
    const store = Store.open(directory, "boot-a");
    assert.deepEqual([store.nextRequest(), store.nextRequest(), store.nextMapSet()], [1, 2, 1]);
    store.close();
    const again = Store.open(directory, "boot-b");
    assert.deepEqual([again.nextRequest(), again.nextMapSet()], [3, 2]);
    again.close();
});

test("only its owner can read the store", () => {
    const store = Store.open(join(directory, "a", "b"), "boot-a");
    store.insertProgram(program(1));
    store.keepObject(new Uint8Array([1]));
    const mode = (...path: string[]) => statSync(join(directory, "a", "b", ...path)).mode & 0o777;
    assert.equal(mode(), 0o700);
    assert.equal(mode("objects"), 0o700);
    for (const name of ["store.db", "store.db-wal", "store.db-shm"]) assert.equal(mode(name), 0o600, name);
    assert.equal(mode("objects", readdirSync(join(directory, "a", "b", "objects"))[0]!), 0o600);
    store.close();
});

test("a file of a newer bpfman is refused and left as it is", () => {
    Store.open(directory, "boot-a").close();
    const db = new DatabaseSync(join(directory, "store.db"));
    db.exec(`PRAGMA user_version = ${schemaVersion + 1}`);
    db.close();
    assert.throws(() => Store.open(directory, "boot-a"), {
        code: "FAILED_PRECONDITION",
        message: /schema version \d+, this bpfman knows versions up to \d+/,
    });
});

test("a damaged file is named as such", () => {
    writeFileSync(
        join(directory, "store.db"),
        "this is no database, it is a line of text that is long enough\n".repeat(20),
    );
    assert.throws(
        () => Store.open(directory, "boot-a"),
        (error: unknown) =>
            error instanceof BpfmanError &&
            error.code === "FAILED_PRECONDITION" &&
            error.message.includes(`${directory}/store.db is damaged`),
    );
});

test("kept objects are named by their hash, checked on reading, and collected when unused", () => {
    const store = Store.open(directory, "boot-a");
    const bytes = new Uint8Array([0x7f, 0x45, 0x4c, 0x46]);
    const sha256 = store.keepObject(bytes);
    assert.equal(sha256, "3bdbb4fe8397cd2b842430b39ccff01a8663c751945ef5e9a09e267fb8b1d359");
    assert.equal(store.keepObject(bytes), sha256);
    assert.deepEqual(new Uint8Array(store.readObject(sha256)), bytes);
    assert.equal(store.objectPath(sha256), join(directory, "objects", `${sha256}.o`));
    assert.throws(() => store.objectPath("../store.db"), { code: "INTERNAL" });

    writeFileSync(store.objectPath(sha256), "changed");
    assert.throws(() => store.readObject(sha256), { code: "INTERNAL", message: /missing or damaged/ });
    store.keepObject(bytes);
    assert.deepEqual(new Uint8Array(store.readObject(sha256)), bytes);

    const unused = store.keepObject(new Uint8Array([1]));
    writeFileSync(join(directory, "objects", `${"b".repeat(64)}.1.tmp`), "half");
    writeFileSync(join(directory, "objects", "README"), "not ours");
    store.insertProgram({ ...program(1, "boot-z"), objectSha256: sha256 });
    assert.equal(store.collectObjects(), 2);
    assert.equal(existsSync(store.objectPath(unused)), false);
    assert.deepEqual(readdirSync(join(directory, "objects")).sort(), ["README", `${sha256}.o`].sort());
    store.close();
});

test("a list never shows what is no longer so", () => {
    const store = Store.open(directory, "boot-a");
    const ids = () => store.programs().map(record => record.id);
    store.insertProgram(program(1));
    assert.deepEqual(ids(), [1]);
    store.programs().pop();
    assert.deepEqual(ids(), [1]);
    assert.throws(() =>
        store.transaction(() => {
            store.insertProgram(program(2));
            assert.deepEqual(ids(), [1, 2]);
            throw new Error("stop");
        }),
    );
    assert.deepEqual(ids(), [1]);
    const other = Store.open(directory, "boot-a");
    other.insertProgram(program(3));
    other.close();
    assert.deepEqual(ids(), [1, 3]);
    store.deleteProgram(1 as ProgramId);
    assert.deepEqual(ids(), [3]);
    const made = store.insertLink(link(3));
    assert.deepEqual(store.links(), [made]);
    store.updateLink({ ...made, priority: 7 });
    assert.equal(store.links()[0]?.priority, 7);
    store.putChain(chain(1));
    assert.equal(store.chains()[0]?.revision, 1);
    store.putChain(chain(2));
    assert.equal(store.chains()[0]?.revision, 2);
    store.deleteChain(hook);
    assert.deepEqual(store.chains(), []);
    store.close();
});

test("a replaced program names the one that has its place now, in this boot alone", () => {
    const store = Store.open(directory, "boot-a");
    const id = (number: number) => number as ProgramId;
    store.insertReplaced(id(1), id(2));
    store.insertReplaced(id(2), id(5));
    assert.deepEqual(
        [1, 2, 5].map(one => store.replacedBy(id(one))),
        [5, 5, undefined],
    );
    store.close();
    const later = Store.open(directory, "boot-b");
    assert.equal(later.replacedBy(id(1)), undefined);
    later.forgetOtherBoots();
    later.close();
    const again = Store.open(directory, "boot-a");
    assert.equal(again.replacedBy(id(1)), undefined);
    again.close();
});

test("a list is one query whatever its length, and none where nothing was written since", t => {
    const store = Store.open(directory, "boot-a");
    store.transaction(() => {
        for (let id = 1; id <= 1000; id++) store.insertProgram(program(id));
    });
    const queries = t.mock.method(StatementSync.prototype, "all").mock;
    assert.equal(store.programs().length, 1000);
    assert.equal(queries.callCount(), 1);
    assert.equal(store.programs().length, 1000);
    assert.equal(queries.callCount(), 1, "what was read is at hand");
    store.deleteProgram(1000 as ProgramId);
    assert.equal(store.programs().length, 999);
    assert.equal(queries.callCount(), 2, "after a write it is asked again");
    store.close();
});

test("of each kind of event the latest are kept: many of one push out none of another", () => {
    const event = (kind: EventKind, message = "") => ({
        ...{ kind, message, time: "2026-01-01T00:00:00Z", by: "root" },
        ...{ programIds: [], linkIds: [], mapIds: [7 as MapId], subjects: ["counts"] },
    });
    const store = Store.open(directory, "boot-a");
    const loaded = store.addEvent(event("PROGRAM_LOADED", "first"));
    const db = new DatabaseSync(join(directory, "store.db"));
    db.exec(`INSERT INTO events (kind, time, made_by, program_ids, link_ids, map_ids, subjects, message)
        WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < ${keptOfEachKind})
        SELECT 'MAP_CHANGED', '', '', '[]', '[]', '[]', '[]', '' FROM many`);
    db.close();
    const last = store.addEvent(event("MAP_CHANGED", "last"));
    const all = { limit: 2 * keptOfEachKind, before: undefined, kinds: [] };
    const { events, more } = store.events(all);
    assert.deepEqual([events.length, more], [keptOfEachKind + 1, false]);
    assert.deepEqual(events[0], { sequence: last, ...event("MAP_CHANGED", "last") });
    assert.deepEqual(events.at(-1), { sequence: loaded, ...event("PROGRAM_LOADED", "first") });
    const page = store.events({ ...all, limit: 1, kinds: ["MAP_CHANGED", "REFUSED"], before: last });
    assert.deepEqual([page.events[0]?.sequence, page.more], [last - 1, true]);
    store.close();
});

test("links that are in no chain are kept with what they are attached to", () => {
    const store = Store.open(directory, "boot-a");
    const hooks: ProbeHook[] = [
        { kind: "tracepoint", group: "sched", name: "sched_switch" },
        { kind: "kretprobe", function: "vfs_read", offset: 0 },
        {
            kind: "uprobe",
            target: "libc",
            path: "/lib/libc.so.6",
            function: "malloc",
            offset: 4,
            fileOffset: 4100,
            pid: 7,
            containerPid: 8,
        },
        { kind: "perf_event", event: "cpu-clock", cpu: 1, rate: { frequencyHz: 99 } },
        { kind: "cgroup", path: "/sys/fs/cgroup/a", attachType: "cgroup_device" },
    ];
    const ids = { kernelLinkId: 9 as KernelLinkId, furtherKernelLinkIds: [10, 11] as KernelLinkId[] };
    const empty = { interface: "", netns: "", priority: 0, proceedOn: [] };
    const records = hooks.map(hook => store.insertLink({ ...link(1), ...empty, ...ids, hook }));
    store.close();
    const again = Store.open(directory, "boot-a");
    assert.deepEqual(again.links(), records);
    again.close();
});

test("a file of the first schema is brought up to date with its rows", () => {
    const db = new DatabaseSync(join(directory, "store.db"));
    db.exec(migrations[0] ?? "");
    db.exec("PRAGMA user_version = 1");
    const insert = (table: string, row: Record<string, SQLInputValue>) => {
        const columns = db
            .prepare(`PRAGMA table_info(${table})`)
            .all()
            .map(column => String(column["name"]));
        const old = columns.filter(column => column in row);
        const sql = `INSERT INTO ${table} (${old.join(", ")}) VALUES (${old.map(column => `:${column}`).join(", ")})`;
        db.prepare(sql).run(Object.fromEntries(old.map(column => [column, row[column] ?? null])));
    };
    insert("programs", programParameters(program(1)));
    insert("links", linkParameters(link(1)));
    db.close();
    const store = Store.open(directory, "boot-a");
    assert.deepEqual(store.programs(), [program(1)]);
    assert.deepEqual(store.links(), [{ ...link(1), id: 1 }]);
    store.close();
});
