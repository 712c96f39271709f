// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* TC dispatcher whose stubs the members replace (BPF_PROG_TYPE_EXT). */
#include "dispatcher.h"
#include "tc_verdict.h"

#define ANSWER_SHIFT 1
#include "counting.h"

/* The helper call lets members that change packets replace the stub, as in the XDP dispatcher. */
#define STUB(i)                                                       \
	__attribute__((noinline)) int prog##i(struct __sk_buff *skb)    \
	{                                                               \
		volatile int ret = TC_DISPATCHER_RETURN;                \
		if (!skb)                                               \
			return TC_ACT_UNSPEC;                           \
		bpf_skb_pull_data(skb, 0);                              \
		return ret;                                             \
	}
EACH_SLOT(STUB)

static __always_inline int run_chain(struct __sk_buff *skb)
{
	__u8 count = conf.num_progs_enabled;
	int ret;
	BEGIN_SLOTS

#define CALL(i)                                                                                          \
	if (count < i + 1)                                                                               \
		return TCX_NEXT_;                                                                        \
	ret = RUN_SLOT(i, prog##i(skb));                                                                 \
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
