// SPDX-License-Identifier: Apache-2.0
// The words of docs/architecture.md as types. No behaviour but the one error class; every room imports it.

declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

/** The kernel's program id: unique within one boot. */
export type ProgramId = Branded<number, "ProgramId">;
/** Our link id: small, never reused, also not after a reboot. */
export type LinkId = Branded<number, "LinkId">;
/** The kernel's link id: unique within one boot. */
export type KernelLinkId = Branded<number, "KernelLinkId">;
/** The kernel's map id: unique within one boot. */
export type MapId = Branded<number, "MapId">;

export const programTypes = [
    ...(["xdp", "tc", "tcx", "tracepoint", "kprobe", "kretprobe", "uprobe", "uretprobe"] as const),
    ...(["fentry", "fexit", "lsm", "perf_event", "raw_tracepoint", "cgroup"] as const),
] as const;
/** bpfman's word for a program's type. A link is of the kind of its program. */
export type ProgramType = (typeof programTypes)[number];
/** The types whose programs see packets at a network interface, in a chain. */
export type NetworkKind = "xdp" | "tc" | "tcx";

export type Direction = "ingress" | "egress";
export type XdpMode = "native" | "generic";
export type XdpModeWanted = "auto" | XdpMode;

/** What the configuration says of an interface, for links that leave the mode open. */
export interface ConfiguredXdpMode {
    readonly mode: XdpMode;
    /** where that is said, as part of a sentence */
    readonly source: string;
}

/** Codes as google.rpc.Code names them; api/ maps them to gRPC numbers and HTTP statuses. */
export type Code =
    | "INVALID_ARGUMENT"
    | "NOT_FOUND"
    | "ALREADY_EXISTS"
    | "FAILED_PRECONDITION"
    | "PERMISSION_DENIED"
    | "RESOURCE_EXHAUSTED"
    | "DEADLINE_EXCEEDED"
    | "CANCELLED"
    | "ABORTED"
    | "UNIMPLEMENTED"
    | "UNAVAILABLE"
    | "INTERNAL";

export interface ErrorFacts {
    /** errno by name, where a system call failed */
    readonly errno?: string | undefined;
    /** the verifier's whole log */
    readonly log?: string | undefined;
    /** what to do next, one sentence */
    readonly hint?: string | undefined;
    /** stays in the journal */
    readonly cause?: unknown;
}

/** The one error that crosses rooms: what failed on which object, why, and what to do next. */
export class BpfmanError extends Error {
    override readonly name = "BpfmanError";
    readonly code: Code;
    readonly errno: string | undefined;
    readonly log: string | undefined;
    readonly hint: string | undefined;
    constructor(code: Code, message: string, facts: ErrorFacts = {}) {
        super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
        this.code = code;
        this.errno = facts.errno;
        this.log = facts.log;
        this.hint = facts.hint;
    }
}

/** How long a caller waits for changes of others to end. */
export interface Patience {
    readonly ms: number;
    /** where that was said, for the error */
    readonly said: string;
}

/** Who is at the other end of a connection, as the kernel says. */
export interface Caller {
    /** undefined: for ever */
    readonly patience?: Patience | undefined;
    readonly uid: number;
    readonly gid: number;
    readonly pid: number;
    /** the human behind a privileged bridge: /proc/PID/loginuid; undefined where none is set */
    readonly loginUid: number | undefined;
}

// --- what is asked for ---------------------------------------------------------------------------------------

export interface ProgramSpec {
    readonly name: string;
    readonly type: ProgramType;
    /** fentry, fexit: the kernel's function; lsm: the hook; fixed when the program is loaded. Else empty */
    readonly attachFunction: string;
}

export type NetworkHookRequest =
    | {
          readonly kind: "xdp";
          readonly interface: string;
          /** path of a network namespace; empty: the daemon's own */
          readonly netns: string;
          readonly priority: number;
          /** action codes; empty: the default */
          readonly proceedOn: readonly number[];
          readonly mode: XdpModeWanted;
      }
    | {
          readonly kind: "tc";
          readonly interface: string;
          readonly netns: string;
          readonly direction: Direction;
          readonly priority: number;
          readonly proceedOn: readonly number[];
      }
    | {
          readonly kind: "tcx";
          readonly interface: string;
          readonly netns: string;
          readonly direction: Direction;
          readonly priority: number;
      };

