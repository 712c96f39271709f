// SPDX-License-Identifier: Apache-2.0
// The whole command as a process, against a daemon that only answers: requests, text, JSON, errors, exit status.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";

const main = join(import.meta.dirname, "main.ts");
const dir = mkdtempSync(join(tmpdir(), "bpfman-cli-"));
const object = join(dir, "x.o");

interface Outcome {
    status: number | null;
    out: string;
    err: string;
}

function run(line: string | string[], env: Record<string, string> = {}): Promise<Outcome> {
    const words = typeof line === "string" ? line.split(" ").filter(Boolean) : line;
    const child = spawn(process.execPath, [main, ...words], {
        cwd: "/",
        env: { BPFMAN_RUNTIME_DIR: dir, TZ: "UTC", ...env },
        stdio: ["ignore", "pipe", "pipe"],
    });
    const outcome: Outcome = { status: null, out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", text => (outcome.out += text));
    child.stderr.setEncoding("utf8").on("data", text => (outcome.err += text));
    return new Promise(resolve =>
        child.on("close", status => {
            outcome.status = status;
            resolve(outcome);
        }),
    );
}

type Answer = (body: never) => { status?: number; json: unknown };
const answers = new Map<string, Answer>();
const requests: { method: string; body: unknown }[] = [];
const headers: IncomingHttpHeaders[] = [];

const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", piece => pieces.push(piece));
    request.on("end", () => {
        const method = (request.url ?? "").replace("/bpfman.host.v1.Host/", "");
        const body = JSON.parse(Buffer.concat(pieces).toString());
        requests.push({ method, body });
        headers.push(request.headers);
        const { status = 200, json } = answers.get(method)?.(body as never) ?? {
            status: 501,
            json: { code: "unimplemented", message: `no ${method} here` },
        };
        response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(json));
    });
});

before(async () => {
    writeFileSync(object, "object bytes");
    await new Promise<void>(resolve => server.listen(join(dir, "bpfman.sock"), resolve));
});

after(async () => {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
    rmSync(dir, { recursive: true });
});

beforeEach(() => {
    answers.clear();
    requests.length = 0;
});

const link = {
    id: 3,
    programId: 12,
    programName: "pass_packets_on",
    kind: "xdp",
    interface: "eth0",
    ifindex: 2,
    nsid: "4026531840",
    priority: 50,
    position: 1,
    proceedOn: [2, 31],
    createdAt: "2026-01-31T12:00:00.500Z",
    pinPath: "/run/bpfman/fs/xdp/l",
    kernelSeen: true,
    pinPresent: true,
    application: "web",
    dispatcherId: 40,
    revision: 7,
    backend: "tail-call",
    xdpMode: "native",
};

const program = {
    id: 12,
    record: {
        type: "xdp",
        name: "pass_packets_on",
        section: "xdp",
        sourcePath: "/srv/x.o",
        objectPath: "/var/lib/bpfman/objects/aa.o",
        globalData: { level: "AQI=" },
        metadata: { "bpfman.io/application": "web" },
        license: "GPL",
        gplCompatible: true,
        pinPath: "/run/bpfman/fs/prog_12",
        mapPinPath: "/run/bpfman/fs/maps/12",
        createdAt: "2026-01-31T12:00:00Z",
    },
    kernel: {
        id: 12,
        name: "pass_packets_on",
        type: 6,
        typeName: "xdp",
        tag: "0b7a36f1887aa4f6",
        gplCompatible: true,
        loadedAt: "2026-01-31T12:00:00Z",
        btfId: 5,
        mapIds: [8],
        sizeXlatedBytes: 184,
        sizeJitedBytes: 117,
        verifiedInsns: 13,
        memlockBytes: 4096,
    },
    links: [link],
    maps: [{ id: 8, name: "counts", type: 6, typeName: "percpu_array", keySize: 4, valueSize: 8, maxEntries: 1 }],
    stats: { runTimeNs: "9007199254740993", runCount: "2" },
    pinPresent: true,
};

