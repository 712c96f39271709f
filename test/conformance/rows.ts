// SPDX-License-Identifier: Apache-2.0
// What earlier bpfman lines can do, and what their users asked for, each with the tests that prove it here. Whether a row
// holds is decided by those tests; where no test is named, `open` says why.

export interface Proof {
    readonly file: string;
    /** the test's name, with the suites around it where it takes them to tell it: "suite › test"; a pattern for names that vary */
    readonly test: string | RegExp;
}

interface Row {
    readonly proofs: readonly Proof[];
    /** what holds here where the tests pass, beyond a plain yes */
    readonly claim?: string;
    /** why nothing proves it, or what is left */
    readonly open?: string;
}

export interface Feature extends Row {
    readonly feature: string;
    /** the released line, 0.6, and the rewrite that follows it */
    readonly released: string;
    readonly rewrite: string;
}

export interface Ask extends Row {
    /** numbers of threads of the project that these users wrote to */
    readonly threads: string;
    readonly ask: string;
}

const in_ =
    (file: string) =>
    (...tests: (string | RegExp)[]): Proof[] =>
        tests.map(test => ({ file, test }));

const kernel = (name: string) => in_(`test/kernel/${name}.test.ts`);
const grpc = kernel("grpc");
const contract = kernel("contract");
const hooks = kernel("hooks");
const xdp = kernel("chain-xdp");
const tc = kernel("chain-tc");
const clsact = kernel("clsact");
const shared = kernel("shared-maps");
const globals = kernel("globals");
const command = kernel("cli");
const restart = kernel("restart");
const replace = kernel("replace");
const apply = kernel("apply");
const config = kernel("config");
const permissions = kernel("permissions");
const badInput = kernel("bad-input");
const loader = kernel("loader");
const vm = in_("test/vm/vm.test.ts");
const crash = in_("test/crash/kills.test.ts");
const rpm = in_("test/rpm/rpm.test.ts");
const page = in_("test/cockpit/main-job.test.ts");
const cliMain = in_("cli/main.test.ts");
const cliArgs = in_("cli/args.test.ts");
const cliJson = in_("cli/json-keys.test.ts");
const generated = in_("cli/generated.test.ts");
const daemonMain = in_("daemon/main.test.ts");
const sections = in_("daemon/kernel/elf/sections.test.ts");
const order = in_("daemon/chain/order.test.ts");
const libxdpOrder = in_("daemon/chain/libxdp-order.test.ts");
const image = in_("test/image/daemon.test.ts");
const pull = in_("test/image/pull.test.ts");
const build = in_("test/image/build.test.ts");
const signature = in_("test/image/signature.test.ts");
const sigstore = in_("test/image/sigstore.test.ts");
const select = in_("daemon/api/select.test.ts");
const sequences = in_("test/property/sequences.test.ts");

const everyType = /^the public contract › newest: (tracepoint|kprobe|kretprobe|uprobe|uretprobe|fentry|fexit)$/;
const later = "not part of this version: the Kubernetes side (CSI driver, agent, operator) comes after the host";