/** Hooks where programs do not form chains. kprobe and uprobe: whether at the return follows from the program. */
export type ProbeHookRequest =
    | { readonly kind: "tracepoint"; readonly group: string; readonly name: string }
    | { readonly kind: "kprobe"; readonly function: string; readonly offset: number }
    | {
          readonly kind: "uprobe";
          /** an absolute path, or the name of a library */
          readonly target: string;
          /** empty: offset counts from the file's beginning, else from the function's */
          readonly function: string;
          readonly offset: number;
          /** fires in this process only; undefined: in all */
          readonly pid: number | undefined;
          /** the target is looked up as this process sees it */
          readonly containerPid: number | undefined;
      }
    | { readonly kind: "fentry" | "fexit" | "lsm" }
    | {
          readonly kind: "perf_event";
          /** a word of the perf tool: cpu-clock, page-faults, cycles … */
          readonly event: string;
          /** undefined: every one that is online */
          readonly cpu: number | undefined;
          /** samples a second, or events between two samples */
          readonly rate: SampleRate;
      }
    | { readonly kind: "raw_tracepoint"; readonly name: string }
    /** an absolute path, or one below the root of the control groups */
    | { readonly kind: "cgroup"; readonly path: string };

export type SampleRate = { readonly frequencyHz: number } | { readonly period: number };

export type HookRequest = NetworkHookRequest | ProbeHookRequest;

export interface LoadRequest {
    readonly object: Uint8Array;
    readonly sourcePath: string;
    /** where the object came from an image */
    readonly image?: ImageOrigin | undefined;
    readonly programs: readonly ProgramSpec[];
    readonly globalData: ReadonlyMap<string, Uint8Array>;
    /** others, as people write them */
    readonly globalValues?: ReadonlyMap<string, GlobalText>;
    readonly metadata: ReadonlyMap<string, string>;
    readonly mapOwnerId: ProgramId | undefined;
    readonly privateMaps: boolean;
    readonly attach: readonly { programName: string; hook: HookRequest; metadata: ReadonlyMap<string, string> }[];
}

export interface AttachItem {
    readonly programId: ProgramId;
    readonly hook: HookRequest;
    readonly metadata: ReadonlyMap<string, string>;
}

// --- what is wanted: rows of the store -----------------------------------------------------------------------

/** Hook of a chain: the network namespace's inode and cookie, and the ifindex in it. */
export interface HookKey {
    readonly kind: NetworkKind;
    /** ingress for xdp */
    readonly direction: Direction;
    readonly nsid: bigint;
    readonly netnsCookie: bigint;
    readonly ifindex: number;
}

/** A hook that is no chain, resolved: what the kernel was told. */
export type ProbeHook =
    | { readonly kind: "tracepoint"; readonly group: string; readonly name: string }
    | { readonly kind: "kprobe" | "kretprobe"; readonly function: string; readonly offset: number }
    | {
          readonly kind: "uprobe" | "uretprobe";
          readonly target: string;
          /** the file that the target is, as the process that it was looked up for sees it */
          readonly path: string;
          readonly function: string;
          readonly offset: number;
          /** from the file's beginning */
          readonly fileOffset: number;
          readonly pid: number | undefined;
          readonly containerPid: number | undefined;
      }
    | { readonly kind: "fentry" | "fexit" | "lsm"; readonly function: string }
    | {
          readonly kind: "perf_event";
          readonly event: string;
          readonly cpu: number | undefined;
          readonly rate: SampleRate;
      }
    | { readonly kind: "raw_tracepoint"; readonly name: string }
    /** attachType: lower-case name of enum bpf_attach_type, from the program's section */
    | { readonly kind: "cgroup"; readonly path: string; readonly attachType: string };

export type Hook = HookKey | ProbeHook;

