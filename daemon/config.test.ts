// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Config, configFacts, parseConfig, readConfig } from "./config.ts";
import { BpfmanError } from "./model/error.ts";

const path = "/etc/bpfman/bpfman.toml";
const parse = (text: string) => parseConfig(text, path);

const defaults: Config = {
    interfaces: new Map(),
    signing: {
        allowUnsigned: true,
        verifyEnabled: true,
        trustedIdentities: [],
        trustedKeys: [],
        trustedRoot: undefined,
    },
    logging: { level: "info", format: "text", components: new Map() },
    idleTimeoutMs: undefined,
    warnings: [],
    given: new Set(),
    present: true,
};

test("an empty file changes nothing", async () => {
    assert.deepEqual(await parse(""), defaults);
    assert.deepEqual(await parse("# nothing\n[interfaces]\n[signing]\n"), defaults);
});

test("every key that earlier releases know is read", async () => {
    const config = await parse(`
        [interfaces.eth0]
        xdp_mode = "skb"
        [interfaces."br-lan.7"]
        xdp_mode = "drv"
        [signing]
        allow_unsigned = false
        verify_enabled = true
        trusted_keys = ["/etc/pki/me.pub"]
        trusted_root = "/etc/pki/root.json"
        [[signing.trusted_identities]]
        certificate_identity = "me@example.com"
        certificate_oidc_issuer_regexp = "https://accounts\\\\.example\\\\.com"
        [database]
        max_retries = 30
        millisec_delay = 10000
        [logging]
        level = "warning"
        format = "json"
        [logging.components]
        store = "debug"
        api = "warning"
        [daemon]
        idle_timeout = 90
    `);
    assert.deepEqual(Object.fromEntries(config.interfaces), {
        eth0: { xdpMode: { mode: "generic", source: `interfaces.eth0.xdp_mode in ${path} is "skb"` }, shared: false },
        "br-lan.7": {
            xdpMode: { mode: "native", source: `interfaces."br-lan.7".xdp_mode in ${path} is "drv"` },
            shared: false,
        },
    });
    assert.equal(config.signing.allowUnsigned, false);
    const [identity] = config.signing.trustedIdentities;
    assert.equal(identity?.certificateIdentity, "me@example.com");
    assert.ok(identity?.certificateOidcIssuerRegexp?.test("https://accounts.example.com"));
    assert.ok(!identity?.certificateOidcIssuerRegexp?.test("https://accounts.example.com.evil.example"));
    assert.deepEqual(config.signing.trustedKeys, ["/etc/pki/me.pub"]);
    assert.equal(config.signing.trustedRoot, "/etc/pki/root.json");
    assert.deepEqual(config.logging, { level: "warn", format: "json", components: new Map([["api", "warn"]]) });
    assert.equal(config.idleTimeoutMs, 90_000);
    assert.deepEqual(config.warnings, [
        `${path}: logging.components.store has no effect: components are api, image, manager`,
    ]);
});

test("xdp_mode hw is tolerated: the driver runs it, and a warning says so", async () => {
    const config = await parse('[interfaces.eth0]\nxdp_mode = "hw"');
    assert.deepEqual(config.interfaces.get("eth0")?.xdpMode, {
        mode: "native",
        source: `interfaces.eth0.xdp_mode in ${path} is "hw"`,
    });
    assert.deepEqual(config.warnings, [
        `${path}: interfaces.eth0.xdp_mode is "hw": nothing is offloaded to hardware, the driver runs it`,
    ]);
});

test("what nobody heeds is named: unknown keys wherever they stand, and keys without effect", async () => {
    const { warnings } = await parse(`
        colour = "blue"
        [interfaces.eth0]
        xdp_mod = "skb"
        shared = true
        [[signing.trusted_identities]]
        certificate_identity = "a"
        certificate_oidc_issuer = "b"
        certificate = "c"
        [database]
        "a key" = 1
        [telemetry]
        on = true
    `);
    assert.deepEqual(warnings, [
        `${path}: unknown key interfaces.eth0.xdp_mod`,
        `${path}: unknown key signing.trusted_identities[0].certificate`,
        `${path}: unknown key database."a key"`,
        `${path}: unknown key colour`,
        `${path}: unknown key telemetry`,
    ]);
});

