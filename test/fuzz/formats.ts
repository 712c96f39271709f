// SPDX-License-Identifier: Apache-2.0
// Samples of formats, and mutations that know where their numbers and words are.
import { gzipSync, zstdCompressSync } from "node:zlib";
import { fixtureObject } from "../fixtures/objects.ts";
import { dockerLayer, ociConfig, ociIndex, ociLayer, ociManifest, tarEnd, tarMember } from "../image/registry.ts";
import type { Random } from "../lab/random.ts";
import { border, type Mutation, putNumber, words } from "./mutate.ts";

type Width = 1 | 2 | 4 | 8;
type Field = readonly [offset: number, width: Width];

const u64 = (bytes: Buffer, at: number) =>
    at >= 0 && at + 8 <= bytes.length ? Number(bytes.readBigUInt64LE(at) & 0xffffffffffffn) : 0;

/** One field of one record of a table gets another number. */
function field(fields: readonly Field[], place: (bytes: Buffer, random: Random) => number): Mutation {
    return (bytes, random) => {
        const [offset, width] = random.pick(fields);
        putNumber(bytes, place(bytes, random) + offset, width, border(random, 64));
        return bytes;
    };
}

// --- ELF: include/uapi/linux/elf.h ------------------------------------------------------------------------------

const headerFields: readonly Field[] = [
    ...([
        [4, 1],
        [5, 1],
        [6, 1],
        [16, 2],
        [18, 2],
        [20, 4],
        [24, 8],
        [32, 8],
        [40, 8],
        [48, 4],
    ] as const),
    ...([
        [52, 2],
        [54, 2],
        [56, 2],
        [58, 2],
        [60, 2],
        [62, 2],
    ] as const),
];
const sectionFields: readonly Field[] = [
    ...([
        [0, 4],
        [4, 4],
        [8, 8],
        [16, 8],
        [24, 8],
        [32, 8],
        [40, 4],
        [44, 4],
        [48, 8],
        [56, 8],
    ] as const),
];
const symbolFields: readonly Field[] = [
    [0, 4],
    [4, 1],
    [5, 1],
    [6, 2],
    [8, 8],
    [16, 8],
];
const relocationFields: readonly Field[] = [
    [0, 8],
    [8, 4],
    [12, 4],
];
const segmentFields: readonly Field[] = [
    [0, 4],
    [4, 4],
    [8, 8],
    [16, 8],
    [32, 8],
    [40, 8],
];

const SHT_SYMTAB = 2;
const SHT_REL = 9;
const SHT_DYNSYM = 11;

function sectionAt(bytes: Buffer, random: Random): number {
    const count = bytes.length > 62 ? bytes.readUInt16LE(60) : 0;
    return u64(bytes, 40) + 64 * random.below(Math.max(1, Math.min(count, 128)));
}

/** A record of a table of that type, where there is one. */
function recordAt(types: readonly number[], recordBytes: number) {
    return (bytes: Buffer, random: Random): number => {
        const start = u64(bytes, 40);
        const count = bytes.length > 62 ? Math.min(bytes.readUInt16LE(60), 128) : 0;
        const tables = Array.from({ length: count }, (_, index) => start + 64 * index).filter(
            at => at + 64 <= bytes.length && types.includes(bytes.readUInt32LE(at + 4)),
        );
        if (tables.length === 0) return random.below(bytes.length + 1);
        const table = random.pick(tables);
        const records = Math.floor(u64(bytes, table + 32) / recordBytes);
        return u64(bytes, table + 24) + recordBytes * random.below(Math.max(1, records));
    };
}

/** Two section headers change places. */
const swapSections: Mutation = (bytes, random) => {
    const [one, other] = [sectionAt(bytes, random), sectionAt(bytes, random)];
    if (Math.max(one, other) + 64 > bytes.length) return bytes;
    const kept = Buffer.from(bytes.subarray(one, one + 64));
    bytes.copy(bytes, one, other, other + 64);
    kept.copy(bytes, other);
    return bytes;
};

const symbols = recordAt([SHT_SYMTAB, SHT_DYNSYM], 24);

export const elf: readonly Mutation[] = [
    field(headerFields, () => 0),
    field(sectionFields, sectionAt),
    field(sectionFields, sectionAt),
    field(symbolFields, symbols),
    field(symbolFields, symbols),
    field(relocationFields, recordAt([SHT_REL], 16)),
    swapSections,
];

export const executable: readonly Mutation[] = [
    field(headerFields, () => 0),
    field(sectionFields, sectionAt),
    field(segmentFields, (bytes, random) => u64(bytes, 32) + 56 * random.below(14)),
    field(symbolFields, symbols),
];