export interface ProgramRecord {
    readonly id: ProgramId;
    readonly bootId: string;
    /** the kernel's tag, hex: with the id and the boot it tells that an object is ours */
    readonly tag: string;
    readonly name: string;
    readonly type: ProgramType;
    readonly section: string;
    readonly frags: boolean;
    /** as in ProgramSpec */
    readonly attachFunction: string;
    readonly sourcePath: string;
    readonly image?: ImageOrigin | undefined;
    readonly objectSha256: string;
    readonly globalData: ReadonlyMap<string, Uint8Array>;
    readonly metadata: ReadonlyMap<string, string>;
    readonly mapOwnerId: ProgramId | undefined;
    /** programs of one map set share their maps */
    readonly mapSet: number;
    /** the set's maps by name, internal ones (.rodata, .bss) too */
    readonly mapIds: ReadonlyMap<string, MapId>;
    readonly license: string;
    readonly gplCompatible: boolean;
    /** RFC 3339 */
    readonly createdAt: string;
    readonly createdBy: string;
}

export interface LinkRecord {
    readonly id: LinkId;
    readonly bootId: string;
    readonly programId: ProgramId;
    readonly hook: Hook;
    /** empty where the hook is not of a network interface, as the fields up to proceedOn */
    readonly interface: string;
    /** path as it was given; empty: the daemon's own */
    readonly netns: string;
    readonly priority: number;
    /** empty for tcx */
    readonly proceedOn: readonly number[];
    /** ties: links made by a later request come first (xdp, tc) or last (tcx) … */
    readonly request: number;
    /** … and within one request in the order given */
    readonly requestIndex: number;
    readonly metadata: ReadonlyMap<string, string>;
    readonly createdAt: string;
    readonly createdBy: string;
    /** its own kernel link; undefined for xdp and tc, where the chain has it */
    readonly kernelLinkId: KernelLinkId | undefined;
    /** the others of a link that is several in the kernel: a perf_event on each CPU */
    readonly furtherKernelLinkIds: readonly KernelLinkId[];
}

export interface NetworkLinkRecord extends LinkRecord {
    readonly hook: HookKey;
}

export interface ProbeLinkRecord extends LinkRecord {
    readonly hook: ProbeHook;
}

export type Backend = "direct" | "freplace" | "tail-call" | "libxdp";

/** The bpf filter that holds a TC chain where the kernel has no TCX. */
export interface TcFilter {
    /** tc's pref: its place among filters of others */
    readonly priority: number;
    readonly handle: number;
    /** whether the qdisc is of our making */
    readonly ownQdisc: boolean;
}

/** One realisation of an XDP or TC chain in the kernel. */
export interface ChainRecord {
    readonly hook: HookKey;
    readonly bootId: string;
    readonly interface: string;
    readonly netns: string;
    readonly revision: number;
    readonly backend: Backend;
    readonly backendReason: string;
    /** xdp */
    readonly mode: XdpMode | undefined;
    readonly modeReason: string;
    readonly frags: boolean;
    /** its dispatcher counts what each link does, while somebody watches statistics */
    readonly counting: boolean;
    /** the program at the hook */
    readonly programId: ProgramId;
    readonly programTag: string;
    /** 0 for a chain that is attached without a link: shared by libxdp's protocol, or held by a filter */
    readonly kernelLinkId: KernelLinkId;
    readonly filter?: TcFilter | undefined;
    /** by position; the freplace links of a freplace chain, else undefined */
    readonly members: readonly ChainMemberRecord[];
}

export interface ChainMemberRecord {
    readonly linkId: LinkId;
    readonly kernelLinkId: KernelLinkId | undefined;
}

// --- what is: the kernel's answers ---------------------------------------------------------------------------

export interface KernelProgram {
    readonly id: ProgramId;
    /** at most 15 bytes, as the kernel keeps it */
    readonly name: string;
    readonly type: number;
    /** lower-case name of enum bpf_prog_type: xdp, sched_cls, … */
    readonly typeName: string;
    readonly tag: string;
    readonly gplCompatible: boolean;
    /** RFC 3339 */
    readonly loadedAt: string;
    readonly uid: number;
    readonly btfId: number;
    readonly mapIds: readonly MapId[];
    readonly sizeXlated: number;
    readonly sizeJited: number;
    readonly verifiedInsns: number;
    readonly memlockBytes: number;
    /** fentry, fexit, lsm: the BTF object of the target (0 before Linux 5.17) and its function in it */
    readonly attachBtfObjId: number;
    readonly attachBtfId: number;
}