const foreign = { id: 7, kernel: { id: 7, name: "evil\u001b[2J\u202e", type: 3, typeName: "sched_cls" } };

test("program list: text, ids, JSON; names that would steer the terminal are escaped", async () => {
    answers.set("ListPrograms", () => ({ json: { programs: [foreign, program] } }));
    assert.deepEqual(await run("program list --all"), {
        status: 0,
        err: "",
        out: [
            "PROGRAM ID  APPLICATION  TYPE      FUNCTION NAME      LINK IDS",
            "7                        schedcls  evil\\x1b[2J\\u202e  <none>",
            "12          web          xdp       pass_packets_on    3",
            "",
        ].join("\n"),
    });
    assert.equal((await run("program list -q")).out, "7\n12\n");
    const { out } = await run("program list -o json");
    assert(!out.includes("\u202e") && !out.includes("\u001b"));
    const listed = JSON.parse(out).programs;
    assert.equal(listed[0].function_name, foreign.kernel.name);
    assert.deepEqual(
        [listed[0].managed, listed[0].type, listed[0].record, listed[1].managed, listed[1].links],
        [false, "schedcls", null, true, [3]],
    );
    assert.deepEqual(
        requests.map(({ body }) => (body as { all: boolean }).all),
        [true, false, false],
    );
});

test("program list asks for what its flags say", async () => {
    answers.set("ListPrograms", () => ({ json: {} }));
    const { out } = await run("program list --type xdp,tc --type tcx --application web -m a=b --unattached");
    assert.equal(out, "");
    assert.deepEqual(requests[0]?.body, {
        all: false,
        types: ["xdp", "tc", "tcx"],
        application: "web",
        metadata: { a: "b" },
        attached: false,
    });
    assert.equal((await run("program list -o json")).out, '{\n  "programs": []\n}\n');
    await run("list programs -p tc");
    assert.deepEqual((requests.at(-1)!.body as { types: string[] }).types, ["sched_cls"]);
});

test("program get: every key is there, numbers keep their digits", async () => {
    answers.set("GetProgram", () => ({ json: program }));
    const { out } = await run("program get 12 -o json");
    assert.match(out, /"runtime": 9007199254740993,/);
    const { record, status } = JSON.parse(out);
    assert.deepEqual(
        Object.keys(record),
        "program_id load license gpl_compatible handles meta created_at updated_at".split(" "),
    );
    assert.deepEqual(
        Object.keys(record.load),
        "object_path source_path program_name program_type global_data image_source attach_func map_owner_id".split(
            " ",
        ),
    );
    assert.deepEqual(Object.keys(status), "kernel stats prog_pin map_dir bytecode links maps map_used_by".split(" "));
    assert.deepEqual(
        Object.keys(status.kernel),
        "id name program_type tag loaded_at uid has_uid btf_id has_btf_id map_ids has_map_ids jited_size xlated_size verified_insns memlock has_memlock restricted".split(
            " ",
        ),
    );
    assert.deepEqual(
        Object.keys(status.maps[0]),
        "id name map_type key_size value_size max_entries flags btf_id has_btf_id map_extra has_map_extra memlock has_memlock frozen pin_path present".split(
            " ",
        ),
    );
    assert.equal(status.maps[0].map_type, "percpuarray");
    assert.deepEqual(Object.keys(status.links[0].record.details), [
        ..."interface ifindex priority position proceed_on netns nsid dispatcher_id revision".split(" "),
    ]);
    assert.deepEqual(requests[0]?.body, { id: 12 });
});

test("program get: text", async () => {
    answers.set("GetProgram", () => ({ json: program }));
    const { out } = await run("program get 12");
    assert.match(out, /^Program ID: 12\nSpec:\n {2}GPL Compatible: {2}true\n {2}Global: {10}level=0102\n/);
    assert.match(out, /\n {2}Links:\n {4}3:\n {6}Attach: {2}eth0 pos-1\n {6}Kind: {4}xdp\n/);
    assert.match(out, /\n {2}Maps:\n {4}8:\n {6}Key Size: {5}4B\n/);
    assert.match(out, /\nStats:\n {2}Run Count: {2}2\n {2}Runtime: {4}9007199254740993ns\n$/);
});

