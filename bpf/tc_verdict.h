/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A chain of TC programs runs on one TCX link, whose return codes mean less than cls_bpf's. This maps them as
 * cls_bpf_exec_opcode() and tcf_classify() in net/sched treat them: OK lets by, SHOT, STOLEN and TRAP end here,
 * REDIRECT redirects, and everything else goes on to whatever comes next at the hook. TC_CLSACT: cls_bpf itself reads the
 * verdict, which stays as it is.
 */
#pragma once
#include <linux/pkt_cls.h>

/* also TC_ACT_UNSPEC, which means the same to cls_bpf */
#define TCX_NEXT_ -1

static __always_inline int tc_verdict(int ret)
{
#ifdef TC_CLSACT
	return ret;
#else
	switch (ret) {
	case TC_ACT_OK:
		return TC_ACT_OK;
	case TC_ACT_SHOT:
	case TC_ACT_STOLEN:
	case TC_ACT_TRAP:
		return TC_ACT_SHOT;
	case TC_ACT_REDIRECT:
		return TC_ACT_REDIRECT;
	default:
		return TCX_NEXT_;
	}
#endif
}