export interface KernelRunStats {
    readonly runTimeNs: bigint;
    readonly runCount: bigint;
    readonly recursionMisses: bigint;
}

export interface KernelMap {
    readonly id: MapId;
    readonly name: string;
    readonly type: number;
    readonly typeName: string;
    readonly keySize: number;
    readonly valueSize: number;
    readonly maxEntries: number;
    readonly flags: number;
    readonly btfId: number;
    readonly memlockBytes: number;
    readonly frozen: boolean;
    readonly mapExtra: bigint;
}

export interface KernelLink {
    readonly id: KernelLinkId;
    readonly programId: ProgramId;
    readonly type: number;
    readonly typeName: string;
    /** lower-case name of enum bpf_attach_type where the kernel tells */
    readonly attachType: string;
    readonly ifindex: number;
    readonly targetObjId: number;
    readonly targetBtfId: number;
    /** of a cgroup link; 0 once its group is gone */
    readonly cgroupId: bigint;
}

export interface Feature {
    readonly name: string;
    readonly supported: boolean;
    readonly errno: string;
    readonly note: string;
}

// --- the join: what list and get show ------------------------------------------------------------------------

export interface MapView {
    readonly kernel: KernelMap;
    readonly pinPath: string;
}

export interface LinkView {
    readonly record: LinkRecord;
    readonly programName: string;
    readonly application: string;
    readonly position: number;
    readonly kernelLinkId: KernelLinkId | undefined;
    readonly pinPath: string;
    /** one for each kernel link of its own; for xdp and tc that of pinPath */
    readonly pinPaths: readonly string[];
    /** with several kernel links: all of them */
    readonly kernelSeen: boolean;
    readonly pinPresent: boolean;
    readonly kernel: KernelLink | undefined;
    /** undefined but for xdp and tc */
    readonly chain: ChainRecord | undefined;
}

export interface ProgramView {
    readonly id: ProgramId;
    readonly record: ProgramRecord | undefined;
    readonly kernel: KernelProgram | undefined;
    readonly links: readonly LinkView[];
    readonly maps: readonly MapView[];
    readonly mapUsedBy: readonly ProgramId[];
    readonly stats: KernelRunStats | undefined;
    /** "dispatcher of xdp eth0" for what the daemon made for itself */
    readonly partOf: string;
    readonly pinPath: string;
    readonly mapPinPath: string;
    readonly objectPath: string;
    readonly pinPresent: boolean;
}

export interface ChainMemberView {
    readonly position: number;
    readonly priority: number;
    readonly linkId: LinkId | undefined;
    readonly programId: ProgramId;
    readonly programName: string;
    readonly kernelLinkId: KernelLinkId | undefined;
    readonly proceedOn: readonly number[];
    readonly foreign: boolean;
    readonly pinPath: string;
    readonly linkPinPath: string;
    readonly metadata: ReadonlyMap<string, string>;
}

export interface ChainView {
    /** xdp, tc-ingress, tc-egress, tcx-ingress, tcx-egress */
    readonly type: string;
    readonly nsid: bigint;
    readonly ifindex: number;
    readonly interface: string;
    readonly netns: string;
    readonly revision: number;
    readonly backend: Backend | "kernel" | "foreign";
    readonly backendReason: string;
    readonly mode: XdpMode | undefined;
    readonly modeReason: string;
    readonly frags: boolean;
    readonly programId: ProgramId | undefined;
    readonly kernelLinkId: KernelLinkId | undefined;
    readonly filter?: TcFilter | undefined;
    readonly members: readonly ChainMemberView[];
}

/** A connection of administration to this host. */
export interface AdminSession {
    readonly service: "ssh" | "cockpit";
    /** address and port */
    readonly peer: string;
    readonly local: string;
}

export interface InterfaceView {
    readonly name: string;
    readonly ifindex: number;
    readonly netns: string;
    readonly nsid: bigint;
    readonly up: boolean;
    readonly mtu: number;
    readonly mac: string;
    readonly kind: string;
    readonly xdpMode: string;
    readonly chains: readonly ChainView[];
    /** whose packets come in here; of the daemon's own namespace */
    readonly sessions: readonly AdminSession[];
}

