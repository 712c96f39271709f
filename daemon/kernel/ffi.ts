// SPDX-License-Identifier: Apache-2.0
// The gate to the kernel: the only file that imports koffi. libc and libbpf as typed functions; every libc call
// answers its result, or the negative errno.
import koffi from "koffi";
import { BpfmanError } from "../model/error.ts";

/** An opaque C pointer; null is NULL. */
export type Pointer = bigint | null;

// biome-ignore lint/suspicious/noExplicitAny: koffi types every foreign function so; each is narrowed where it is declared
type Foreign = (...args: any[]) => any;

const libcLibrary = koffi.load("libc.so.6");

/** Declares a libc function that sets errno, so that it answers >= 0 or -errno. */
function errnoCall<A extends unknown[]>(declaration: string): (...args: A) => number {
    const call = libcLibrary.func(declaration) as Foreign;
    return (...args) => {
        const result = call(...args) as number | bigint;
        // errno belongs to the thread and the next call of anything may change it: read at once
        if (result < 0) return -koffi.errno();
        return Number(result);
    };
}

const syscalls: Partial<Record<NodeJS.Architecture, { bpf: number; membarrier: number; perfEventOpen: number }>> = {
    x64: { bpf: 321, membarrier: 324, perfEventOpen: 298 },
    arm64: { bpf: 280, membarrier: 283, perfEventOpen: 241 },
    riscv64: { bpf: 280, membarrier: 283, perfEventOpen: 241 },
    loong64: { bpf: 280, membarrier: 283, perfEventOpen: 241 },
    ppc64: { bpf: 361, membarrier: 365, perfEventOpen: 319 },
};
// the same on every architecture: include/uapi/asm-generic/unistd.h
const sameEverywhere = { fsopen: 430, fsconfig: 431, fsmount: 432, openat2: 437 } as const;

const numbers = syscalls[process.arch];
if (numbers === undefined)
    throw new BpfmanError("UNIMPLEMENTED", `bpf(2) on ${process.arch} is unknown to this program`);

// Declared with fixed arguments on purpose: they travel in the same registers as syscall(2)'s variadic ones.
const syscall3 = errnoCall<[number, number, Uint8Array, number]>("long syscall(long, long, void *, long)");
const { bpf: bpfNumber, membarrier: membarrierNumber, perfEventOpen: perfEventOpenNumber } = numbers;
const perfEventOpen = errnoCall<[number, Uint8Array, number, number, number, number]>(
    "long syscall(long, void *, long, long, long, unsigned long)",
);
const openat2 = errnoCall<[number, number, string, Uint8Array, number]>(
    "long syscall(long, long, const char *, void *, long)",
);
const fsopen = errnoCall<[number, string, number]>("long syscall(long, const char *, long)");
const fsconfig = errnoCall<[number, number, number, null, null, number]>(
    "long syscall(long, long, long, const char *, const char *, long)",
);
const fsmount = errnoCall<[number, number, number, number]>("long syscall(long, long, long, long)");

export const libc = {
    bpf: (command: number, attr: Uint8Array): number => syscall3(bpfNumber, command, attr, attr.length),
    /** MEMBARRIER_CMD_GLOBAL: returns after every CPU has left the RCU read sections it was in. */
    membarrierGlobal: (): number => syscall3(membarrierNumber, 1, new Uint8Array(0), 0),
    close: errnoCall<[fd: number]>("int close(int)"),
    perfEventOpen: (attr: Uint8Array, pid: number, cpu: number, flags: number): number =>
        perfEventOpen(perfEventOpenNumber, attr, pid, cpu, -1, flags),
    openat2: (folder: number, path: string, how: Uint8Array): number =>
        openat2(sameEverywhere.openat2, folder, path, how, how.length),
    fsopen: (type: string, flags: number): number => fsopen(sameEverywhere.fsopen, type, flags),
    fsconfig: (fd: number, command: number): number => fsconfig(sameEverywhere.fsconfig, fd, command, null, null, 0),
    fsmount: (fd: number, flags: number, attributes: number): number =>
        fsmount(sameEverywhere.fsmount, fd, flags, attributes),
    fcntl: errnoCall<[fd: number, command: number, argument: number]>("int fcntl(int, int, long)"),
    mount: errnoCall<[source: string, target: string, type: string, flags: number, data: string]>(
        "int mount(const char *, const char *, const char *, unsigned long, const char *)",
    ),
    umount: errnoCall<[target: string, flags: number]>("int umount2(const char *, int)"),
    setns: errnoCall<[fd: number, type: number]>("int setns(int, int)"),
    socket: errnoCall<[domain: number, type: number, protocol: number]>("int socket(int, int, int)"),
    bind: errnoCall<[fd: number, address: Uint8Array, length: number]>("int bind(int, const void *, uint32_t)"),
    send: errnoCall<[fd: number, bytes: Uint8Array, length: number, flags: number]>(
        "long send(int, const void *, size_t, int)",
    ),
    sendto: errnoCall<
        [fd: number, bytes: Uint8Array, length: number, flags: number, address: Uint8Array, size: number]
    >("long sendto(int, const void *, size_t, int, const void *, uint32_t)"),
    recv: errnoCall<[fd: number, bytes: Uint8Array, length: number, flags: number]>(
        "long recv(int, void *, size_t, int)",
    ),
    getsockopt: errnoCall<[fd: number, level: number, name: number, value: Uint8Array, length: Uint8Array]>(
        "int getsockopt(int, int, int, void *, void *)",
    ),
    flock: errnoCall<[fd: number, operation: number]>("int flock(int, int)"),
    setrlimit: errnoCall<[resource: number, limits: Uint8Array]>("int setrlimit(int, const void *)"),
    prctl: errnoCall<[option: number, a: number, b: number, c: number, d: number]>(
        "int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)",
    ),
};

