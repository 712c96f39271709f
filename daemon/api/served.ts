// SPDX-License-Identifier: Apache-2.0
// An api on a socket of its own, and the calls that tests make to it.
import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingMessage, type RequestOptions, request } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Caller } from "../model/caller.ts";
import { fakeSettings } from "./fake-facts.ts";
import { FakeManager } from "./fake-manager.ts";
import type { HttpLimits } from "./http.ts";
import { Api } from "./server.ts";
import { Listener, type SocketLimits } from "./socket.ts";

export interface ServedOptions {
    readonly httpLimits?: HttpLimits;
    readonly limits?: SocketLimits;
    readonly identify?: (socket: Socket) => Caller | undefined;
}

export class Served implements AsyncDisposable {
    readonly manager: FakeManager;
    readonly log: string[];
    readonly path: string;
    readonly api: Api;
    readonly listener: Listener;
    #stopped: Promise<void> | undefined;

    private constructor(manager: FakeManager, log: string[], path: string, api: Api, listener: Listener) {
        this.manager = manager;
        this.log = log;
        this.path = path;
        this.api = api;
        this.listener = listener;
    }

    static async start(options: ServedOptions = {}): Promise<Served> {
        const manager = new FakeManager();
        const log: string[] = [];
        const push = (line: string) => log.push(line);
        const path = join(mkdtempSync(join(tmpdir(), "bpfman-api-")), "bpfman.sock");
        const facts = {
            runtimeDir: "/run/bpfman",
            libbpf: "1.5",
            startedAt: "2026-01-01T00:00:00Z",
            settings: fakeSettings,
        };
        const { httpLimits, ...rest } = options;
        const api = new Api({ manager, facts, log: push, ...(httpLimits && { httpLimits }) });
        const onConnection = (socket: Socket, caller: Caller, protocol: "http/1.1" | "http/2") =>
            api.accept(socket, caller, protocol);
        const listener = await Listener.open({ at: { path }, onConnection, log: push, ...rest });
        return new Served(manager, log, path, api, listener);
    }

    stop(graceMs = 10_000): Promise<void> {
        this.#stopped ??= (async () => {
            this.listener.stopListening();
            await this.api.stop(graceMs);
            await this.listener.closeConnections(Math.min(graceMs, 1000));
            await this.api.close();
        })();
        return this.#stopped;
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.stop(0);
        rmSync(join(this.path, ".."), { recursive: true, force: true });
    }

    /** Posts JSON and reads the whole answer. */
    async post(path: string, body: unknown, options: RequestOptions = {}): Promise<Answer> {
        const text = typeof body === "string" ? body : JSON.stringify(body);
        const response = await this.send(path, text, options);
        const chunks = await all<Buffer>(response);
        const whole = Buffer.concat(chunks).toString();
        return { status: response.statusCode ?? 0, headers: response.headers, text: whole, json: JSON.parse(whole) };
    }

    host(method: string, body: unknown = {}): Promise<Answer> {
        return this.post(`/bpfman.host.v1.Host/${method}`, body);
    }

    /** The answer as soon as its head is there. */
    send(path: string, body: string | Buffer, options: RequestOptions = {}): Promise<IncomingMessage> {
        const { headers, ...rest } = options;
        return new Promise((resolve, reject) => {
            const outgoing = request(
                {
                    socketPath: this.path,
                    path,
                    method: "POST",
                    agent: false,
                    headers: { "Content-Type": "application/json", ...(headers as Record<string, string>) },
                    ...rest,
                },
                resolve,
            );
            outgoing.on("error", reject);
            outgoing.end(body);
        });
    }
}

/** Everything that comes until the end. */
export async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
    const items: T[] = [];
    for await (const item of source) items.push(item);
    return items;
}

export interface Answer {
    readonly status: number;
    readonly headers: IncomingMessage["headers"];
    readonly text: string;
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
    readonly json: any;
}

/** The records of a Connect stream as they come. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into records of every shape
export async function* records(response: AsyncIterable<Buffer>): AsyncGenerator<{ flags: number; json: any }> {
    let buffer = Buffer.alloc(0);
    for await (const chunk of response) {
        buffer = Buffer.concat([buffer, chunk]);
        while (buffer.length >= 5 && buffer.length >= 5 + buffer.readUInt32BE(1)) {
            const end = 5 + buffer.readUInt32BE(1);
            yield { flags: buffer.readUInt8(0), json: JSON.parse(buffer.subarray(5, end).toString()) };
            buffer = buffer.subarray(end);
        }
    }
}