// --- the configuration as it is told ---------------------------------------------------------------------------

export interface ConfigFacts {
    readonly path: string;
    readonly present: boolean;
    readonly settings: readonly {
        /** as "logging.level" */
        readonly key: string;
        /** as TOML writes it */
        readonly value: string;
        /** it stands in the file */
        readonly set: boolean;
        readonly description: string;
    }[];
    readonly warnings: readonly string[];
    readonly trusted: readonly { readonly subject: string; readonly issuer: string; readonly keyPath: string }[];
}

// --- a program's code ----------------------------------------------------------------------------------------

export interface CodeInstruction {
    readonly index: number;
    readonly text: string;
    readonly hex: string;
    readonly jumpTo: number | undefined;
    /** of the line that begins here */
    readonly source:
        | { readonly text: string; readonly file: string; readonly line: number; readonly column: number }
        | undefined;
}

export interface ProgramCode {
    readonly functions: readonly {
        readonly name: string;
        readonly prototype: string;
        readonly instructions: readonly CodeInstruction[];
    }[];
    /** why not all is told, as jitedUnavailable; else empty */
    readonly unavailable: string;
    readonly jitedBytes: number;
    readonly jited: Uint8Array | undefined;
    readonly jitedUnavailable: string;
}

/** What the verifier said of a load that succeeded. */
export interface VerifierLog {
    readonly log: string;
    readonly unavailable: string;
    readonly truncated: boolean;
}

// --- all of the kernel's BPF, whoever made it ------------------------------------------------------------------

export interface OwnerProcess {
    readonly pid: number;
    readonly name: string;
    readonly command: string;
    readonly uid: number;
    readonly user: string;
    /** as sshd.service; empty where it is none, as container */
    readonly unit: string;
    readonly container: string;
    readonly containerRuntime: string;
}

interface InventoryItem {
    readonly pids: readonly number[];
    readonly pinPaths: readonly string[];
    /** one word for grouping; empty where it is not known */
    readonly owner: string;
    /** "dispatcher of xdp eth0" for what the daemon made for itself */
    readonly partOf: string;
}

export interface InventoryProgram extends InventoryItem {
    readonly kernel: KernelProgram;
    readonly name: string;
    readonly managed: boolean;
    /** for people */
    readonly hooks: readonly string[];
    readonly stats: KernelRunStats | undefined;
    readonly application: string;
    readonly linkIds: readonly KernelLinkId[];
}

export interface InventoryMap extends InventoryItem {
    readonly kernel: KernelMap;
    readonly name: string;
    readonly managed: boolean;
    readonly programIds: readonly ProgramId[];
}

export interface InventoryLink extends InventoryItem {
    readonly kernel: KernelLink;
    readonly managedLinkId: LinkId | undefined;
    readonly hook: string;
}

export interface InventoryBtf {
    readonly id: number;
    readonly name: string;
    readonly sizeBytes: number;
    readonly kernel: boolean;
    readonly programIds: readonly ProgramId[];
    readonly mapIds: readonly MapId[];
    readonly pids: readonly number[];
}

export interface Inventory {
    readonly programs: readonly InventoryProgram[];
    readonly maps: readonly InventoryMap[];
    readonly links: readonly InventoryLink[];
    readonly btf: readonly InventoryBtf[];
    readonly processes: readonly OwnerProcess[];
    /** why owners are not, or not all, known; empty where they are */
    readonly ownersUnknown: string;
}

/** A name that a hook's target may have. */
export interface Target {
    readonly name: string;
    readonly detail?: string;
    /** of a file: it is a folder */
    readonly folder?: boolean;
    readonly sizeBytes?: number;
}

/** What an ELF object says of itself, without the kernel. */
export interface ObjectFacts {
    readonly programs: readonly ObjectProgram[];
    readonly maps: readonly string[];
    readonly globals: readonly ObjectGlobal[];
    /** what its maps are, in the order of maps */
    readonly mapDefinitions: readonly ObjectMap[];
    readonly license: string;
    readonly hasBtf: boolean;
}

