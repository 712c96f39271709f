// SPDX-License-Identifier: Apache-2.0
// The daemon's side of the network thread. One thread: calls run one after the other, in the order they came.
import { Worker } from "node:worker_threads";
import { BpfmanError } from "../../model/error.ts";
import type { Namespace, NetAnswer, NetCall, NetRequest, NetResults } from "./net-protocol.ts";

interface Waiting {
    readonly netns: string;
    resolve(value: unknown): void;
    reject(error: Error): void;
}

export class NetThread {
    #worker: Worker | undefined;
    #nextId = 1;
    readonly #waiting = new Map<number, Waiting>();

    #start(): Worker {
        if (this.#worker !== undefined) return this.#worker;
        const name = import.meta.url.endsWith(".ts") ? "./net-worker.ts" : "./net-worker.js";
        const worker = new Worker(new URL(name, import.meta.url));
        worker.on("message", (answer: NetAnswer) => this.#settle(answer));
        worker.on("error", cause => this.#fail(cause));
        worker.unref();
        this.#worker = worker;
        return worker;
    }

    #settle({ id, result }: NetAnswer): void {
        const waiting = this.#waiting.get(id);
        if (waiting === undefined) return;
        this.#waiting.delete(id);
        if (this.#waiting.size === 0) this.#worker?.unref();
        if ("value" in result) waiting.resolve(result.value);
        else if ("gone" in result)
            waiting.reject(
                new BpfmanError("NOT_FOUND", `the network namespace at ${waiting.netns} is not the one it was`),
            );
        else waiting.reject(namespaceError(waiting.netns, result));
    }

    #fail(cause: unknown): void {
        this.#worker = undefined;
        for (const { reject } of this.#waiting.values())
            reject(new BpfmanError("INTERNAL", "the network thread failed", { cause }));
        this.#waiting.clear();
    }

    /**
     * Performs a call in the namespace at a path; a call of the kernel that failed is its -errno in the value.
     * expected: NOT_FOUND where the path names another namespace by now.
     */
    call<C extends NetCall>(netns: string, call: C, expected?: Namespace): Promise<NetResults[C["op"]]> {
        const worker = this.#start();
        const id = this.#nextId++;
        return new Promise((resolve, reject) => {
            this.#waiting.set(id, { netns, resolve: value => resolve(value as NetResults[C["op"]]), reject });
            worker.ref();
            const request: NetRequest = { id, netns, expected, call };
            worker.postMessage(request);
        });
    }

    async stop(): Promise<void> {
        await this.#worker?.terminate();
        this.#worker = undefined;
    }
}

function namespaceError(netns: string, { error, errno }: { error: string; errno: string }): BpfmanError {
    if (netns !== "" && (errno === "ENOENT" || errno === "ENOTDIR"))
        return new BpfmanError("NOT_FOUND", `network namespace ${netns} does not exist`, { errno });
    if (netns !== "" && errno === "EINVAL")
        return new BpfmanError("INVALID_ARGUMENT", `${netns} is not a network namespace`, { errno });
    return new BpfmanError("INTERNAL", error, { errno });
}
