// SPDX-License-Identifier: Apache-2.0
// Answers the page's calls from a script, for what no kernel has at hand: thousands of programs, rates that are known.
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

type Json = Readonly<Record<string, unknown>>;

export interface Script {
    readonly calls: Readonly<Record<string, Json>>;
    /** gives records until the caller leaves */
    readonly streams: Readonly<Record<string, (request: Json, signal: AbortSignal) => AsyncIterable<Json>>>;
}

export class ScriptedDaemon {
    /** methods in the order that they were called */
    readonly called: string[] = [];
    /** streams that are open now */
    readonly open = new Map<string, number>();
    readonly #server: http.Server;

    private constructor(script: Script) {
        this.#server = http.createServer((request, response) => {
            void this.#answer(script, request, response).catch(error => response.destroy(error));
        });
    }

    static async start(socketPath: string, script: Script): Promise<ScriptedDaemon> {
        const daemon = new ScriptedDaemon(script);
        fs.mkdirSync(path.dirname(socketPath), { recursive: true });
        daemon.#server.listen(socketPath);
        await once(daemon.#server, "listening");
        return daemon;
    }

    async stop(): Promise<void> {
        this.#server.close();
        this.#server.closeAllConnections();
        await once(this.#server, "close");
    }

    async #answer(script: Script, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
        const method = request.url?.split("/").at(-1) ?? "";
        const parts: Buffer[] = [];
        for await (const part of request) parts.push(part);
        const body = Buffer.concat(parts);
        this.called.push(method);
        const stream = script.streams[method];
        if (stream) {
            // a record: its flags, its length, its JSON
            const message = JSON.parse(body.subarray(5).toString()) as Json;
            await this.#stream(method, response, signal => stream(message, signal));
            return;
        }
        const answer = script.calls[method];
        response.writeHead(answer ? 200 : 501, { "Content-Type": "application/json" });
        response.end(JSON.stringify(answer ?? { code: "unimplemented", message: `${method} is not in the script` }));
    }

    async #stream(
        method: string,
        response: http.ServerResponse,
        records: (signal: AbortSignal) => AsyncIterable<Json>,
    ): Promise<void> {
        const left = new AbortController();
        response.on("close", () => left.abort());
        response.writeHead(200, { "Content-Type": "application/connect+json" });
        response.flushHeaders();
        this.open.set(method, (this.open.get(method) ?? 0) + 1);
        try {
            for await (const record of records(left.signal)) {
                const payload = Buffer.from(JSON.stringify(record));
                const head = Buffer.alloc(5);
                head.writeUInt32BE(payload.length, 1);
                response.write(Buffer.concat([head, payload]));
            }
        } catch (error) {
            if (!left.signal.aborted) throw error;
        } finally {
            this.open.set(method, (this.open.get(method) ?? 1) - 1);
        }
    }
}