// --- BTF: include/uapi/linux/btf.h ------------------------------------------------------------------------------

const word = (bytes: Buffer, random: Random) => 24 + 4 * random.below(Math.max(1, (bytes.length - 24) >> 2));

export const btf: readonly Mutation[] = [
    field(
        [
            [0, 2],
            [2, 1],
            [4, 4],
            [8, 4],
            [12, 4],
            [16, 4],
            [20, 4],
        ],
        () => 0,
    ),
    // a word of a type becomes a small number: mostly the id of another type, or a kind with few members
    (bytes, random) => {
        putNumber(bytes, word(bytes, random), 4, BigInt(random.below(random.pick([4, 40, 400]))));
        return bytes;
    },
    (bytes, random) => {
        putNumber(bytes, word(bytes, random), 4, BigInt(random.below(24) * 0x1000000 + random.below(6)));
        return bytes;
    },
    field([[0, 4]], word),
];

// --- ld.so.cache: glibc's sysdeps/generic/dl-cache.h -------------------------------------------------------------

export function smallLinkerCache(): Buffer {
    const names = ["libc.so.6\0", "/lib64/libc.so.6\0"];
    const cache = Buffer.alloc(48 + 24);
    cache.write("glibc-ld.so.cache1.1", 0, "latin1");
    cache.writeUInt32LE(1, 20);
    cache.writeUInt32LE(names.join("").length, 24);
    cache.writeUInt32LE(3, 48);
    cache.writeUInt32LE(72, 52);
    cache.writeUInt32LE(72 + (names[0]?.length ?? 0), 56);
    return Buffer.concat([cache, Buffer.from(names.join(""))]);
}

// --- text -------------------------------------------------------------------------------------------------------

export const wholeConfig = `
[interfaces.eth0]
xdp_mode = "skb"
shared = true
[interfaces."br-lan.7"]
xdp_mode = "drv"
[signing]
allow_unsigned = false
verify_enabled = true
[[signing.trusted_identities]]
certificate_identity = "me@example.com"
certificate_oidc_issuer_regexp = '^https://accounts\\.example\\.com$'
[database]
max_retries = 30
millisec_delay = 10000
[logging]
level = "warning"
format = "json"
[logging.components]
store = "debug"
[daemon]
idle_timeout = 90
`;

export const hostile = ["__proto__", "constructor", "toString", "\u202e", "\u001b[2J", "\0", "\ud800", "ÿ", "\r\n"];
const numbers = ["0", "-1", "1e999", "9223372036854775808", "0x7fffffff", "1_000", "nan", "-inf", "0.1"];

export const toml: readonly Mutation[] = [
    words([...numbers, ...hostile, '"""', "'''", "[[", "]]", "[", "]", "=", "{", "}", ".", ",", "#", "\n"]),
    words([
        "true",
        '""',
        "1979-05-27T07:32:00Z",
        "[interfaces]",
        "[signing]",
        'xdp_mode = "hw"\n',
        "\\u0000",
        "\\U0001",
    ]),
    words(["[".repeat(500), "a.".repeat(500), "{a=".repeat(200), '"('.repeat(20), "(a+)+$"]),
];

export const applyFiles = [
    `set: firewall
bytecode:
  - name: filter
    file: build/filter.bpf.o
    globals: {limit: "e8030000", rate: 5, ports: [80, 443]}
    private_maps: true
  - file: trace.o
programs:
  - name: drop-bad
    bytecode: filter
    function: xdp_drop
    type: xdp
    application: web
    metadata: {owner: me}
  - {bytecode: trace, function: on_unlink, type: fentry, attach_function: do_unlinkat}
links:
  - name: front
    program: drop-bad
    xdp: {interface: eth0, netns: /run/netns/blue, priority: 10, proceed_on: [pass, drop], mode: generic}
    metadata: {why: test}
  - program: drop-bad
    xdp: {interface: eth1, priority: 0, proceed_on: "pass,tx"}
  - program: on_unlink
    fentry: {}
`,
    `{"set": "s", "bytecode": [{"file": "x.o"}], "programs": [{"function": "p", "type": "kprobe"}],
 "links": [{"kprobe": {"function": "do_sys_open", "offset": 8}}, {"tc": {"interface": "eth0", "direction": "ingress", "priority": 1}}]}`,
    "set: s\nlinks: &all\n  - program: p\n    uprobe: {target: libc, function: malloc, pid: 1}\nprograms: *all\n",
];

