// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* XDP dispatcher that tail-calls its members; they stay ordinary XDP programs. */
#include "dispatcher.h"

#define ANSWER_SHIFT 0
#include "counting.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, MAX_LINKS);
	__type(key, __u32);
	__type(value, __u32);
} slots SEC(".maps");

/* A member that could not be run (33 tail calls used up) must not let the packet by: out of range means "not run". */
#define NOT_RUN 0x100

#define SLOT(i)                                                        \
	static __attribute__((noinline)) int slot##i(struct xdp_md *ctx) \
	{                                                                \
		volatile int ret = NOT_RUN;                              \
		TAIL_CALL(ctx, &slots, i);                               \
		return ret;                                              \
	}
EACH_SLOT(SLOT)

static __always_inline int run_chain(struct xdp_md *ctx)
{
	__u8 count = conf.num_progs_enabled;
	__u32 ret;
	BEGIN_SLOTS

#define CALL(i)                                                                  \
	if (count < i + 1)                                                       \
		return XDP_PASS;                                                 \
	ret = RUN_SLOT(i, slot##i(ctx));                                         \
	if (ret > 31)                                                            \
		return ret == NOT_RUN ? XDP_ABORTED : ret;                       \
	if (!((1U << ret) & conf.chain_call_actions[i]))                         \
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
