// SPDX-License-Identifier: Apache-2.0
// How the world calls: connections of one socket, told apart by their first bytes, to the same handlers.
import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import type { Manager } from "../manager/manager.ts";
import type { Caller } from "../model/caller.ts";
import { bpfmanService } from "./bpfman-v1.ts";
import { Calls } from "./calls.ts";
import type { GrpcFront } from "./grpc.ts";
import { type DaemonFacts, hostService } from "./host-v1.ts";
import { HttpFront, type HttpLimits } from "./http.ts";
import { printable } from "./printable.ts";
import type { Protocol } from "./socket.ts";

export interface ApiOptions {
    readonly manager: Manager;
    readonly facts: DaemonFacts;
    readonly log: (line: string) => void;
    readonly httpLimits?: HttpLimits;
}

export class Api {
    readonly #calls: Calls;
    readonly #http: HttpFront;
    readonly #log: (line: string) => void;
    #grpc: Promise<GrpcFront> | undefined;

    constructor({ manager, facts, log, httpLimits }: ApiOptions) {
        this.#calls = new Calls(
            [bpfmanService(manager), hostService(manager, facts)],
            log,
            manager.refused.bind(manager),
        );
        this.#http = new HttpFront(this.#calls, httpLimits);
        this.#log = log;
    }

    /** Takes over a connection whose first bytes are still unread. */
    accept(socket: Socket, caller: Caller, protocol: Protocol): void {
        if (protocol === "http/1.1") {
            this.#http.accept(socket, caller);
            return;
        }
        this.#grpc ??= import("./grpc.ts").then(({ GrpcFront }) => new GrpcFront(this.#calls));
        this.#grpc.then(
            grpc => {
                if (!socket.destroyed) grpc.accept(socket, caller);
            },
            (error: unknown) => {
                this.#log(printable(`gRPC can't be served: ${String(error)}`));
                socket.destroy();
            },
        );
    }

    /** Ends streams, lets calls in progress finish for at most graceMs, and closes connections that wait for nothing. */
    async stop(graceMs: number): Promise<void> {
        const grpc = await this.#grpc;
        const quiet = this.#calls.stop(graceMs);
        grpc?.drain(graceMs);
        await quiet;
        // the last answers are written in the turn of the loop that made them
        await setImmediate();
        this.#http.close();
    }

    /** Drops what is left. */
    async close(): Promise<void> {
        (await this.#grpc)?.close();
    }
}
