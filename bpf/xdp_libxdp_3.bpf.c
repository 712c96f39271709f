// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The same for a shared chain in version 3 of libxdp's layout (libxdp >= 1.6), which older libxdp refuses to read. */
#define DISPATCHER_VERSION 3
#include "xdp_libxdp_2.bpf.c"
