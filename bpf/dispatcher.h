/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What all dispatchers share. The layout of the configuration is libxdp's, by default version 2. */
#pragma once
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define MAX_LINKS 10
/* libxdp's magic number and the version of its layout */
#define DISPATCHER_MAGIC 236
#ifndef DISPATCHER_VERSION
#define DISPATCHER_VERSION 2
#endif
/* What a stub answers that nothing replaced: "go on". */
#define XDP_DISPATCHER_RETURN 31
#define TC_DISPATCHER_RETURN 30

/* what bpftool, ip and xdp-loader show at an interface: whose it is */
#ifndef DISPATCHER_NAME
#define DISPATCHER_NAME bpfman_xdp
#endif

struct dispatcher_config {
	__u8 magic;
	__u8 dispatcher_version;
	__u8 num_progs_enabled;
	__u8 is_xdp_frags;
	/* bit r of word i: go on after position i answered r (XDP), r - 1 (TC) */
	__u32 chain_call_actions[MAX_LINKS];
	__u32 run_prios[MAX_LINKS];
	__u32 program_flags[MAX_LINKS];
#if DISPATCHER_VERSION >= 3
	/* never: a program that is bound to one device is not loaded here */
	__u8 is_xdp_devbound;
#endif
};

/* Read-only once loaded, so the verifier cuts the slots that are not used. */
const volatile struct dispatcher_config conf = {};

/* Runs a statement for every slot. */
#define EACH_SLOT(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9)

/*
 * One slot that calls into a PROG_ARRAY. The index is a constant, so that the JIT patches a direct jump. Where the
 * call works it never comes back here: the callee answers to the dispatcher.
 */
#define TAIL_CALL(ctx, array, index)                                                                 \
	asm volatile("r1 = %[c]\n\tr2 = %[a]\n\tr3 = %[i]\n\tcall 12" ::[c] "r"(ctx), [a] "r"(array), \
		     [i] "i"(index)                                                                    \
		     : "r0", "r1", "r2", "r3", "r4", "r5")