test("the released forms print the released tables", async () => {
    answers.set("GetProgram", () => ({ json: program }));
    answers.set("ListPrograms", () => ({ json: { programs: [program] } }));
    answers.set("GetLink", () => ({ json: link }));
    const { out } = await run("get program 12");
    assert.match(
        out,
        /^ Bpfman State\n-{15}\n BPF Function: {2}pass_packets_on\n Program Type: {2}xdp\n Path: {10}\/srv\/x\.o\n/,
    );
    assert.match(out, /\n Map Owner ID: {2}None\n/);
    assert.match(out, /\n Kernel State\n-{34}\n Program ID: {23}12\n/);
    assert.match(out, /\n Loaded At: {24}2026-01-31T12:00:00\+0000\n/);
    assert.equal(
        (await run("list programs")).out,
        " Program ID  Application  Type  Function Name    Links\n 12          web          xdp   pass_packets_on  (1) 3\n",
    );
    assert.match(
        (await run("get link 3")).out,
        /\n Proceed On: {9}pass, dispatcher_return\n Network Namespace: {2}None\n Metadata: {11}bpfman\.io\/application=web\n/,
    );
});

test("program load sends the bytes, the path as a label, and what to attach", async () => {
    answers.set("Load", () => ({ json: { programs: [program], links: [link] } }));
    const words = `program load ${object} --programs xdp:a,xdp:b --attach b=xdp:eth0:prio=5 -g v=0102 -a web -m k=v --map-owner-id 4 --private-maps -o json`;
    const { status, out } = await run(words);
    assert.equal(status, 0);
    assert.deepEqual(Object.keys(JSON.parse(out)), ["programs", "links"]);
    assert.deepEqual(requests[0]?.body, {
        object: Buffer.from("object bytes").toString("base64"),
        sourcePath: object,
        programs: [
            { type: "xdp", name: "a" },
            { type: "xdp", name: "b" },
        ],
        globalValues: { v: { text: "0102" } },
        metadata: { k: "v", "bpfman.io/application": "web" },
        mapOwnerId: 4,
        privateMaps: true,
        attach: [{ programName: "b", xdp: { interface: "eth0", priority: 5, proceedOn: [], mode: "auto" } }],
        fullLog: false,
    });
});

test("load file with a hook behind it attaches every program there and prints both tables", async () => {
    answers.set("Load", () => ({ json: { programs: [program], links: [link] } }));
    const { out } = await run(
        `load file --path ${object} --programs xdp:a xdp -i eth0 -p 5 --proceed-on pass drop -m x=y`,
    );
    const { attach } = requests[0]!.body as { attach: unknown };
    assert.deepEqual(attach, [
        {
            programName: "a",
            xdp: { interface: "eth0", priority: 5, proceedOn: [2, 1], mode: "auto" },
            metadata: { x: "y" },
        },
    ]);
    assert.equal(out.match(/^ Bpfman State$/gm)?.length, 2);
    const wrong = await run(`load file --path ${object} --programs tc:a xdp -i eth0 -p 5`);
    assert.equal(wrong.status, 2);
    assert.match(wrong.err, /program a is a tc program; the xdp attach accepts xdp/);
});

test("a load that is wrong in itself reaches no daemon", async () => {
    const cases: [string, RegExp][] = [
        [`program load ${dir} --programs xdp:a`, /is a directory/],
        [`program load ${object} --programs xdp:a,xdp:b --attach xdp:eth0:prio=1`, /does not say which program/],
        [
            `program load ${object} --programs xdp:a --attach c=xdp:eth0:prio=1`,
            /names program "c", which --programs does not/,
        ],
        [`program load ${object} --programs xdp:a -m x`, /must be KEY=VALUE/],
    ];
    for (const [line, message] of cases) {
        const { status, out, err } = await run(line);
        assert.deepEqual([status, out], [1, ""], line);
        assert.match(err, new RegExp(`^bpfman: error: .*${message.source}`), line);
    }
    assert.deepEqual(requests, []);
});

