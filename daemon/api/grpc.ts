// SPDX-License-Identifier: Apache-2.0
// gRPC by grpc-js. Loaded with the first HTTP/2 connection: it takes longer to start than the rest of the daemon.
import type { Http2Server } from "node:http2";
import type { Socket } from "node:net";
import { create, type DescMessage, fromBinary, fromJson, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
    type Deadline,
    type handleServerStreamingCall,
    type handleUnaryCall,
    logVerbosity,
    Metadata,
    Server,
    ServerCredentials,
    type ServerWritableStream,
    type ServiceDefinition,
    setLogVerbosity,
    type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { ErrorDetailSchema } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import type { Caller, Patience } from "../model/caller.ts";
import { BpfmanError } from "../model/error.ts";
import type { Calls } from "./calls.ts";
import { type Failure, failureOf, grpcCode, grpcMessage } from "./errors.ts";
import type { Service, Sink, StreamMethod, UnaryMethod } from "./service.ts";

const maxMessageBytes = 24 * 1024 * 1024;
const maxStreamsPerConnection = 64;

export class GrpcFront {
    readonly #server: Server;
    readonly #injector: ReturnType<Server["createConnectionInjector"]>;
    readonly #calls: Calls;
    /** by what a call says its peer is */
    readonly #callers = new Map<string, Caller>();
    #connections = 0;

    constructor(calls: Calls) {
        this.#calls = calls;
        this.#server = new Server({
            "grpc.max_receive_message_length": maxMessageBytes,
            // a list of programs may be longer than a client's default; that is the client's to say
            "grpc.max_send_message_length": -1,
            "grpc.max_concurrent_streams": maxStreamsPerConnection,
        });
        for (const service of calls.services) this.#server.addService(definition(service), this.#handlers(service));
        this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
        guardStreams(this.#server);
        // grpc-js tells of headers that it can't read, as they are, on standard error: what a peer sent goes to no log
        setLogVerbosity(logVerbosity.NONE);
    }

    accept(socket: Socket, caller: Caller): void {
        // a Unix socket has no remote address, and grpc-js tells a handler of its connection nothing else
        const name = `unix:${++this.#connections}`;
        this.#callers.set(name, caller);
        Object.defineProperty(socket, "remoteAddress", { value: name });
        socket.once("close", () => this.#callers.delete(name));
        this.#injector.injectConnection(socket);
    }

    /** Tells clients to go elsewhere; calls in progress have graceMs. */
    drain(graceMs: number): void {
        this.#injector.drain(graceMs);
    }

    close(): void {
        this.#injector.destroy();
        this.#server.forceShutdown();
    }

    #handlers(service: Service): UntypedServiceImplementation {
        const handlers: UntypedServiceImplementation = {};
        for (const [name, method] of service.methods)
            handlers[name] = method.kind === "unary" ? this.#unary(method) : this.#stream(method);
        return handlers;
    }

    #caller(peer: string): Caller {
        const caller = this.#callers.get(peer);
        // its connection closed before its message was read
        if (!caller) throw new BpfmanError("UNAVAILABLE", "the caller is gone");
        return caller;
    }

    #unary(method: UnaryMethod): handleUnaryCall<Buffer, Buffer> {
        const { input, output } = method.descriptor;
        const answer = async (request: Buffer, peer: string, patience: Patience | undefined): Promise<Buffer> => {
            const caller = { ...this.#caller(peer), patience };
            const outcome = await this.#calls.unary(method, () => fromBinary(input, request), caller);
            if ("failure" in outcome) throw new StatusError(outcome.failure);
            return encode(output, outcome.answer);
        };
        return (call, callback) => {
            answer(call.request, call.getPeer(), patienceOf(call.getDeadline())).then(
                bytes => callback(null, bytes),
                (error: unknown) => callback(this.#status(error)),
            );
        };
    }

    #stream(method: StreamMethod): handleServerStreamingCall<Buffer, Buffer> {
        const { input, output } = method.descriptor;
        return call => {
            try {
                const sink = new GrpcSink(call, output);
                const caller = this.#caller(call.getPeer());
                const finish = this.#calls.stream(method, () => fromBinary(input, call.request), caller, sink);
                call.once("cancelled", finish);
                call.once("close", finish);
            } catch (error) {
                call.emit("error", this.#status(error));
            }
        };
    }

    #status(error: unknown): Status {
        return status(error instanceof StatusError ? error.failure : this.#calls.failure(error));
    }
}

