// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which process holds which BPF object: an iterator over every open file of every process. What kind a file is follows
 * from its operations, whose addresses are learnt from descriptors of the daemon's own: a kernel without
 * CONFIG_KALLSYMS_ALL tells no address of a structure, so naming bpf_prog_fops would not load there.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct upid {
	int nr;
};
struct pid {
	unsigned int level;
	struct upid numbers[1];
};
struct task_struct {
	int tgid;
	struct task_struct *group_leader;
	struct pid *thread_pid;
};
struct file {
	const void *f_op;
	void *private_data;
};
struct bpf_prog_aux {
	__u32 id;
};
struct bpf_prog {
	struct bpf_prog_aux *aux;
};
struct bpf_map {
	__u32 id;
};
struct bpf_link {
	__u32 id;
};
struct btf {
	__u32 id;
};
struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};
#pragma clang attribute pop

enum kind { PROGRAM, MAP, LINK, BTF, KINDS };

/* the daemon's descriptors, one of each kind, while it teaches; else -1 in the first */
__s32 teacher[KINDS] = { -1, -1, -1, -1 };
__u64 operations[KINDS];

struct holding {
	__u32 kind;
	__u32 id;
	__u32 pid;
};

static __always_inline __u32 id_of(__u32 kind, void *object)
{
	switch (kind) {
	case PROGRAM:
		return BPF_CORE_READ((struct bpf_prog *)object, aux, id);
	case MAP:
		return BPF_CORE_READ((struct bpf_map *)object, id);
	case LINK:
		return BPF_CORE_READ((struct bpf_link *)object, id);
	default:
		return BPF_CORE_READ((struct btf *)object, id);
	}
}

/* the process's number as the daemon counts: in its own namespace of processes */
static __always_inline __u32 pid_of(struct task_struct *task)
{
	struct task_struct *self = (void *)bpf_get_current_task();
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	__u32 level = BPF_CORE_READ(self, thread_pid, level);
	__u32 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number),
			      (void *)&pid->numbers[0] + level * bpf_core_type_size(struct upid));
	return number;
}

SEC("iter/task_file")
int owners(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct holding holding = {};
	__u64 ops;

	if (!task || !file)
		return 0;
	ops = (__u64)file->f_op;
	if (teacher[0] >= 0) {
		if (task->tgid != (int)(bpf_get_current_pid_tgid() >> 32))
			return 0;
#pragma unroll
		for (int kind = 0; kind < KINDS; kind++)
			if (teacher[kind] == (int)ctx->fd)
				operations[kind] = ops;
		return 0;
	}
#pragma unroll
	for (int kind = 0; kind < KINDS; kind++) {
		if (!ops || operations[kind] != ops)
			continue;
		holding.kind = kind;
		holding.id = id_of(kind, file->private_data);
		holding.pid = pid_of(task);
		bpf_seq_write(ctx->meta->seq, &holding, sizeof(holding));
		return 0;
	}
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