export interface ObjectGlobal {
    readonly name: string;
    readonly sizeBytes: number;
    readonly section: string;
    /** C type; empty without BTF */
    readonly type: string;
    /** what the object sets it to */
    readonly value: Json | undefined;
}

export interface ObjectMap {
    readonly name: string;
    readonly typeName: string;
    readonly keySize: number;
    readonly valueSize: number;
    readonly maxEntries: number;
    readonly flags: number;
    /** C types; empty where the definition gives sizes only */
    readonly keyType: string;
    readonly valueType: string;
    /** LIBBPF_PIN_BY_NAME */
    readonly pinnedByName: boolean;
}

export interface ObjectProgram {
    readonly name: string;
    readonly section: string;
    /** undefined: the section name stands for nothing this daemon can load */
    readonly type: ProgramType | undefined;
    readonly otherTypes: readonly ProgramType[];
    readonly instructions: number;
    readonly frags: boolean;
}

export type EventKind =
    | "PROGRAM_LOADED"
    | "PROGRAM_UNLOADED"
    | "PROGRAM_REPLACED"
    | "LINK_ATTACHED"
    | "LINK_DETACHED"
    | "LINK_UPDATED"
    | "LINK_LOST"
    | "IMAGE_PULLED"
    | "IMAGE_REMOVED"
    | "SET_APPLIED"
    | "MAP_CHANGED"
    | "DAEMON_STARTED"
    | "REFUSED"
    | "INTERFACES_CHANGED"
    | "KERNEL_CHANGED";

export interface ChangeEvent {
    /** 0: it is not kept */
    readonly sequence: number;
    readonly kind: EventKind;
    readonly programIds: readonly ProgramId[];
    readonly linkIds: readonly LinkId[];
    readonly mapIds: readonly MapId[];
    /** RFC 3339 */
    readonly time: string;
    readonly by: string;
    /** names of what it was about */
    readonly subjects: readonly string[];
    readonly message: string;
}

export interface EventQuery {
    readonly limit: number;
    /** undefined: from the newest on */
    readonly before: number | undefined;
    /** empty: all */
    readonly kinds: readonly EventKind[];
}

export interface EventPage {
    /** newest first */
    readonly events: readonly ChangeEvent[];
    readonly more: boolean;
}

export interface BatchResult<Id> {
    readonly done: readonly Id[];
    readonly failures: readonly { id: Id; error: BpfmanError }[];
}

// --- what maps hold ------------------------------------------------------------------------------------------

/** What JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** A map by its id, or by a name that one map alone has: those of our programs come first. */
export interface MapSelector {
    readonly id: MapId | undefined;
    readonly name: string;
    /** with a name: of this program */
    readonly programId: ProgramId | undefined;
}

/** A key or a value as bytes, or as text that BTF gives a meaning. */
export type MapInput = Uint8Array | string;

export interface MapDetail {
    readonly kernel: KernelMap;
    /** as the object calls it; empty for maps of others */
    readonly name: string;
    /** programs of ours that have it */
    readonly programIds: readonly ProgramId[];
    readonly usedBy: readonly ProgramId[];
    readonly pinPaths: readonly string[];
    /** one of our programs has it */
    readonly managed: boolean;
    /** "dispatcher of xdp eth0" for what the daemon made for itself */
    readonly partOf: string;
    /** C types; empty without BTF */
    readonly keyType: string;
    readonly valueType: string;
    readonly perCpu: boolean;
    /** why not, one sentence; empty: entries can be read, changed */
    readonly unreadable: string;
    readonly unwritable: string;
    /** LIBBPF_PIN_BY_NAME */
    readonly shared: boolean;
}

export interface MapEntryView {
    readonly key: Uint8Array;
    /** undefined without BTF */
    readonly keyJson: Json | undefined;
    /** empty for a per-CPU map */
    readonly value: Uint8Array;
    readonly valueJson: Json | undefined;
    readonly cpus: readonly { cpu: number; value: Uint8Array; valueJson: Json | undefined }[];
    /** of the values of all CPUs, where they are made of numbers */
    readonly sum: Json | undefined;
}

export interface MapPage {
    readonly entries: readonly MapEntryView[];
    /** empty after the last page */
    readonly nextPageToken: string;
}

