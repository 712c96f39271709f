// SPDX-License-Identifier: Apache-2.0
// Prints the ids of the TCX programs at the ingress hook of an interface in the order in which the kernel runs them, in the
// network namespace it is run in.
import { attachType, queryTcx } from "../../daemon/kernel/bpf.ts";
import { interfaces } from "../../daemon/kernel/net/netlink.ts";

const device = interfaces().find(({ name }) => name === process.argv[2]);
if (device === undefined) throw new Error(`no interface ${process.argv[2]}`);
const { entries } = queryTcx(device.ifindex, attachType.tcxIngress);
process.stdout.write(`${JSON.stringify(entries.map(({ programId }) => programId))}\n`);