let libbpfLibrary: ReturnType<typeof koffi.load> | undefined;

function openLibbpf(): ReturnType<typeof koffi.load> {
    if (libbpfLibrary !== undefined) return libbpfLibrary;
    try {
        libbpfLibrary = koffi.load(process.env["LIBBPF"] ?? "libbpf.so.1");
    } catch (cause) {
        throw new BpfmanError("FAILED_PRECONDITION", "libbpf.so.1 cannot be opened", {
            hint: "Install libbpf 1.1 or newer (package libbpf, on Debian libbpf1).",
            cause,
        });
    }
    return libbpfLibrary;
}

/** Whether this libbpf exports the symbol. */
export function libbpfHas(symbol: string): boolean {
    try {
        openLibbpf().symbol(symbol, "void *");
        return true;
    } catch {
        return false;
    }
}

const declared = new Map<string, Foreign>();

/** Binds a libbpf function on its first call, so that a program that needs none of it never opens the library. */
function libbpfCall<F extends (...args: never[]) => unknown>(declaration: string): F {
    return ((...args: unknown[]) => {
        let call = declared.get(declaration);
        if (call === undefined) {
            call = openLibbpf().func(declaration) as Foreign;
            declared.set(declaration, call);
        }
        return call(...args);
    }) as unknown as F;
}

