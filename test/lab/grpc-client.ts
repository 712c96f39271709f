// SPDX-License-Identifier: Apache-2.0
// A bpfman.v1 client as others have one: grpc-js over the socket, with a connection of its own.
import assert from "node:assert/strict";
import {
    create,
    type DescMethodUnary,
    fromBinary,
    type MessageInitShape,
    type MessageShape,
    toBinary,
} from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { Bpfman } from "../../proto/gen/bpfman/v1/bpfman_pb.js";

type Methods = typeof Bpfman.method;
type Unary<Name extends keyof Methods> =
    Methods[Name] extends DescMethodUnary<infer Input, infer Output>
        ? { input: MessageInitShape<Input>; output: MessageShape<Output> }
        : never;

export class GrpcClient implements Disposable {
    readonly #client: grpc.Client;

    constructor(socketPath: string) {
        this.#client = new grpc.Client(`unix://${socketPath}`, grpc.credentials.createInsecure(), {
            "grpc.use_local_subchannel_pool": 1,
            "grpc.max_send_message_length": -1,
        });
    }

    call<Name extends keyof Methods>(
        name: Name,
        request: Unary<Name>["input"],
        timeoutMs = 60_000,
    ): Promise<Unary<Name>["output"]> {
        const method: DescMethodUnary = Bpfman.method[name];
        return new Promise((resolve, reject) => {
            this.#client.makeUnaryRequest(
                `/${Bpfman.typeName}/${method.name}`,
                (bytes: Uint8Array) => Buffer.from(bytes),
                bytes => fromBinary(method.output, bytes),
                toBinary(method.input, create(method.input, request)),
                new grpc.Metadata(),
                { deadline: Date.now() + timeoutMs },
                (error, answer) => (error ? reject(error) : resolve(answer as Unary<Name>["output"])),
            );
        });
    }

    [Symbol.dispose](): void {
        this.#client.close();
    }
}

/** The status that a call must end with, by name, and its message. */
export async function refusedCall(call: Promise<unknown>): Promise<{ code: string; message: string }> {
    try {
        await call;
    } catch (error) {
        const { code, details } = error as grpc.ServiceError;
        return { code: grpc.status[code] ?? String(error), message: details };
    }
    return assert.fail("the call was answered");
}
