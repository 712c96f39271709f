// SPDX-License-Identifier: Apache-2.0
// Every call of both transports goes through here: counted, logged where it changes something, its error made tellable.
import type { JsonObject, Message } from "@bufbuild/protobuf";
import type { Caller } from "../model/caller.ts";
import { BpfmanError } from "../model/error.ts";
import { auditLine } from "./audit.ts";
import { causeOf, type Failure, failureOf, invalid } from "./errors.ts";
import { printable } from "./printable.ts";
import { type RefusedSubject, refusedSubject } from "./refused.ts";
import type { Service, Sink, StreamMethod, UnaryMethod } from "./service.ts";

export type Outcome = { readonly answer: JsonObject } | { readonly failure: Failure };

export class Calls {
    readonly services: readonly Service[];
    readonly #log: (line: string) => void;
    readonly #refused: (subject: RefusedSubject, message: string, caller: Caller) => void;
    readonly #streams = new Set<Sink>();
    #active = 0;
    #stopping = false;
    #whenQuiet: (() => void) | undefined;

    /** refused: hears of changes that failed */
    constructor(
        services: readonly Service[],
        log: (line: string) => void,
        refused: (subject: RefusedSubject, message: string, caller: Caller) => void = () => {},
    ) {
        this.#refused = refused;
        this.services = services;
        this.#log = log;
    }

    find(path: string): UnaryMethod | StreamMethod | undefined {
        const [, typeName, name, more] = path.split("/");
        if (name === undefined || more !== undefined) return undefined;
        return this.services.find(({ descriptor }) => descriptor.typeName === typeName)?.methods.get(name);
    }

    /** Never rejects. parse makes the message; whatever it throws is the caller's mistake. */
    async unary(method: UnaryMethod, parse: () => Message, caller: Caller): Promise<Outcome> {
        this.#active++;
        let request: Message | undefined;
        try {
            this.#checkRunning();
            request = parsed(parse);
            const answer = await method.handle(request, caller);
            if (method.changes) this.#log(auditLine(method.descriptor.name, caller, request, answer));
            return { answer };
        } catch (error) {
            const failure = this.failure(error, request);
            if (method.changes) {
                this.#log(auditLine(method.descriptor.name, caller, request, failure));
                if (!this.#stopping)
                    this.#refused(refusedSubject(request), `${method.descriptor.name}: ${failure.message}`, caller);
            }
            return { failure };
        } finally {
            this.#active--;
            if (this.#active === 0) this.#whenQuiet?.();
        }
    }

    /** Returns what the transport calls once the peer has gone. Throws what the stream could not be started for. */
    stream(method: StreamMethod, parse: () => Message, caller: Caller, sink: Sink): () => void {
        this.#checkRunning();
        const finish = method.handle(parsed(parse), caller, sink);
        this.#streams.add(sink);
        return () => {
            this.#streams.delete(sink);
            finish();
        };
    }

    /** What is told of an error; what is not told goes to the log. */
    failure(error: unknown, request?: Message): Failure {
        const cause = causeOf(error);
        if (cause !== "")
            this.#log(printable(`${error instanceof BpfmanError ? error.message : "internal error"}: ${cause}`));
        const fullLog = request !== undefined && "fullLog" in request && request.fullLog === true;
        return failureOf(error, { fullLog });
    }

    /** Refuses new calls, ends the streams, and waits for the calls in progress, at most graceMs. */
    async stop(graceMs: number): Promise<void> {
        this.#stopping = true;
        for (const sink of this.#streams) sink.end();
        if (this.#active === 0) return;
        await new Promise<void>(resolve => {
            const timer = setTimeout(resolve, graceMs);
            this.#whenQuiet = () => {
                clearTimeout(timer);
                resolve();
            };
        });
    }

    #checkRunning(): void {
        if (this.#stopping) throw new BpfmanError("UNAVAILABLE", "the daemon is stopping");
    }
}

function parsed(parse: () => Message): Message {
    try {
        return parse();
    } catch (error) {
        if (error instanceof BpfmanError) throw error;
        throw invalid(error instanceof Error ? error.message : "the request can't be read");
    }
}
