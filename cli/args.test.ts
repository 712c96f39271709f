// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArgs, UsageError } from "./args.ts";
import { root } from "./commands/commands.ts";

const parse = (line: string, env: Record<string, string> = {}) => parseArgs(root, line.split(" ").filter(Boolean), env);
const words = (line: string) =>
    parse(line)
        .path.map(({ name }) => name)
        .join(" ");

function refused(line: string): { message: string; exit: number } {
    try {
        parse(line);
    } catch (error) {
        assert(error instanceof UsageError, String(error));
        return { message: error.message, exit: error.exit };
    }
    return assert.fail(`${line} was taken`);
}

test("commands of both grammars are found, with and without their default", () => {
    const cases: [string, string][] = [
        ["program", "bpfman program list"],
        ["program -a", "bpfman program list"],
        ["program -o json", "bpfman program list"],
        ["link", "bpfman link list"],
        ["program load x.o --programs xdp:a", "bpfman program load file"],
        ["program load file x.o --programs xdp:a", "bpfman program load file"],
        ["program load --programs xdp:a x.o", "bpfman program load file"],
        ["link attach tcx 1 eth0 ingress -p 1", "bpfman link attach tcx"],
        ["list", "bpfman list programs"],
        ["list -a", "bpfman list programs"],
        ["list links", "bpfman list links"],
        ["list link", "bpfman list links"],
        ["attach 12 xdp -i eth0 -p 1", "bpfman attach xdp"],
        ["get program 12", "bpfman get program"],
        ["--runtime-dir /r program list", "bpfman program list"],
    ];
    for (const [line, path] of cases) assert.equal(words(line), path, line);
});

test("lists of words end where the next thing begins", () => {
    const { args, path } = parse(
        "load file --path x.o --programs xdp:pass xdp:drop -g a=01 b=02 xdp --iface eth0 --priority 5 --proceed-on pass drop -m k=v",
    );
    assert.equal(path.at(-1)?.name, "xdp");
    assert.equal(args.command, "xdp");
    assert.deepEqual(args.values("programs"), ["xdp:pass", "xdp:drop"]);
    assert.deepEqual(args.values("global"), ["a=01", "b=02"]);
    assert.deepEqual(args.values("proceed-on"), ["pass", "drop"]);
    assert.deepEqual(args.values("link-metadata"), ["k=v"]);
    assert.equal(args.value("priority"), "5");
    assert.equal(args.value("path"), "x.o");
});

test("-p before the hook is the path, behind it the priority", () => {
    const { args } = parse("load file -p x.o --programs xdp:pass xdp -i eth0 -p 5");
    assert.equal(args.value("path"), "x.o");
    assert.equal(args.value("priority"), "5");
});

test("a list of words may stand before single ones", () => {
    const several = parse("link attach tc 1 2 3 eth0 ingress -p 1").args;
    assert.deepEqual(several.values("PROG"), ["1", "2", "3"]);
    assert.equal(several.value("IFACE"), "eth0");
    assert.equal(several.value("DIRECTION"), "ingress");
    assert.deepEqual(parse("link attach xdp 1 eth0 -p 1").args.values("PROG"), ["1"]);
    assert.deepEqual(parse("program unload 1 2").args.values("ID"), ["1", "2"]);
});

test("values may be attached or follow, flags may be joined", () => {
    for (const line of [
        "program list -o json -q",
        "program list --output=json -q",
        "program list -qojson",
        "program list -qo=json",
    ]) {
        const { args } = parse(line);
        assert.equal(args.value("output"), "json", line);
        assert(args.flag("quiet"), line);
    }
    assert.deepEqual(parse("program list -m a=1 -m b=2").args.values("metadata"), ["a=1", "b=2"]);
    assert.equal(parse("program load --programs xdp:a -- -x.o").args.value("PATH"), "-x.o");
    assert.equal(parse("link attach xdp 1 eth0 -p -5").args.value("priority"), "-5");
});

test("a value that may be left out is taken behind an equals sign only", () => {
    const allowed = (line: string) => parse(`image verify ${line}`).args.value("allow-unsigned");
    assert.equal(allowed("x"), undefined);
    assert.equal(allowed("--allow-unsigned x"), "true");
    assert.equal(allowed("x --allow-unsigned=false"), "false");
    assert.match(refused("image verify x --allow-unsigned=maybe").message, /must be one of true, false, not "maybe"/);
});

test("variables stand in for flags that are not given; empty ones don't", () => {
    const env = { BPFMAN_RUNTIME_DIR: "/e", BPFMAN_SOCKET_PATH: "" };
    assert.equal(parse("program list", env).args.value("runtime-dir"), "/e");
    assert.equal(parse("program list --runtime-dir /f", env).args.value("runtime-dir"), "/f");
    assert.equal(parse("program list", env).args.flag("socket-path"), false);
});

test("a wrong command line is one sentence; 1 for noun-verb, 2 for the released forms", () => {
    const cases: [string, RegExp, number][] = [
        ["", /^expected one of: program, link/, 1],
        ["program lod x", /^unknown command "lod"; did you mean load\?$/, 1],
        ["wat", /^unknown command "wat"; expected one of: program/, 1],
        ["program list --tpye xdp", /^unknown flag --tpye; did you mean --type\?$/, 1],
        ["program load x.o --program xdp:a", /^unknown flag --program; did you mean --programs\?$/, 1],
        ["program list -z", /^unknown flag -z$/, 1],
        ["program load x.o", /^--programs is required: --programs TYPE:NAME,…$/, 1],
        ["program load", /^missing argument PATH: a BPF object file$/, 1],
        ["program get", /^missing argument ID/, 1],
        ["program get 1 2", /^unexpected argument "2"$/, 1],
        ["program list -o", /^-o needs a value: -o text\|json$/, 1],
        ["program list -o yaml", /^-o must be one of text, json, not "yaml"$/, 1],
        ["program list --quiet=1", /^--quiet takes no value$/, 1],
        ["link attach", /^expected one of: xdp, tc, tcx, tracepoint, kprobe, /, 1],
        ["link attach xdp 1", /^missing argument/, 1],
        ["link attach xdp 1 eth0", /^--priority is required: --priority N$/, 1],
        ["link attach tc 1 eth0", /^missing argument/, 1],
        ["attach 12", /^expected one of: xdp, tc, tcx, tracepoint, kprobe, /, 2],
        ["attach 12 xdp -p 1", /^--iface is required/, 2],
        ["attach 12 xpd -i eth0", /^unknown command "xpd"; did you mean xdp\?$/, 2],
        ["load file --path x.o", /^--programs is required/, 2],
        ["list program --wat", /^unknown flag --wat$/, 2],
        ["get", /^expected one of: program, link$/, 2],
    ];
    for (const [line, message, exit] of cases) {
        const error = refused(line);
        assert.match(error.message, message, line);
        assert.equal(error.exit, exit, line);
    }
});

test("help asks for nothing else", () => {
    assert.equal(parse("program load --help").help, "full");
    assert.equal(parse("link attach xdp -h").help, "short");
    assert.equal(parse("--help").help, "full");
    assert.equal(words("program load -h"), "bpfman program load file");
});