export const features: readonly Feature[] = [
    {
        feature: "load from a file or an OCI image",
        released: "both",
        rewrite: "both",
        proofs: [
            ...command("a program is loaded and attached by one command; bpftool and ip see it"),
            ...image("the sentence that everybody knows: load image quay.io/bpfman-bytecode/xdp_pass:latest"),
        ],
    },
    {
        feature: "several programs in one load",
        released: "yes, maps shared",
        rewrite: "yes, maps apart",
        claim: "yes, maps shared; `--private-maps` keeps them apart",
        proofs: [...shared("ProgramsOfOneLoadShareAndNoneOfThemOwns"), ...grpc("LoadGetAttachListDetachUnload")],
    },
    {
        feature: "load and attach apart, detach",
        released: "yes",
        rewrite: "yes",
        proofs: grpc("LoadGetAttachListDetachUnload"),
    },
    {
        feature: "XDP: ten programs behind a dispatcher",
        released: "yes",
        rewrite: "yes",
        claim: "yes, by freplace or by tail calls",
        proofs: [
            ...xdp("RunsInOrderOfPriority", "TheEleventhIsRefusedAndNothingChanges"),
            ...vm(/xdp chains by freplace › RunsInOrderOfPriority$/),
        ],
    },
    {
        feature: "XDP mode by configuration, generic where the driver refuses",
        released: "yes",
        rewrite: "no",
        proofs: config(
            "TheConfiguredModeIsTakenWhereTheCallerNamesNone",
            "NativeInTheConfigurationFallsBackWhereTheDriverRefuses",
        ),
    },
    {
        feature: "XDP with frags",
        released: "not known",
        rewrite: "loads, no frags in a chain",
        proofs: [...xdp("FragsFollowTheFirstMember"), ...config("AJumboInterfaceRunsMembersWithFragsNatively")],
    },
    {
        feature: "one XDP chain with libxdp's tools",
        released: "no",
        rewrite: "no",
        proofs: [
            ...vm(
                /WeJoinAChainThatWasThereFirst/,
                /OthersJoinAChainOfOursThatIsShared$/,
                /WithoutSharedEachSideRefusesTheOther$/,
            ),
        ],
    },
    {
        feature: "TC: ten programs behind a dispatcher",
        released: "yes, clsact",
        rewrite: "yes, clsact",
        claim: "yes, on TCX or clsact",
        proofs: [
            ...tc(
                "TcRunsInOrderOfPriorityAndCostsOneRebuild",
                "EveryReturnCodeMeansWhatItMeansToClsact",
                "TcTenFitAndTheEleventhIsRefused",
            ),
            ...vm(/in a machine with kernel 6\.1\.\S+ › .*EveryReturnCodeMeansWhatItMeansToClsact/),
        ],
    },
    {
        feature: "TCX in order of priority",
        released: "yes",
        rewrite: "yes",
        proofs: tc("TcxRunsInOrderOfPriorityNewestLastAtEqual", "ATcxLinkThatMovesIsNeverMissing"),
    },
    {
        feature: "tracepoint, kprobe, kretprobe, uprobe, uretprobe, fentry, fexit",
        released: "yes",
        rewrite: "yes",
        proofs: [
            ...contract(everyType),
            ...vm(
                /EachRunsItsProgramUntilItIsDetached › (tracepoint|kprobe and kretprobe|uprobe and uretprobe|fentry and fexit)$/,
            ),
        ],
    },
    {
        feature: "LSM",
        released: "no",
        rewrite: "yes",
        proofs: [...contract("the public contract › newest: lsm"), ...vm(/EachRunsItsProgramUntilItIsDetached › lsm$/)],
    },
    {
        feature: "perf_event, raw tracepoints, cgroup programs",
        released: "no",
        rewrite: "no",
        proofs: hooks(
            "EachRunsItsProgramUntilItIsDetached › perf_event",
            "EachRunsItsProgramUntilItIsDetached › raw_tracepoint",
            "EachRunsItsProgramUntilItIsDetached › cgroup",
        ),
    },
    {
        feature: "sk_lookup, netfilter, kprobe.multi, USDT, iterators, struct_ops",
        released: "no",
        rewrite: "no",
        proofs: [],
        open: "left for a later version",
    },
    {
        feature: "uprobes in containers",
        released: "entry probes only",
        rewrite: "yes, with library names",
        proofs: hooks("EachRunsItsProgramUntilItIsDetached › uprobe in a container"),
    },
    {
        feature: "kprobes in containers",
        released: "refused",
        rewrite: "no option",
        claim: "refused in words: a kernel function is in no container",
        proofs: in_("daemon/api/bpfman-v1.test.ts")("Attach refuses what is missing, unknown or not built"),
    },
    {
        feature: "XDP, TC and TCX in network namespaces",
        released: "yes",
        rewrite: "yes",
        proofs: [...grpc("AnAgentKeepsProgramsLoadedAndAttached"), ...xdp("ANamespaceInUseCanBeDeletedAndDies")],
    },
    {
        feature: "global variables",
        released: "yes",
        rewrite: "yes, names checked",
        claim: "yes, names and sizes checked, also by value",
        proofs: globals(
            "DigitsThatMakeUpTheBytesAreBytesAsTheyEverWere",
            "EachTypeTakesWhatPeopleWrite",
            "WhatDoesNotFitIsRefusedAndNothingIsLoaded",
        ),
    },
    {
        feature: "maps shared by `map_owner_id`",
        released: "recorded only",
        rewrite: "yes",
        proofs: [
            ...shared("MapsOutliveTheirOwnerAndCanBeSharedOn", "PinsLiveUntilTheLastUserHasGoneInAnyOrder"),
            ...grpc("AMapOwnerMayGoFirst"),
        ],
    },
    {
        feature: "maps pinned by name",
        released: "in /sys/fs/bpf",
        rewrite: "in its own file system, counted",
        claim: "in its own file system, counted",
        proofs: shared("LoadsOfOneNameShareAndTheLastOneTakesThePinAlong", "ManyAtOnceShareOneMap"),
    },
    {
        feature: "map pins open to a group",
        released: "0660",
        rewrite: "no",
        claim: "0660, group bpfman",
        proofs: permissions("read their maps by the pins, with no capability and unprivileged bpf disabled"),
    },
    { feature: "CSI driver", released: "yes", rewrite: "yes, stricter", proofs: [], open: later },
    {
        feature: "metadata, application, selectors",
        released: "yes",
        rewrite: "yes, labels too",
        proofs: [
            ...select("the application has two keys, the newer first", "every metadata pair must match"),
            ...in_("cli/values.test.ts")("selectors pick by labels"),
        ],
    },
    {
        feature: "list of programs that others loaded",
        released: "command and gRPC",
        rewrite: "command only",
        claim: "command, gRPC and page",
        proofs: [
            ...grpc("ListSelectsByManagerTypeAndMetadata"),
            ...page("shows what others attached as not managed here"),
        ],
    },
    {
        feature: "JSON output",
        released: "no",
        rewrite: "yes",
        claim: "yes, key for key",
        proofs: cliJson(
            "program get, and each program of program load",
            "program list",
            "link attach, link get and link list, for every kind",
            "dispatcher list and dispatcher get",
        ),
    },
    {
        feature: "dispatcher list and get",
        released: "no",
        rewrite: "hidden command",
        proofs: [...cliMain("dispatcher list and get"), ...sequences(/random changes over three interfaces/)],
    },
    {
        feature: "unload and detach in batches, `--ignore-missing`",
        released: "no",
        rewrite: "yes",
        proofs: [
            ...cliMain("batches tell each failure, and how many of how many"),
            ...badInput(/of unknown ids, each of them told; with --ignore-missing none$/),
        ],
    },
    {
        feature: "deleting with what hangs on it",
        released: "no",
        rewrite: "hidden",
        proofs: cliMain(
            "program delete: links, programs that use the maps, everything",
            "link delete unloads programs that have no other link; dispatcher delete takes all of a chain",
        ),
    },
    {
        feature: "gRPC server",
        released: "one status for every error",
        rewrite: "status codes",
        claim: "status codes; every call with every type, by clients of both contracts",
        proofs: [
            ...contract(
                /^the public contract › (released|newest): /,
                "ThirtyTwoClientsWithEveryTypeAtOnceLeaveNothing",
            ),
            ...grpc("EveryStatusSaysWhatIsWrong", "ASlowVerificationHoldsUpNobody"),
            ...image(
                "a client of the public contract pulls an image and loads from it, without a word of its password",
            ),
        ],
    },
    {
        feature: "socket activation, end when idle",
        released: "yes, after 15 s whatever is going on",
        rewrite: "no",
        proofs: daemonMain(
            "the service manager's socket is served and stays",
            "an idle daemon ends, one with a connection stays",
        ),
    },
    {
        feature: "systemd units, RPM",
        released: "yes",
        rewrite: "not yet",
        proofs: rpm(
            "have units that systemd accepts",
            "the first call starts the daemon, whose pins' file system is seen by all",
        ),
    },
    {
        feature: "store",
        released: "in /run",
        rewrite: "in /run",
        claim: "on disk; nothing of an old boot is touched",
        proofs: [
            ...restart("AfterARebootNothingOfTheOldBootIsShownOrTouched"),
            ...crash(/times at any moment of any change/),
        ],
    },
    {
        feature: "programs loaded again after a reboot",
        released: "no",
        rewrite: "no",
        proofs: [],
        open: "not yet by itself; a unit of one's own that runs `bpfman apply -f FILE` does it",
    },
    {
        feature: "sets of programs from a file",
        released: "removed (static programs)",
        rewrite: "no",
        claim: "`bpfman apply`",
        proofs: apply("MakesWhatIsListedAndASecondApplyChangesNothing", "AFailureInTheMiddleChangesNothing"),
    },
    {
        feature: "update in place: priority, proceed-on, bytecode",
        released: "no",
        rewrite: "no",
        proofs: [
            ...xdp("ProceedOnChangesInPlace"),
            ...replace("LinksOrderAndMapsStayAndTheOldIdNamesTheNew", "WhatTheVerifierRefusesChangesNothing"),
        ],
    },
    {
        feature: "signatures by cosign",
        released: "that there is one, always online",
        rewrite: "whose it is; the cache follows the policy",
        claim: "whose it is; the cache follows the policy",
        proofs: sigstore(
            "by a key and by a certificate, as tag and as bundle: each counts, and who signed is told",
            "another digest, another signer, an expired certificate: each is told",
            "rules that change are asked again, and the cache is not taken on trust",
        ),
    },
    {
        feature: "cache of images",
        released: "in /run",
        rewrite: "/var/cache",
        claim: "/var/cache, bounded",
        proofs: pull(
            "quay.io/bpfman-bytecode/xdp_pass:latest is pulled once, and is there without the registry",
            "the cache lists, shows, removes and prunes, and keeps within its bounds",
        ),
    },
    {
        feature: "passwords of registries from the host's files",
        released: "no",
        rewrite: "yes",
        proofs: pull("a password is asked for, given, and seen nowhere"),
    },
    {
        feature: "building images",
        released: "by docker or podman",
        rewrite: "by itself",
        claim: "by itself",
        proofs: build(
            "an image of one object is pushed, has the same digest twice, and is pulled again",
            "a folder of bpf2go's becomes an index with each machine's object",
        ),
    },
    {
        feature: "image inspect, image verify",
        released: "no",
        rewrite: "yes",
        claim: "both, also of images that are not in the cache; one look may demand another signer",
        proofs: [
            ...image(
                "image pull, list, inspect, remove, prune",
                "image verify answers 0 where a signature counts, and tells whose it is",
            ),
            ...sigstore(
                "one look demands another signer: the certificate counts, the key does not, and nothing is kept",
            ),
            ...signature("an image is taken where the right key signed it, and who did is told"),
        ],
    },
    {
        feature: "type held against the section, near names, the verifier's log",
        released: "in parts",
        rewrite: "yes",
        proofs: [
            ...sections("accepts what the section says and what it may stand for", "says what the section implies"),
            ...badInput("the command prints the verifier's reason, and all of its log where asked"),
            ...loader("TheVerifiersWholeLogIsKept"),
        ],
    },
    {
        feature: "commands and daemon at once",
        released: "lock, ten tries of a second",
        rewrite: "lock of 30 s, free reads",
        claim: "one daemon, `--lock-timeout`, free reads",
        proofs: [
            ...command("several commands at once start one daemon"),
            ...cliMain("--lock-timeout goes with changes, and with nothing else"),
            ...in_("daemon/manager/undo.test.ts")("WhoWaitsTooLongIsToldAndItsWorkNeverRuns"),
        ],
    },
    {
        feature: "exporters of metrics and of the audit log",
        released: "yes",
        rewrite: "no",
        proofs: [],
        open: "every change is logged with its caller; an endpoint of metrics is not built",
    },
    {
        feature: "shell completion, man pages",
        released: "yes",
        rewrite: "no",
        proofs: [
            ...generated(
                "every shell's script has every command and flag, and parses where the shell is installed",
                "every command has a manual page that roff reads without a complaint",
            ),
            ...rpm("hold command, daemon, dispatchers, page, units and licences, with the right modes"),
        ],
    },
    {
        feature: "statistics of programs",
        released: "no",
        rewrite: "in `program get`",
        proofs: cliMain("program get: every key is there, numbers keep their digits"),
    },
    {
        feature: "the Kubernetes agent as a client",
        released: "yes",
        rewrite: "yes, five calls",
        claim: "its five calls",
        proofs: grpc("AnAgentKeepsProgramsLoadedAndAttached"),
    },
    {
        feature: "web page",
        released: "no",
        rewrite: "no",
        claim: "in Cockpit",
        proofs: page(
            "uploads an object, shows its programs, and loads the chosen one into the kernel",
            "orders two programs by priority, changes it, moves, detaches and unloads",
        ),
    },
    {
        feature: "both grammars of the command",
        released: "its own",
        rewrite: "its own",
        claim: "both",
        proofs: [
            ...cliArgs("commands of both grammars are found, with and without their default"),
            ...command("the released forms: load and attach in one line, list, get, detach, unload"),
        ],
    },
];

