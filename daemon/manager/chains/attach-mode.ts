// SPDX-License-Identifier: Apache-2.0
// The first program at an XDP hook decides where the chain runs: in the driver, or in the kernel's stack where the
// driver refuses or somebody asked for it.
import type { WantedLink } from "../../chain/plan.ts";
import * as bpf from "../../kernel/bpf.ts";
import { kernelError } from "../../kernel/errors.ts";
import { errnoName } from "../../kernel/ffi.ts";
import type { LinkInterface } from "../../kernel/net/netlink.ts";
import type { BpfmanError } from "../../model/error.ts";
import type { XdpMode } from "../../model/hooks.ts";
import type { ProgramId } from "../../model/ids.ts";
import type { Context } from "../context.ts";
import { hookText } from "../pins.ts";
import type { ChainChange } from "./chain-change.ts";

/** The errnos with which a driver says that it cannot run this program natively. */
const notNative = ["EOPNOTSUPP", "ENOTSUPP", "ERANGE", "EINVAL", "E2BIG"];

/** Attaches in the mode asked for, or in the first that works; put: a descriptor or 0, or -errno. Throws attachError(). */
export async function attachInMode<L extends WantedLink>(
    context: Context,
    change: ChainChange<L>,
    put: (flags: number) => Promise<number>,
): Promise<{ result: number; mode: XdpMode; modeReason: string }> {
    const configured = change.mode === "auto" ? context.xdpModes.get(change.interface) : undefined;
    const wanted = configured?.mode ?? change.mode;
    if (wanted !== "generic") {
        const result = await put(bpf.xdpFlag.driver);
        if (result >= 0) return { result, mode: "native", modeReason: configured?.source ?? "" };
        const name = errnoName(result);
        if (change.mode === "native" || !notNative.includes(name)) throw attachError(context, change, result);
        const generic = await put(bpf.xdpFlag.skb);
        if (generic < 0) throw attachError(context, change, generic);
        const reason = `the driver of ${change.interface} refused native mode (${name})`;
        return { result: generic, mode: "generic", modeReason: reason };
    }
    const result = await put(bpf.xdpFlag.skb);
    if (result < 0) throw attachError(context, change, result);
    return { result, mode: "generic", modeReason: configured?.source ?? "asked for" };
}

/** " (program 7 xdp_pass, native)", or nothing. */
export function whoIsThere(context: Context, device: LinkInterface | undefined): string {
    if (device?.xdp === undefined) return "";
    const { programId, mode } = device.xdp;
    return ` (program ${programId}${named(context.kernel.program(programId as ProgramId)?.name)}, ${mode})`;
}

export function attachError<L extends WantedLink>(
    context: Context,
    change: ChainChange<L>,
    result: number,
): BpfmanError {
    const name = errnoName(result);
    const what = `attach to ${hookText(change)}`;
    if (name === "EBUSY" || name === "EEXIST") {
        const who = whoIsThere(context, change.device);
        return kernelError(`${what}: another XDP program is attached${who}, not managed here`, result, {
            code: "FAILED_PRECONDITION",
            hint: "Detach it with the tool that attached it, then try again.",
        });
    }
    if (name === "EOPNOTSUPP" || name === "ENOTSUPP")
        return kernelError(`${what}: the interface's driver has no native XDP`, result, {
            code: "FAILED_PRECONDITION",
            hint: "Attach in generic mode, or without a mode.",
        });
    // what drivers say to packets that may need several buffers (drivers/net/veth.c, veth_xdp_set, for one)
    if (change.hook.kind === "xdp" && notNative.includes(name)) {
        const mtu = change.device === undefined ? "" : ` (MTU ${change.device.mtu})`;
        return kernelError(`${what}: the interface's driver refuses the program in native mode${mtu}`, result, {
            code: "FAILED_PRECONDITION",
            hint: "Attach in generic mode, or without a mode; with a large MTU, programs of a section called xdp.frags.",
        });
    }
    return kernelError(what, result);
}

const named = (name: string | undefined): string => (name === undefined || name === "" ? "" : ` ${name}`);