export interface MapChangeView {
    readonly kind: "READY" | "ADDED" | "CHANGED" | "DELETED" | "GONE";
    readonly entry: MapEntryView | undefined;
    readonly entryCount: number;
    /** RFC 3339 */
    readonly time: string;
}

export type MapUpdateMode = "any" | "noexist" | "exist";

/** What a test run of a program answered. */
export interface TestRun {
    readonly returnCode: number;
    /** empty for a code without a name */
    readonly returnName: string;
    readonly packet: Uint8Array;
    readonly nsPerRun: number;
    readonly runs: number;
}

/** A global variable's value as people write it. */
export interface GlobalText {
    readonly text: string;
    /** never read as bytes in hexadecimal */
    readonly typed: boolean;
}

// --- a set: programs and links that one file describes whole ---------------------------------------------------

export interface ApplyBytecode {
    readonly name: string;
    readonly object: Uint8Array;
    readonly sourcePath: string;
    /** where the object came from an image */
    readonly image?: ImageOrigin | undefined;
    readonly globalData: ReadonlyMap<string, Uint8Array>;
    readonly globalValues: ReadonlyMap<string, GlobalText>;
    readonly privateMaps: boolean;
}

export interface ApplyProgram {
    readonly name: string;
    readonly bytecode: string;
    readonly spec: ProgramSpec;
    readonly metadata: ReadonlyMap<string, string>;
}

export interface ApplyLink {
    readonly name: string;
    readonly program: string;
    readonly hook: HookRequest;
    readonly metadata: ReadonlyMap<string, string>;
}

export interface ApplyRequest {
    readonly set: string;
    readonly bytecode: readonly ApplyBytecode[];
    readonly programs: readonly ApplyProgram[];
    /** of equal priority at one hook, in the order they run */
    readonly links: readonly ApplyLink[];
    readonly dryRun: boolean;
}

export type ApplyAction = "load" | "replace" | "attach" | "update" | "detach" | "unload" | "keep";

/** What an apply does, or would do, to one program or link of its set. */
export interface ApplyStep {
    readonly action: ApplyAction;
    readonly kind: "program" | "link";
    readonly name: string;
    /** 0 for what a dry run would make */
    readonly id: number;
    /** for people */
    readonly detail: string;
}

export interface ApplyResult {
    readonly steps: readonly ApplyStep[];
    readonly warnings: readonly string[];
    /** the set's, in the order of the request; of a dry run none */
    readonly programs: readonly ProgramView[];
    readonly links: readonly LinkView[];
}

// --- images --------------------------------------------------------------------------------------------------

export const pullPolicies = ["Always", "IfNotPresent", "Never"] as const;
export type PullPolicy = (typeof pullPolicies)[number];

/** The image that a program was loaded from. */
export interface ImageOrigin {
    /** as it was asked for */
    readonly url: string;
    readonly digest: string;
    readonly pullPolicy: PullPolicy;
    /** as it was when the program was loaded; absent in rows of earlier releases */
    readonly signature?: SignatureState;
}

/** In no log, argument list or error. */
export type RegistryAuth =
    | { readonly kind: "password"; readonly username: string; readonly password: string }
    /** the text of an auth.json */
    | { readonly kind: "auth-file"; readonly text: string };

export interface ImageRequest {
    readonly url: string;
    readonly pullPolicy: PullPolicy;
    readonly auth: RegistryAuth | undefined;
}

export interface ImageLayer {
    readonly digest: string;
    readonly sizeBytes: number;
    readonly mediaType: string;
}

/** Whose certificates count; each is given either exactly or as a pattern of the whole text. */
export interface TrustedIdentity {
    readonly certificateIdentity: string | undefined;
    readonly certificateIdentityRegexp: RegExp | undefined;
    readonly certificateOidcIssuer: string | undefined;
    readonly certificateOidcIssuerRegexp: RegExp | undefined;
}

/** What the configuration says of images' signatures, beside the host's policy.json. */
export interface SigningRules {
    /** images without a signature that counts are taken too */
    readonly allowUnsigned: boolean;
    readonly verifyEnabled: boolean;
    /** empty: a certificate of anybody counts */
    readonly trustedIdentities: readonly TrustedIdentity[];
    /** files of public keys */
    readonly trustedKeys: readonly string[];
    /** file of a Sigstore trusted root; undefined: that of Sigstore's public instance */
    readonly trustedRoot: string | undefined;
}

