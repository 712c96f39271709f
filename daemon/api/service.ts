// SPDX-License-Identifier: Apache-2.0
// A service as both transports call it: handlers take the request message and give the answer as proto3 JSON.
import type {
    DescMessage,
    DescMethod,
    DescService,
    JsonObject,
    Message,
    MessageJsonType,
    MessageShape,
} from "@bufbuild/protobuf";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import type { Caller } from "../model/caller.ts";
import type { BpfmanError } from "../model/error.ts";

/** Where a stream's records go. */
export interface Sink<Record = unknown> {
    /** bytes handed over that the peer has not taken yet */
    readonly pendingBytes: number;
    send(record: Record): void;
    /** Ends the stream as done. */
    end(): void;
    /** Ends the stream with an error that the peer is to read. */
    fail(error: BpfmanError): void;
    /** Ends the stream at once; the peer may never read why. */
    cut(error: BpfmanError): void;
}

// biome-ignore lint/suspicious/noExplicitAny: the bound that GenService itself puts on its parameter
type AnyService = GenService<any>;

type Handler<M> = M extends {
    methodKind: "unary";
    input: infer I extends DescMessage;
    output: infer O extends DescMessage;
}
    ? (request: MessageShape<I>, caller: Caller) => Promise<MessageJsonType<O>>
    : M extends {
            methodKind: "server_streaming";
            input: infer I extends DescMessage;
            output: infer O extends DescMessage;
        }
      ? // returns what to do once the stream is over
        (request: MessageShape<I>, caller: Caller, sink: Sink<MessageJsonType<O>>) => () => void
      : never;

/** One handler for every method of a service. */
export type Handlers<S extends AnyService> =
    S extends GenService<infer Methods> ? { readonly [K in keyof Methods]: Handler<Methods[K]> } : never;

export interface UnaryMethod {
    readonly kind: "unary";
    readonly descriptor: DescMethod;
    /** whether a call changes anything: such calls are logged */
    readonly changes: boolean;
    readonly handle: (request: Message, caller: Caller) => Promise<JsonObject>;
}

export interface StreamMethod {
    readonly kind: "stream";
    readonly descriptor: DescMethod;
    readonly handle: (request: Message, caller: Caller, sink: Sink) => () => void;
}

export interface Service {
    readonly descriptor: DescService;
    /** by name, as Load */
    readonly methods: ReadonlyMap<string, UnaryMethod | StreamMethod>;
}

export function service<S extends AnyService>(
    descriptor: S,
    handlers: Handlers<S>,
    changing: readonly (keyof Handlers<S>)[],
): Service {
    const methods = new Map<string, UnaryMethod | StreamMethod>();
    const byName: Readonly<Record<string, unknown>> = handlers;
    const changes: readonly PropertyKey[] = changing;
    for (const method of (descriptor as DescService).methods) {
        // Handlers ties each handler to its method's messages; the casts drop what a table can't say
        const handler = byName[method.localName];
        if (method.methodKind === "unary")
            methods.set(method.name, {
                kind: "unary",
                descriptor: method,
                changes: changes.includes(method.localName),
                handle: handler as UnaryMethod["handle"],
            });
        else if (method.methodKind === "server_streaming")
            methods.set(method.name, {
                kind: "stream",
                descriptor: method,
                handle: handler as StreamMethod["handle"],
            });
    }
    return { descriptor, methods };
}