test("several programs are attached by one request, in the order given", async () => {
    answers.set("Attach", () => ({ json: { links: [link, { ...link, id: 4, position: 2 }] } }));
    const { out } = await run("link attach xdp 12 13 eth0 -p 50 --proceed-on pass,tx -n /n -m k=v --mode generic");
    assert.deepEqual(requests.length, 1);
    const hook = { interface: "eth0", netns: "/n", priority: 50, proceedOn: [2, 3], mode: "generic" };
    assert.deepEqual(requests[0]?.body, {
        items: [12, 13].map(programId => ({ programId, xdp: hook, metadata: { k: "v" } })),
        fullLog: false,
    });
    assert.equal(out.match(/^Link ID: /gm)?.length, 2);
    assert.match(out, /\n\nLink ID: 4\n/);
});

test("link list, get, update", async () => {
    answers.set("ListLinks", () => ({ json: { links: [link] } }));
    answers.set("GetLink", () => ({ json: link }));
    answers.set("UpdateLink", () => ({ json: { ...link, priority: 9 } }));
    answers.set("UpdateLinks", () => ({ json: { links: [link, link] } }));
    assert.equal(
        (await run("link list --kind xdp --program-id 12")).out,
        "LINK ID  KERNEL LINK ID  KIND  PROGRAM ID  APPLICATION  FUNCTION NAME    ATTACHMENT\n" +
            "3        -               xdp   12          web          pass_packets_on  eth0 pos-1\n",
    );
    assert.deepEqual(requests[0]?.body, { programId: 12, kinds: ["xdp"], application: "", metadata: {} });
    const { record, status } = JSON.parse((await run("link get 3 -o json")).out);
    assert.deepEqual(
        Object.keys(record),
        "id program_id kernel_link_id kind pin_path details created_at metadata".split(" "),
    );
    assert.deepEqual(status, { kernel: null, kernel_seen: true, pin_present: true });
    await run("link update 3 --priority 9 --proceed-on pass,drop");
    assert.deepEqual(requests.at(-1)?.body, { linkId: 3, priority: 9, proceedOn: { actions: [2, 1] } });
    assert.match((await run("link update 3")).err, /nothing to change/);
    await run("link update 5 3 --priority 9");
    const updates = [5, 3].map(linkId => ({ linkId, priority: 9 }));
    assert.deepEqual(requests.at(-1)?.body, { updates });
});

test("links are listed by types in every spelling, the kernel's too", async () => {
    const kinds = ["tc", "tcx", "xdp", "raw_tracepoint"];
    answers.set("ListLinks", () => ({ json: { links: kinds.map((kind, at) => ({ ...link, id: at + 1, kind })) } }));
    const listed = async (line: string) => {
        const { out } = await run(line);
        const { body } = requests.at(-1) as { body: { kinds: string[] } };
        return [body.kinds.join(" "), out.trim().split("\n").join(" ")];
    };
    assert.deepEqual(await listed("link list -q -p sched-cls,RawTracepoint"), ["tc tcx raw_tracepoint", "1 2 4"]);
    assert.deepEqual(await listed("link list -q -p XDP --kind xdp,tc"), ["xdp tc", "3"]);
    assert.deepEqual(await listed("link list -q --metadata-selector a=b"), ["", "1 2 3 4"]);
    assert.equal((await listed("list links -p tc"))[0], "tc tcx");
    assert.equal((await listed("list links -p tracing"))[0], "fentry fexit");
    assert.match(
        (await run("link list -p xpd")).err,
        /^bpfman: error: Unknown program type: xpd; did you mean xdp\?\n/,
    );
});

