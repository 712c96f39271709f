// SPDX-License-Identifier: Apache-2.0
// Prints how many TCX programs the ingress hook of an interface has, in the network namespace it is run in.
import { attachType, queryTcx } from "../../daemon/kernel/bpf.ts";
import { interfaces } from "../../daemon/kernel/netlink.ts";

const device = interfaces().find(({ name }) => name === process.argv[2]);
if (device === undefined) throw new Error(`no interface ${process.argv[2]}`);
process.stdout.write(`${queryTcx(device.ifindex, attachType.tcxIngress).entries.length}\n`);