/**
 * A call that is reset by the bytes that opened it is closed before grpc-js hears of it. Where it is no gRPC, or of no
 * method, grpc-js answers all the same (_verifyContentType and _respondWithError, 1.14.7), and the error that this throws
 * would be nobody's: it would end the daemon.
 */
function guardStreams(server: Server): void {
    const { http2Servers } = server as unknown as { http2Servers: ReadonlyMap<Http2Server, unknown> };
    for (const http2 of http2Servers.keys())
        http2.prependListener("stream", stream => {
            const respond = stream.respond.bind(stream);
            stream.respond = (...answer) => {
                if (!stream.destroyed && !stream.closed) respond(...answer);
            };
        });
}

// setTimeout counts milliseconds in 31 bits
const maxTimeoutMs = 0x7fffffff;

/** Whoever has given up by then must not find the change made later. */
function patienceOf(deadline: Deadline): Patience | undefined {
    const leftMs = (deadline instanceof Date ? deadline.getTime() : deadline) - Date.now();
    return leftMs > maxTimeoutMs ? undefined : { ms: Math.max(0, leftMs), said: "the call's deadline" };
}

class StatusError extends Error {
    readonly failure: Failure;
    constructor(failure: Failure) {
        super(failure.message);
        this.failure = failure;
    }
}

function definition({ descriptor, methods }: Service): ServiceDefinition {
    // messages are read in the handler, where a broken one is the caller's mistake and not an internal error
    const asIs = (bytes: Buffer) => bytes;
    const entries = Array.from(methods, ([name, method]) => [
        name,
        {
            path: `/${descriptor.typeName}/${name}`,
            requestStream: false,
            responseStream: method.kind === "stream",
            requestSerialize: asIs,
            requestDeserialize: asIs,
            responseSerialize: asIs,
            responseDeserialize: asIs,
        },
    ]);
    return Object.fromEntries(entries);
}

const encode = (schema: DescMessage, json: JsonObject) => Buffer.from(toBinary(schema, fromJson(schema, json)));

class GrpcSink implements Sink {
    readonly #call: ServerWritableStream<Buffer, Buffer>;
    readonly #schema: DescMessage;
    #pendingBytes = 0;

    constructor(call: ServerWritableStream<Buffer, Buffer>, schema: DescMessage) {
        this.#call = call;
        this.#schema = schema;
    }

    get pendingBytes(): number {
        return this.#pendingBytes;
    }

    send(record: unknown): void {
        if (this.#call.writableEnded || this.#call.destroyed) return;
        const bytes = encode(this.#schema, record as JsonObject);
        this.#pendingBytes += bytes.length;
        this.#call.write(bytes, () => {
            this.#pendingBytes -= bytes.length;
        });
    }

    end(): void {
        if (!this.#call.writableEnded) this.#call.end();
    }

    fail(error: BpfmanError): void {
        this.cut(error);
    }

    cut(error: BpfmanError): void {
        this.#call.emit("error", status(failureOf(error, { fullLog: false })));
    }
}

interface Status extends Error {
    code: number;
    details: string;
    metadata: Metadata;
}

function status(failure: Failure): Status {
    const code = grpcCode(failure.code);
    const details = grpcMessage(failure);
    const metadata = new Metadata();
    metadata.set("grpc-status-details-bin", Buffer.from(richStatus(code, details, failure)));
    return Object.assign(new Error(details), { code, details, metadata });
}

/**
 * google.rpc.Status, which gRPC clients of every language read from this trailer: code = 1, message = 2,
 * details = 3 of google.protobuf.Any (type_url = 1, value = 2).
 * The whole verifier log is left out: trailers are headers, and clients allow few kilobytes of those.
 */
function richStatus(code: number, message: string, { detail }: Failure): Uint8Array {
    const value = toBinary(ErrorDetailSchema, create(ErrorDetailSchema, { ...detail, verifierLog: "" }));
    const any = new BinaryWriter()
        .tag(1, WireType.LengthDelimited)
        .string(`type.googleapis.com/${ErrorDetailSchema.typeName}`)
        .tag(2, WireType.LengthDelimited)
        .bytes(value)
        .finish();
    return new BinaryWriter()
        .tag(1, WireType.Varint)
        .int32(code)
        .tag(2, WireType.LengthDelimited)
        .string(message)
        .tag(3, WireType.LengthDelimited)
        .bytes(any)
        .finish();
}
