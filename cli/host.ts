// SPDX-License-Identifier: Apache-2.0
// What a verb gets beside its arguments.
import type { Dial } from "../client/byte-stream.ts";
import { TransportError } from "../client/errors.ts";
import { HostClient } from "../client/host-client.ts";
import type { Args } from "./args.ts";
import { dialSocket } from "./dial.ts";
import { type Settings, settingsOf } from "./settings.ts";

export interface Host {
    readonly client: HostClient;
    readonly settings: Settings;
}

/** Returns the exit status. */
export type Verb = (args: Args, host: Host) => Promise<number>;

export function openHost(args: Args): Host {
    const settings = settingsOf(args);
    return { settings, client: new HostClient(dialer(settings), settings.lockTimeoutMs) };
}

export function wantsJson(args: Args): boolean {
    return args.value("output") === "json";
}

/** Where nobody listens, root starts a daemon. */
function dialer(settings: Settings): Dial {
    return async () => {
        try {
            return await dialSocket(settings.socketPath);
        } catch (error) {
            if (!(error instanceof TransportError) || !["absent", "refused"].includes(error.reason)) throw error;
            const { startDaemon } = await import("./daemon-start.ts");
            return await startDaemon(settings);
        }
    };
}
