// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The same for a filter of clsact, where the kernel has no TCX: the verdict of the chain is cls_bpf's to read. */
#define TC_CLSACT
#include "tc_freplace.bpf.c"