test("dispatcher list and get", async () => {
    const chain = {
        type: "xdp",
        nsid: "4026531840",
        ifindex: 2,
        interface: "eth0",
        revision: 7,
        backend: "tail-call",
        backendReason: "this kernel refuses freplace",
        programId: 40,
        kernelLinkId: 21,
        members: [
            { position: 1, priority: 50, linkId: 3, programId: 12, programName: "second", proceedOn: [2, 31] },
            { priority: 5, linkId: 2, programId: 11, programName: "first", proceedOn: [1] },
        ],
    };
    answers.set("ListChains", () => ({ json: { chains: [chain] } }));
    answers.set("GetChain", () => ({ json: chain }));
    const list = await run("dispatcher list --type xdp --nsid 4026531840 --ifindex 2");
    assert.match(
        list.out,
        /^TYPE {2}NSID {8}IFINDEX {2}REVISION {2}PROGRAM ID {2}KERNEL LINK ID {2}PRIORITY {2}HANDLE {2}MEMBERS {2}NETNS\n/,
    );
    assert.deepEqual(requests[0]?.body, { type: "xdp", nsid: "4026531840", ifindex: 2 });
    const { out } = await run("dispatcher get xdp 4026531840 2");
    assert.match(out, /^Dispatcher: xdp nsid=4026531840 ifindex=2\nRevision: /);
    assert.match(
        out,
        /\n\nMembers \(2\/10\):\n {2}POS {2}PRIORITY .*\n {2}0 .*first.*drop\n {2}1 .*second.*pass, dispatcher_return\n$/,
    );
    const json = JSON.parse((await run("dispatcher get xdp 4026531840 2 -o json")).out);
    assert.deepEqual(Object.keys(json), ["key", "revision", "runtime", "members"]);
    assert.deepEqual(
        json.members.map((member: { position: number; proceed_on: number }) => [member.position, member.proceed_on]),
        [
            [0, 2],
            [1, 2147483652],
        ],
    );
    assert.match((await run("dispatcher get tcx 1 2")).err, /unknown dispatcher type "tcx"/);
});

test("batches tell each failure, and how many of how many", async () => {
    const failures = [{ id: 8, code: "NOT_FOUND", message: "program 8 does not exist" }];
    answers.set("Unload", () => ({ json: { done: [7], failures } }));
    assert.deepEqual(await run("program unload 7 8"), {
        status: 1,
        out: "",
        err: "program 8: program 8 does not exist\nbpfman: error: 1 of 2 program(s) failed to unload\n",
    });
    assert.deepEqual((await run("unload 8")).err, "bpfman: error: program 8 does not exist\n");
    answers.set("Detach", () => ({ json: { done: [1, 2] } }));
    assert.deepEqual(await run("link detach 1 2 --ignore-missing"), { status: 0, out: "", err: "" });
    assert.deepEqual(requests.at(-1)?.body, { linkIds: [1, 2], ignoreMissing: true });
    assert.equal((await run("detach 1 2 --ignore-missing")).status, 0);
    assert.deepEqual(requests.at(-1)?.body, { linkIds: [1, 2], ignoreMissing: true });
});

test("a refusal shows the verifier's words, what is left out, and what to do", async () => {
    const details = {
        errno: "EACCES",
        verifierLines: ["1: (71) r1", "bad\u001b"],
        verifierLinesOmitted: 4,
        hint: "Look.",
    };
    answers.set("Load", () => ({
        status: 400,
        json: { code: "invalid_argument", message: "the verifier refused a", details },
    }));
    const { status, out, err } = await run(`program load ${object} --programs xdp:a`);
    assert.deepEqual([status, out], [1, ""]);
    assert.equal(
        err,
        "bpfman: error: the verifier refused a\n    1: (71) r1\n    bad\\x1b\n" +
            "    (4 lines of the verifier's log left out; --full-log prints all)\nhint: Look.\n",
    );
    answers.set("Load", () => ({
        status: 400,
        json: { code: "invalid_argument", message: "no", details: { ...details, verifierLog: "a\nb\n" } },
    }));
    assert.equal(
        (await run(`program load ${object} --programs xdp:a --full-log`)).err,
        "bpfman: error: no\na\nb\nhint: Look.\n",
    );
});

