// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The same with counters for each slot: what a chain runs while somebody watches statistics. */
#define COUNTING
#include "xdp_freplace.bpf.c"