/** What one call demands instead. */
export interface SignatureDemand {
    readonly identity?: TrustedIdentity | undefined;
    readonly allowUnsigned?: boolean | undefined;
}

/** simple: GPG's, that policy.json demands; cosign: a tag sha256-….sig; bundle: Sigstore's, as a referrer */
export type SignatureForm = "simple" | "cosign" | "bundle";

export interface SignatureState {
    /**
     * verified: by who is trusted; untrusted: there are signatures, and none counts; unsigned: there is none;
     * unchecked: nobody looked
     */
    readonly state: "verified" | "untrusted" | "unsigned" | "unchecked";
    /** one sentence: which rule, whose key, or what is wrong */
    readonly detail: string;
    /** of a verified one: the certificate's subject, or the key's file; else empty */
    readonly identity: string;
    /** who vouched for the certificate's subject */
    readonly issuer: string;
    readonly form: SignatureForm | undefined;
}

/** What is known of an image in the cache. */
export interface ImageFacts {
    readonly reference: string;
    /** of the manifest or index that the reference stood for */
    readonly digest: string;
    readonly mediaType: string;
    readonly manifestDigest: string;
    readonly architecture: string;
    readonly platforms: readonly string[];
    readonly labels: ReadonlyMap<string, string>;
    readonly programs: readonly { readonly name: string; readonly type: string }[];
    readonly maps: readonly { readonly name: string; readonly type: string }[];
    readonly layers: readonly ImageLayer[];
    readonly objectName: string;
    readonly objectSha256: string;
    readonly objectSizeBytes: number;
    /** RFC 3339 */
    readonly pulledAt: string;
    readonly usedAt: string;
    readonly signature: SignatureState;
    /** what decided over its signature has changed since */
    readonly policyChanged: boolean;
}

export interface PullProgress {
    readonly phase: "RESOLVING" | "PULLING" | "CHECKING";
    readonly bytes: number;
    /** 0: not known yet */
    readonly totalBytes: number;
    readonly layers: number;
    readonly totalLayers: number;
}

export interface PulledImage {
    readonly facts: ImageFacts;
    readonly object: Uint8Array;
    /** it was in the cache already */
    readonly cached: boolean;
}

// --- run statistics ------------------------------------------------------------------------------------------

export interface StatisticsRequest {
    readonly intervalMs: number;
    /** empty: all */
    readonly programIds: readonly ProgramId[];
    /** count in chains too */
    readonly chains: boolean;
}

/** What was counted between two looks, and until the later one. */
export interface StatisticsView {
    /** RFC 3339 */
    readonly time: string;
    /** between the two looks; 0 in the first record */
    readonly intervalMs: number;
    readonly programs: readonly ProgramStatistics[];
    readonly chains: readonly ChainStatistics[];
    /** why the kernel does not count; empty where it does */
    readonly unavailable: string;
    readonly cpus: number;
}

export interface RunCounts {
    readonly runs: bigint;
    readonly timeNs: bigint;
}

export interface ProgramStatistics extends RunCounts {
    readonly id: ProgramId;
    readonly name: string;
    /** lower-case name of enum bpf_prog_type */
    readonly type: string;
    /** since it was loaded, as far as the kernel counted */
    readonly total: RunCounts;
    readonly unmeasured: string;
    readonly byChain: boolean;
}

export interface ChainStatistics {
    /** as of ChainView */
    readonly type: string;
    readonly nsid: bigint;
    readonly ifindex: number;
    readonly interface: string;
    readonly slots: readonly SlotStatistics[];
    readonly packets: bigint;
    readonly verdicts: readonly VerdictStatistics[];
    readonly unmeasured: string;
}

export interface SlotStatistics extends RunCounts {
    readonly position: number;
    readonly linkId: LinkId;
    readonly programId: ProgramId;
    readonly verdicts: readonly VerdictStatistics[];
}

export interface VerdictStatistics {
    readonly action: number;
    readonly name: string;
    readonly count: bigint;
    /** since the stream began */
    readonly total: bigint;
}