test("a socket nobody serves, or something else serves, is one sentence", async () => {
    const { status, err } = await run("program list", { BPFMAN_SOCKET_PATH: object });
    assert.equal(status, 1);
    assert.match(err, /^bpfman: error: .*x\.o is not a socket$/m);
    assert.equal(err.trim().split("\n").length, 1);
    const long = await run(["program", "list", "--socket-path", `/${"x".repeat(120)}`]);
    assert.match(long.err, /^bpfman: error: the socket's path is too long/);
});

test("an unknown call is the daemon's word", async () => {
    assert.deepEqual(await run("features"), { status: 1, out: "", err: "bpfman: error: no Features here\n" });
});

test("settings tell what is in force, also to scripts", async () => {
    const settings = {
        ...{ configPath: "/etc/bpfman/bpfman.toml", configPresent: true, socketPath: "/run/x.sock", group: "bpfman" },
        ...{ imageCacheDir: "/var/cache/bpfman", imageCacheBytes: "1536", imageCacheLimitBytes: "536870912" },
        settings: [{ key: "logging.level", value: '"info"', set: true, description: "What is less is not logged." }],
        policies: [{ transport: "docker", scope: "", type: "reject" }],
        trustedIdentities: [{ keyPath: "/etc/key.pub" }, { subject: "me@x.org", issuer: "https://i" }],
    };
    answers.set("GetSettings", () => ({ json: settings }));
    const { out } = await run("settings");
    assert.match(out, /^Image cache: +\/var\/cache\/bpfman \(1\.5 KiB of at most 512 MiB\)$/m);
    assert.match(out, /^logging\.level +"info" +yes +What is less is not logged\.$/m);
    assert.match(out, /^ {2}docker \(all\) +reject$/m);
    assert.match(out, /^Trusted: \/etc\/key\.pub\nTrusted: me@x\.org \(https:\/\/i\)$/m);
    const json = JSON.parse((await run("settings -o json")).out);
    assert.deepEqual([json.image_cache_bytes, json.image_cache_limit_bytes], [1536, 536870912]);
});

test("version tells its own and the daemon's, and does without one", async () => {
    answers.set("Version", () => ({ json: { version: "9.9.9", pid: 77 } }));
    assert.match((await run("version")).out, /^Version: {7}\d.*\n(?:.*\n)*Daemon: {8}9\.9\.9 \(pid 77/);
    const alone = await run("version -o json", { BPFMAN_RUNTIME_DIR: join(dir, "none") });
    assert.equal(JSON.parse(alone.out).daemon, null);
    assert.equal(existsSync(join(dir, "none")), false);
    assert.match((await run("--version")).out, /^bpfman \d/);
});

test("a named configuration that is not there is an error", async () => {
    assert.match((await run("program list --config /nowhere.toml")).err, /configuration \/nowhere\.toml: no such file/);
});

test("help on every level goes to standard output", async () => {
    for (const line of [
        "--help",
        "help program",
        "program load --help",
        "help link attach xdp",
        "load file -h",
        "serve --help",
    ]) {
        const { status, out, err } = await run(line);
        assert.deepEqual([status, err], [0, ""], line);
        assert.match(out, /^Usage: bpfman/, line);
    }
    // as the operator's container is started
    assert.match((await run("serve --csi-support=true --help")).out, /^Usage: bpfman serve/);
    assert.match((await run("--csi-support --help")).out, /^Usage: bpfman serve/);
    assert.match((await run("program load -h")).out, /Examples:\n {2}bpfman program load file/);
});

test("a reader that goes away early is no crash", async () => {
    answers.set("ListPrograms", () => ({
        json: { programs: Array.from({ length: 20_000 }, (_, id) => ({ ...program, id: id + 1 })) },
    }));
    mkdirSync(join(dir, "pipe"), { recursive: true });
    const child = spawn("/bin/sh", ["-c", `"${process.execPath}" "${main}" program list | head -1`], {
        env: { BPFMAN_RUNTIME_DIR: dir, PATH: "/usr/bin:/bin" },
        stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", text => (out += text));
    child.stderr.setEncoding("utf8").on("data", text => (err += text));
    await new Promise(resolve => child.on("close", resolve));
    assert.match(out, /^PROGRAM ID/);
    assert.equal(err, "");
});

test("program delete: links, programs that use the maps, everything", async () => {
    const programs = [
        { id: 12, record: {} },
        { id: 13, record: { mapOwnerId: 12 } },
        { id: 14, record: { mapOwnerId: 13 } },
        { id: 15, record: {} },
    ];
    answers.set("ListPrograms", () => ({ json: { programs } }));
    answers.set("Unload", (body: { programIds: number[] }) => ({ json: { done: body.programIds } }));
    const unloaded = async (line: string) => {
        requests.length = 0;
        assert.deepEqual(await run(line), { status: 0, out: "", err: "" }, line);
        return requests.flatMap(({ method, body }) => (method === "Unload" ? [body] : []));
    };
    assert.deepEqual(await unloaded("program delete 12"), [{ programIds: [12] }]);
    assert.deepEqual(await unloaded("program delete -r 12"), [{ programIds: [12, 13, 14] }]);
    assert.deepEqual(await unloaded("program delete --all"), [{ programIds: [12, 13, 14, 15] }]);
    const nothing = await run("program delete");
    assert.match(nothing.err, /^bpfman: error: name programs by their ids, or give --all\n/);
    assert.match((await run("program delete 1 --all")).err, /exclude each other/);
});

test("link delete unloads programs that have no other link; dispatcher delete takes all of a chain", async () => {
    const links = [
        { id: 1, programId: 12 },
        { id: 2, programId: 13 },
        { id: 3, programId: 13 },
    ];
    answers.set("ListLinks", () => ({ json: { links } }));
    answers.set("Detach", (body: { linkIds: number[] }) => ({
        json: {
            done: body.linkIds.filter(id => id < 9),
            failures: body.linkIds
                .filter(id => id >= 9)
                .map(id => ({ id, code: "NOT_FOUND", message: `link ${id} does not exist` })),
        },
    }));
    answers.set("Unload", (body: { programIds: number[] }) => ({ json: { done: body.programIds } }));
    answers.set("GetChain", () => ({ json: { members: [{ linkId: 2 }, { linkId: 3 }, { foreign: true }] } }));
    const changes = () =>
        requests.filter(({ method }) => ["Detach", "Unload"].includes(method)).map(({ body }) => body);
    assert.deepEqual(await run("link delete 1 2"), { status: 0, out: "", err: "" });
    assert.deepEqual(changes(), [{ linkIds: [1, 2] }, { programIds: [12], ignoreMissing: true }]);
    requests.length = 0;
    assert.deepEqual(await run("dispatcher delete xdp 4026531840 2"), { status: 0, out: "", err: "" });
    assert.deepEqual(changes(), [{ linkIds: [2, 3] }]);
    const { status, err } = await run("link delete 1 9");
    assert.equal(status, 1);
    assert.match(err, /^link 9: link 9 does not exist\nbpfman: error: 1 of 2 link\(s\) failed to detach\n/);
});

test("--lock-timeout goes with changes, and with nothing else", async () => {
    answers.set("ListPrograms", () => ({ json: {} }));
    answers.set("Unload", () => ({ json: {} }));
    const header = async (line: string) => {
        headers.length = 0;
        assert.equal((await run(line)).status, 0, line);
        return headers.map(one => one["bpfman-lock-timeout-ms"]);
    };
    assert.deepEqual(await header("program unload 1"), ["30000"]);
    assert.deepEqual(await header("--lock-timeout 1m30s program unload 1"), ["90000"]);
    assert.deepEqual(await header("program unload 1 --lock-timeout 0"), [undefined]);
    assert.deepEqual(await header("program list"), [undefined]);
    assert.match((await run("program list --lock-timeout soon")).err, /invalid --lock-timeout "soon"/);
});
