// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* XDP dispatcher whose stubs the members replace (BPF_PROG_TYPE_EXT), in libxdp's layout. */
#include "dispatcher.h"

#define ANSWER_SHIFT 0
#include "counting.h"

/*
 * The stub's helper call tells the verifier that this function changes packets: without it newer kernels refuse a
 * member that does. It is never reached with a context: a replaced stub is not run.
 */
#define STUB(i)                                                     \
	__attribute__((noinline)) int prog##i(struct xdp_md *ctx)     \
	{                                                             \
		volatile int ret = XDP_DISPATCHER_RETURN;             \
		if (!ctx)                                             \
			return XDP_ABORTED;                           \
		bpf_xdp_adjust_tail(ctx, 0);                          \
		return ret;                                           \
	}
EACH_SLOT(STUB)

static __always_inline int run_chain(struct xdp_md *ctx)
{
	__u8 count = conf.num_progs_enabled;
	__u32 ret;
	BEGIN_SLOTS

#define CALL(i)                                                                  \
	if (count < i + 1)                                                       \
		return XDP_PASS;                                                 \
	ret = RUN_SLOT(i, prog##i(ctx));                                         \
	if (ret > 31 || !((1U << (ret & 31)) & conf.chain_call_actions[i]))      \
		return ret;
	EACH_SLOT(CALL)
	return XDP_PASS;
}

SEC("xdp")
int DISPATCHER_NAME(struct xdp_md *ctx)
{
	return decided(run_chain(ctx));
}

char _license[] SEC("license") = "Dual BSD/GPL";
/* what libxdp reads of a dispatcher that it finds */
__uint(dispatcher_version, DISPATCHER_VERSION) SEC("xdp_metadata");