/** Functions that answer an int answer 0 or -errno; those that answer a pointer answer null and set errno. */
export const libbpf = {
    versionString: libbpfCall<() => string>("const char *libbpf_version_string()"),
    setPrint: libbpfCall<(callback: null) => Pointer>("void *libbpf_set_print(void *)"),
    openMem: libbpfCall<(bytes: Uint8Array, length: number, options: Uint8Array) => Pointer>(
        "void *bpf_object__open_mem(const void *, size_t, const void *)",
    ),
    loadObject: libbpfCall<(object: Pointer) => number>("int bpf_object__load(void *)"),
    closeObject: libbpfCall<(object: Pointer) => void>("void bpf_object__close(void *)"),
    objectBtf: libbpfCall<(object: Pointer) => Pointer>("void *bpf_object__btf(const void *)"),
    nextProgram: libbpfCall<(object: Pointer, program: Pointer) => Pointer>(
        "void *bpf_object__next_program(const void *, void *)",
    ),
    nextMap: libbpfCall<(object: Pointer, map: Pointer) => Pointer>("void *bpf_object__next_map(const void *, void *)"),
    programName: libbpfCall<(program: Pointer) => string>("const char *bpf_program__name(const void *)"),
    sectionName: libbpfCall<(program: Pointer) => string>("const char *bpf_program__section_name(const void *)"),
    setType: libbpfCall<(program: Pointer, type: number) => number>("int bpf_program__set_type(void *, int)"),
    setExpectedAttachType: libbpfCall<(program: Pointer, type: number) => number>(
        "int bpf_program__set_expected_attach_type(void *, int)",
    ),
    setAutoload: libbpfCall<(program: Pointer, on: boolean) => number>("int bpf_program__set_autoload(void *, bool)"),
    setFlags: libbpfCall<(program: Pointer, flags: number) => number>("int bpf_program__set_flags(void *, uint32_t)"),
    setAttachTarget: libbpfCall<(program: Pointer, fd: number, name: string) => number>(
        "int bpf_program__set_attach_target(void *, int, const char *)",
    ),
    setLogBuf: libbpfCall<(program: Pointer, buffer: Pointer, size: number) => number>(
        "int bpf_program__set_log_buf(void *, void *, size_t)",
    ),
    setLogLevel: libbpfCall<(program: Pointer, level: number) => number>(
        "int bpf_program__set_log_level(void *, uint32_t)",
    ),
    programFd: libbpfCall<(program: Pointer) => number>("int bpf_program__fd(const void *)"),
    mapName: libbpfCall<(map: Pointer) => string>("const char *bpf_map__name(const void *)"),
    mapFd: libbpfCall<(map: Pointer) => number>("int bpf_map__fd(const void *)"),
    mapType: libbpfCall<(map: Pointer) => number>("int bpf_map__type(const void *)"),
    mapKeySize: libbpfCall<(map: Pointer) => number>("uint32_t bpf_map__key_size(const void *)"),
    mapValueSize: libbpfCall<(map: Pointer) => number>("uint32_t bpf_map__value_size(const void *)"),
    mapMaxEntries: libbpfCall<(map: Pointer) => number>("uint32_t bpf_map__max_entries(const void *)"),
    mapFlags: libbpfCall<(map: Pointer) => number>("uint32_t bpf_map__map_flags(const void *)"),
    mapReuseFd: libbpfCall<(map: Pointer, fd: number) => number>("int bpf_map__reuse_fd(void *, int)"),
    mapSetPinPath: libbpfCall<(map: Pointer, path: null) => number>("int bpf_map__set_pin_path(void *, const char *)"),
    mapSetInitialValue: libbpfCall<(map: Pointer, bytes: Uint8Array, length: number) => number>(
        "int bpf_map__set_initial_value(void *, const void *, size_t)",
    ),
    btfFindByNameKind: libbpfCall<(btf: Pointer, name: string, kind: number) => number>(
        "int btf__find_by_name_kind(const void *, const char *, uint32_t)",
    ),
};

const mapInitialValueCall = libbpfCall<(map: Pointer, size: number[]) => Pointer>(
    "void *bpf_map__initial_value(void *, _Out_ size_t *)",
);

/** A view of a map's initial value inside libbpf, valid until the object is closed; undefined where it has none. */
export function mapInitialValue(map: Pointer): Uint8Array | undefined {
    const size = [0];
    const pointer = mapInitialValueCall(map, size);
    if (pointer === null) return undefined;
    return new Uint8Array(koffi.view(pointer, Number(size[0])));
}

/** The thread's errno: to be read in the statement after a libbpf function that answered null. */
export const lastErrno = (): number => koffi.errno();

/** Address of a buffer's bytes. The buffer must stay referenced until the kernel is done with it. */
export function address(buffer: Uint8Array | null): bigint {
    return buffer === null ? 0n : BigInt(koffi.address(buffer));
}

/** C memory that V8 never moves or frees; for what libbpf keeps a pointer to. */
export class CMemory implements Disposable {
    readonly pointer: bigint;
    readonly size: number;
    constructor(sizeBytes: number) {
        this.size = sizeBytes;
        this.pointer = koffi.alloc("uint8_t", sizeBytes) as unknown as bigint;
        new Uint8Array(koffi.view(this.pointer, 1))[0] = 0;
    }
    /** The bytes up to the first NUL, as UTF-8. */
    text(): string {
        const bytes = new Uint8Array(koffi.view(this.pointer, this.size));
        const end = bytes.indexOf(0);
        return new TextDecoder().decode(bytes.slice(0, end < 0 ? bytes.length : end));
    }
    [Symbol.dispose](): void {
        koffi.free(this.pointer);
    }
}

const errnoNames = new Map(Object.entries(koffi.os.errno).map(([name, value]) => [value as number, name]));
errnoNames.set(524, "ENOTSUPP");

/** "EPERM" for 1 and for -1. */
export function errnoName(errno: number): string {
    const positive = Math.abs(errno);
    return errnoNames.get(positive) ?? `errno ${positive}`;
}

export const errno = koffi.os.errno as Readonly<Record<string, number>>;

/** Calls back whenever the descriptor is readable, until the returned function is called. Keeps no process alive. */
export function pollReadable(fd: number, callback: () => void): () => void {
    const handle = koffi.node.poll(fd, { readable: true }, callback);
    handle.unref();
    return () => handle.close();
}
