// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The same for a chain that libxdp's tools change too: they know a dispatcher by this name. */
#define DISPATCHER_NAME xdp_dispatcher
#include "xdp_freplace.bpf.c"
