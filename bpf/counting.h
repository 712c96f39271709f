/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a dispatcher counts while somebody watches statistics: runs, time and answers of each slot, and what the whole
 * chain decided. The kernel's own counters see the dispatcher alone. A dispatcher built without COUNTING has none of it.
 */
#pragma once

#ifdef COUNTING
/* by answer, shifted as in chain_call_actions; the last one is for every other */
#define ANSWERS 33

struct slot_counts {
	__u64 runs;
	__u64 time_ns;
	__u64 answers[ANSWERS];
};

/* Packets are handled with softirqs off, so that nobody else counts on this CPU meanwhile. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	/* the last one is the whole chain's */
	__uint(max_entries, MAX_LINKS + 1);
	__type(key, __u32);
	__type(value, struct slot_counts);
} counts SEC(".maps");

static __always_inline void count_answer(__u32 slot, __u32 answer, __u64 ns)
{
	struct slot_counts *one = bpf_map_lookup_elem(&counts, &slot);
	__u64 index = answer;

	if (!one)
		return;
	/*
	 * Compared as a whole register: of a copy of its lower half the verifiers of older kernels (6.1) do not know that
	 * it is as small as what was compared.
	 */
	asm volatile("" : "+r"(index));
	if (index > ANSWERS - 1)
		index = ANSWERS - 1;
	one->runs++;
	one->time_ns += ns;
	one->answers[index]++;
}

/* One look at the clock between two slots: it costs more than all else here. */
#define BEGIN_SLOTS __u64 begin_ = bpf_ktime_get_ns();
#define RUN_SLOT(i, call)                                               \
	({                                                              \
		int answer_ = call;                                     \
		__u64 end_ = bpf_ktime_get_ns();                        \
		count_answer(i, answer_ + ANSWER_SHIFT, end_ - begin_); \
		begin_ = end_;                                          \
		answer_;                                                \
	})

static __always_inline int decided(int answer)
{
	count_answer(MAX_LINKS, answer + ANSWER_SHIFT, 0);
	return answer;
}
#else
#define BEGIN_SLOTS
#define RUN_SLOT(i, call) (call)
#define decided(answer) (answer)
#endif
