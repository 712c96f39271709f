// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* TC dispatcher that tail-calls its members; they stay ordinary SCHED_CLS programs. */
#include "dispatcher.h"
#include "tc_verdict.h"

#define ANSWER_SHIFT 1
#include "counting.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, MAX_LINKS);
	__type(key, __u32);
	__type(value, __u32);
} slots SEC(".maps");

/* A member that could not be run must not let the packet by: out of range means "not run". */
#define NOT_RUN 0x100

#define SLOT(i)                                                          \
	static __attribute__((noinline)) int slot##i(struct __sk_buff *skb) \
	{                                                                  \
		volatile int ret = NOT_RUN;                                \
		TAIL_CALL(skb, &slots, i);                                 \
		return ret;                                                \
	}
EACH_SLOT(SLOT)

static __always_inline int run_chain(struct __sk_buff *skb)
{
	__u8 count = conf.num_progs_enabled;
	int ret;
	BEGIN_SLOTS

#define CALL(i)                                                                                          \
	if (count < i + 1)                                                                               \
		return TCX_NEXT_;                                                                        \
	ret = RUN_SLOT(i, slot##i(skb));                                                                 \
	if (ret == NOT_RUN)                                                                              \
		return TC_ACT_SHOT;                                                                      \
	if ((__u32)(ret + 1) > 31 || !((1U << ((ret + 1) & 31)) & conf.chain_call_actions[i]))           \
		return tc_verdict(ret);
	EACH_SLOT(CALL)
	return TCX_NEXT_;
}

SEC("tc")
int bpfman_tc(struct __sk_buff *skb)
{
	return decided(run_chain(skb));
}

char _license[] SEC("license") = "Dual BSD/GPL";