export const yaml: readonly Mutation[] = [
    words([...numbers, ...hostile, "&a ", "*a", "<<: *a", "!!binary ", "!!set ", "? ", "- ", ": ", "|\n", ">-\n"]),
    words(["---\n", "...\n", "%YAML 1.1\n", "null", "~", "[]", "{}", "[", "{", '"', "'", "#", "\t", "\n  ", "@", "`"]),
    words(["[".repeat(40), "{a: ".repeat(40), "- ".repeat(40), "*a,".repeat(100)]),
];

const digest = `sha256:${"ab".repeat(32)}`;
const described = (mediaType: string) => ({ mediaType, digest, size: 100 });

export const manifests: readonly unknown[] = [
    { schemaVersion: 2, mediaType: ociManifest, config: described(ociConfig), layers: [described(ociLayer)] },
    { schemaVersion: 2, config: described(ociConfig), layers: [described(dockerLayer), described(ociLayer)] },
    {
        schemaVersion: 2,
        mediaType: ociIndex,
        manifests: [{ ...described(ociManifest), platform: { os: "linux", architecture: "amd64" } }],
    },
    {
        architecture: "amd64",
        os: "linux",
        config: {
            Labels: {
                "io.ebpf.programs": '{"pass":"xdp","count":"kprobe"}',
                "io.ebpf.maps": '{"stats":"per_cpu_array"}',
                "io.ebpf.filename": "pass.o",
                "io.ebpf.program_type": "xdp",
                "io.ebpf.bpf_function_name": "pass",
            },
        },
    },
];

export const json: readonly Mutation[] = [
    words([...numbers, ...hostile, "null", "true", "[]", "{}", "[", "{", "]", "}", '"', ",", ":", "\\u0000"]),
    words(['"manifests":[],', '"layers":[],', '"size":-1,', '"size":1e30,', '"__proto__":{"a":1},', '"mediaType":"",']),
    words(["[".repeat(2000), '{"a":'.repeat(500)]),
];

// --- archives ---------------------------------------------------------------------------------------------------

function pax(records: Readonly<Record<string, string>>): Buffer {
    const lines = Object.entries(records).map(([key, value]) => {
        const rest = ` ${key}=${value}\n`;
        const digits = String(rest.length + String(rest.length).length).length;
        return `${rest.length + digits}${rest}`;
    });
    return Buffer.from(lines.join(""));
}

export function archives(): Buffer[] {
    const object = fixtureObject("xdp_pass").subarray(0, 1500);
    const link = tarMember("a.o", Buffer.alloc(0), "2", "/etc/shadow");
    return [
        Buffer.concat([tarMember("dir/", Buffer.alloc(0), "5"), tarMember("dir/pass.o", object), tarEnd]),
        Buffer.concat([
            tarMember("x", pax({ path: `${"p/".repeat(80)}a.o`, size: "1500" }), "x"),
            tarMember("a", object),
        ]),
        Buffer.concat([tarMember("g", pax({ comment: "c" }), "g"), tarMember("b.o", object.subarray(0, 512)), tarEnd]),
        Buffer.concat([tarMember("././@LongLink", Buffer.from(`${"l".repeat(200)}.o\0`), "L"), tarMember("l", object)]),
        Buffer.concat([tarMember("b.o", object), link, tarEnd]),
    ];
}

const blockAt = (bytes: Buffer, random: Random) => 512 * random.below(Math.max(1, bytes.length >> 9));

export const tar: readonly Mutation[] = [
    // another type, another size, another piece of a header
    (bytes, random) => {
        const at = blockAt(bytes, random) + 156;
        if (at < bytes.length) bytes.write(random.pick([..."01234567xgLKSDV\0 "]), at, "latin1");
        return bytes;
    },
    (bytes, random) => {
        const size = random.pick([
            "00000000000",
            "77777777777",
            "00000001000",
            "0000000777\0",
            "-1",
            " 5 ",
            "zzz",
            "\x80",
        ]);
        const at = blockAt(bytes, random) + 124;
        if (at < bytes.length) bytes.write(size, at, "latin1");
        return bytes;
    },
    words(["../", "\0", "/", "..", "30 path=", " size=99999999999999\n", "9 size=\n", "ustar\x0000", "ustar  \0"]),
];

/** Every block that says it is a header gets the right sum, so that what it says is read. */
export const tarSums: Mutation = bytes => {
    for (let at = 0; at + 512 <= bytes.length; at += 512) {
        if (bytes.toString("latin1", at + 257, at + 262) !== "ustar") continue;
        bytes.fill(0x20, at + 148, at + 156);
        const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
        bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148, "latin1");
    }
    return bytes;
};

export function compressedLayers(): Buffer[] {
    const large = Buffer.concat([tarMember("a.o", Buffer.alloc(3 << 20, 7)), tarEnd]);
    return [...archives(), large].flatMap(archive => [gzipSync(archive), zstdCompressSync(archive)]);
}