export const asks: readonly Ask[] = [
    {
        threads: "#341, #33, #150, #232, #881, #736, #68",
        ask: "programs that are there again after a reboot, sets of them in files",
        claim: "sets in files (`bpfman apply`)",
        proofs: apply("MakesWhatIsListedAndASecondApplyChangesNothing", "TheCommandReadsYamlAndJson"),
        open: "not yet: loading again at boot by itself",
    },
    {
        threads: "#1563, #1577",
        ask: "a reboot must not leave a store that fails on pins of the boot before",
        proofs: restart("AfterARebootNothingOfTheOldBootIsShownOrTouched"),
    },
    {
        threads: "#597",
        ask: "lists as JSON",
        proofs: cliJson("program list", "link attach, link get and link list, for every kind"),
    },
    {
        threads: "#1415",
        ask: "lists that tell programs from links",
        proofs: cliMain(
            "program list: text, ids, JSON; names that would steer the terminal are escaped",
            "link list, get, update",
        ),
    },
    {
        threads: "#1225, #1004",
        ask: "get and list of programs that others loaded, and lists without them",
        proofs: grpc("ListSelectsByManagerTypeAndMetadata"),
    },
    {
        threads: "#1043",
        ask: "signatures that take no seconds, and no network where none is needed",
        proofs: [
            ...pull("quay.io/bpfman-bytecode/xdp_pass:latest is pulled once, and is there without the registry"),
            ...sigstore("rules that change are asked again, and the cache is not taken on trust"),
        ],
    },
    {
        threads: "#671",
        ask: "not whether an image is signed, but by whom",
        proofs: sigstore("another digest, another signer, an expired certificate: each is told"),
    },
    {
        threads: "#1262, #1241",
        ask: "a fault of the signing service must not end every load",
        claim: "files load without any of it",
        proofs: command("a program is loaded and attached by one command; bpftool and ip see it"),
    },
    {
        threads: "#1576",
        ask: "no image of a registry needed for the dispatchers",
        claim: "they come with the package",
        proofs: rpm("hold command, daemon, dispatchers, page, units and licences, with the right modes"),
    },
    {
        threads: "#1592",
        ask: "release images with all their tags",
        proofs: [],
        open: "no images are published; packages are",
    },
    {
        threads: "#319",
        ask: "libxdp's protocol, one chain with its users",
        proofs: vm(
            /WeJoinAChainThatWasThereFirst/,
            /OthersJoinAChainOfOursThatIsShared$/,
            /XdpFilterWorksOnASharedChain$/,
        ),
    },
    {
        threads: "#678",
        ask: "an order that is the same each time, as libxdp's where programs share its chain",
        proofs: [
            ...libxdpOrder(
                "equal priority: by name in byte order",
                "equal priority and name: by tag, then the older first",
            ),
            ...order("AtEqualPriorityTheNewestComesFirstInXdpAndTcAndLastInTcx"),
        ],
    },
    {
        threads: "#849",
        ask: "an error that names the other XDP program on the interface",
        proofs: xdp("ForeignProgramsAreNamedAndLeftAlone"),
    },
    {
        threads: "#1191, #1675",
        ask: "native XDP, and generic where the driver refuses, on jumbo interfaces too",
        proofs: config(
            "NativeInTheConfigurationFallsBackWhereTheDriverRefuses",
            "AJumboInterfaceRunsMembersWithFragsNatively",
        ),
    },
    { threads: "#1689", ask: "frags in chains", proofs: xdp("FragsFollowTheFirstMember") },
    {
        threads: "#1016",
        ask: "TC's chain and TCX, both",
        proofs: tc("TheTcChainRunsAfterTcxLinksAndForeignOnesStay"),
    },
    {
        threads: "#761, #468, #759",
        ask: "qdiscs of others stay, and a qdisc that goes is no surprise",
        proofs: [...clsact(/./), ...vm(/in a machine with kernel 6\.1\.\S+ › .*clsact/i)],
    },
    {
        threads: "#501, #504, #326",
        ask: "a TC chain that stays when the daemon ends",
        proofs: restart("AStopAndAKillLoseNothingAndNoPacket"),
    },
    {
        threads: "#1402",
        ask: "detach and unload where the namespace is gone",
        proofs: [
            ...grpc("AnAgentKeepsProgramsLoadedAndAttached"),
            ...xdp("ANamespaceInUseCanBeDeletedAndDies", "AnInterfaceThatGoesTakesItsLinksAlong"),
        ],
    },
    {
        threads: "#1101, #1223, #1529",
        ask: "nothing left of a load or an attach that failed",
        proofs: [...command("a load whose attach fails leaves nothing"), ...sections("says what the section implies")],
    },
    {
        threads: "#52, #146, #141, #147",
        ask: "the last unload leaves the interface as it was",
        proofs: [
            ...command("unloading everything leaves nothing in the kernel and no pin"),
            ...sequences(/random changes over three interfaces/),
        ],
    },
    {
        threads: "#745, #752, #1018",
        ask: "errors in words, never a panic",
        proofs: [...in_("test/fuzz/fuzz.test.ts")(/^fuzz › \w+: \d+ inputs/), ...grpc("EveryStatusSaysWhatIsWrong")],
    },
    {
        threads: "#332",
        ask: "atomic update of priority, proceed-on and bytecode",
        proofs: [
            ...replace(/AFloodLosesNothingAndMeetsOneOfBoth/, "ADroppingProgramDropsEveryPacketThroughReplacements"),
            ...xdp("ProceedOnChangesInPlace"),
        ],
    },
    {
        threads: "#521, #600, #637, #757",
        ask: "shared maps whose owner may go first",
        proofs: [...grpc("AMapOwnerMayGoFirst"), ...shared("PinsLiveUntilTheLastUserHasGoneInAnyOrder")],
    },
    { threads: "operator #393, #328, #469, #426", ask: "what the operator lacks", proofs: [], open: later },
    {
        threads: "operator #394, #535, #493",
        ask: "programs of one load own nothing of each other and go in any order",
        proofs: [
            ...shared("ProgramsOfOneLoadShareAndNoneOfThemOwns"),
            ...grpc("AnAgentKeepsProgramsLoadedAndAttached"),
        ],
    },
    {
        threads: "#18, #350, #829, #1089, #727",
        ask: "maps for applications without privileges",
        claim: "members of group bpfman",
        proofs: permissions("read their maps by the pins, with no capability and unprivileged bpf disabled"),
        open: "containers and SELinux's rules for them: with the Kubernetes side",
    },
    {
        threads: "operator #85",
        ask: "perf event arrays without privileges",
        proofs: [],
        open: "the kernel asks for CAP_PERFMON; ring buffers do without",
    },
    { threads: "#1670", ask: "read-only CSI volumes", proofs: [], open: later },
    {
        threads: "#724, #784, #1001, #991, #1674",
        ask: "uprobes in containers, with library names, documented",
        proofs: hooks("EachRunsItsProgramUntilItIsDetached › uprobe in a container"),
    },
    {
        threads: "#1216, #1340, operator #93, #410, #411",
        ask: "network namespaces, one chain where two paths name one",
        proofs: grpc("AnAgentKeepsProgramsLoadedAndAttached"),
    },
    {
        threads: "#1348",
        ask: "perf_event programs, and the other kinds",
        claim: "perf_event, raw tracepoints, cgroup",
        proofs: hooks(
            "EachRunsItsProgramUntilItIsDetached › perf_event",
            "EachRunsItsProgramUntilItIsDetached › raw_tracepoint",
            "EachRunsItsProgramUntilItIsDetached › cgroup",
        ),
        open: "sk_lookup, netfilter and the multi probes are left for later",
    },
    {
        threads: "#564, #1012, #1015",
        ask: "kretprobe, uretprobe, fentry, fexit",
        proofs: vm(
            /EachRunsItsProgramUntilItIsDetached › (kprobe and kretprobe|uprobe and uretprobe|fentry and fexit)$/,
        ),
    },
    { threads: "#119", ask: "private registries", proofs: pull("a password is asked for, given, and seen nowhere") },
    {
        threads: "#463, #872, #964",
        ask: "socket activation that cuts nobody off",
        proofs: daemonMain(
            "the service manager's socket is served and stays",
            "an idle daemon ends, one with a connection stays",
        ),
    },
    {
        threads: "#1095, #1096, #924, #1575, #1146",
        ask: "packages with all that belongs in them, and Fedora's rules kept",
        proofs: rpm(
            "hold command, daemon, dispatchers, page, units and licences, with the right modes",
            "have units that systemd accepts",
            "enable nothing by themselves",
        ),
    },
    {
        threads: "#131",
        ask: "a daemon that is not root",
        proofs: [],
        open: "loading needs root's rights; the unit confines the daemon, and untrusted objects meet a child process",
    },
    {
        threads: "#821, #853",
        ask: "metrics and an audit log",
        proofs: [],
        open: "changes are logged with their caller; an endpoint of metrics is not built",
    },
    {
        threads: "openshift-docs #82746",
        ask: "several owners of programs on one interface, TC and TCX among them",
        proofs: [
            ...tc("TheTcChainRunsAfterTcxLinksAndForeignOnesStay"),
            ...apply("TwoSetsAndWhatNobodyAppliedShareAChain"),
        ],
    },
    { threads: "netobserv-operator #1068", ask: "a missing map's name that ends no client", proofs: [], open: later },
];