test("what can't be meant is refused by key and file", async () => {
    const cases: [string, string][] = [
        [`interfaces = 1`, `interfaces in ${path} must be a table, not 1`],
        [`[interfaces]\neth0 = "skb"`, `interfaces.eth0 in ${path} must be a table, not "skb"`],
        [`[interfaces.eth0]\nxdp_mode = 2`, `interfaces.eth0.xdp_mode in ${path} must be a string, not 2`],
        [
            `[interfaces.eth0]\nxdp_mode = "fast"`,
            `interfaces.eth0.xdp_mode in ${path} must be one of native, generic, drv, skb, hw, not "fast"`,
        ],
        [`[interfaces.eth0]\nshared = "yes"`, `interfaces.eth0.shared in ${path} must be true or false, not "yes"`],
        [`[signing]\nallow_unsigned = 0`, `signing.allow_unsigned in ${path} must be true or false, not 0`],
        [
            `[signing]\ntrusted_identities = 1`,
            `signing.trusted_identities in ${path} must be an array of tables, not 1`,
        ],
        [`[signing]\ntrusted_root = "a"`, `signing.trusted_root in ${path} must be an absolute path, not "a"`],
        [
            `[signing]\ntrusted_keys = "/a"`,
            `signing.trusted_keys in ${path} must be an array of absolute paths, not "/a"`,
        ],
        [
            `[signing]\ntrusted_keys = ["a"]`,
            `signing.trusted_keys in ${path} must be an array of absolute paths, not "a"`,
        ],
        [
            `[[signing.trusted_identities]]\ncertificate_identity = "a"`,
            `signing.trusted_identities[0].certificate_oidc_issuer in ${path}: give either certificate_oidc_issuer or certificate_oidc_issuer_regexp`,
        ],
        [
            `[[signing.trusted_identities]]\ncertificate_identity_regexp = "("\ncertificate_oidc_issuer = "b"`,
            `signing.trusted_identities[0].certificate_identity_regexp in ${path} is no regular expression`,
        ],
        [
            `[database]\nmax_retries = -1`,
            `database.max_retries in ${path} must be a whole number from 0 to 9007199254740991, not -1`,
        ],
        [
            `[logging]\nlevel = "loud"`,
            `logging.level in ${path} must be one of trace, debug, info, warn, error, warning, not "loud"`,
        ],
        [
            `[logging.components]\nstore = "loud"`,
            `logging.components.store in ${path} must be one of trace, debug, info, warn, error, warning, not "loud"`,
        ],
        [`[logging]\nformat = 1979-05-27`, `logging.format in ${path} must be a string, not a date`],
        [
            `[daemon]\nidle_timeout = 1.5`,
            `daemon.idle_timeout in ${path} must be a whole number from 0 to 2147483, not 1.5`,
        ],
    ];
    for (const [text, message] of cases)
        await assert.rejects(parse(text), (error: unknown) => {
            assert.ok(error instanceof BpfmanError, String(error));
            assert.equal(error.message, message);
            assert.equal(error.code, "INVALID_ARGUMENT");
            return true;
        });
});

test("what is no TOML is refused with line and column", async () => {
    await assert.rejects(parse(`[signing]\nallow_unsigned = yes\n`), { message: new RegExp(`^${path}:2:18: `) });
    await assert.rejects(parse(`[daemon\n`), { message: new RegExp(`^${path}:1:\\d+: `) });
    await assert.rejects(parse(`a = ${"[".repeat(100_000)}`), BpfmanError);
});

test("a key that is a property of every object is a key as any other", async () => {
    const { warnings } = await parse(`[constructor]\n[interfaces.__proto__]\nxdp_mode = "skb"\n`);
    assert.deepEqual(warnings, [`${path}: unknown key constructor`]);
});

test("a file: a link is followed, one that is not there is an empty one unless it was named", async () => {
    const dir = mkdtempSync(join(tmpdir(), "bpfman-config-"));
    try {
        const file = join(dir, "bpfman.toml");
        assert.deepEqual(await readConfig({ path: file, named: false }), { ...defaults, present: false });
        await assert.rejects(readConfig({ path: file, named: true }), { message: `no configuration file ${file}` });
        writeFileSync(join(dir, "real"), "[daemon]\nidle_timeout = 5\n");
        symlinkSync("real", file);
        assert.equal((await readConfig({ path: file, named: false })).idleTimeoutMs, 5000);
        mkdirSync(join(dir, "folder"));
        await assert.rejects(readConfig({ path: join(dir, "folder"), named: false }), /is no regular file/);
        writeFileSync(join(dir, "binary"), Buffer.from([0xff, 0xfe]));
        await assert.rejects(readConfig({ path: join(dir, "binary"), named: false }), /is not UTF-8/);
        writeFileSync(join(dir, "big"), Buffer.alloc((1 << 20) + 1, "#"));
        await assert.rejects(readConfig({ path: join(dir, "big"), named: false }), /has more than 1048576 bytes/);
    } finally {
        rmSync(dir, { recursive: true });
    }
});

test("mutations of a file never end in anything but a configuration or a refusal", async () => {
    const seed = `[interfaces.eth0]\nxdp_mode = "skb"\nshared = true\n[[signing.trusted_identities]]\ncertificate_identity = "a"\ncertificate_oidc_issuer = "b"\n[daemon]\nidle_timeout = 5\n`;
    const pieces = [
        "[",
        "]",
        "=",
        '"',
        "'",
        "\n",
        "{",
        "}",
        ",",
        ".",
        "1e9",
        "-",
        "inf",
        "true",
        "\\u0000",
        "\u0000",
        "#",
    ];
    let state = 7;
    const random = (below: number) => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
    };
    let taken = 0;
    for (let round = 0; round < 3000; round++) {
        let text = seed;
        for (let edit = 0; edit <= random(4); edit++) {
            const at = random(text.length);
            text = text.slice(0, at) + (pieces[random(pieces.length)] ?? "") + text.slice(at + random(6));
        }
        try {
            await parse(text);
            taken++;
        } catch (error) {
            assert.ok(error instanceof BpfmanError, `${JSON.stringify(text)}: ${String(error)}`);
        }
    }
    assert.ok(taken > 0 && taken < 3000, `${taken} of 3000 were taken`);
});

test("what is in force is told key by key, with what stands in the file", async () => {
    const config = await parseConfig('[logging]\nlevel = "debug"\n[interfaces.eth0]\nxdp_mode = "skb"\n', path);
    const { settings, present } = configFacts(config, path);
    const told = settings.map(({ key, value, set }) => `${key} = ${value}${set ? " (set)" : ""}`);
    assert.ok(present);
    assert.deepEqual(told.slice(0, 4), [
        'interfaces.eth0.xdp_mode = "generic" (set)',
        "interfaces.eth0.shared = false",
        "daemon.idle_timeout = 0",
        'logging.level = "debug" (set)',
    ]);
});
