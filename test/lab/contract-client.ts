// SPDX-License-Identifier: Apache-2.0
// A client made of nothing but the public contract: grpc-js reads bpfman.proto itself and encodes by a library that the daemon
// does not use. The released line's contract is the same without LSM.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";

/** The loader that grpc-js brings along. */
const loader = createRequire(import.meta.resolve("@grpc/grpc-js"))("@grpc/proto-loader") as {
    loadSync(file: string, options: object): Parameters<typeof grpc.loadPackageDefinition>[0];
};

export type Contract = "released" | "newest";

const proto = fileURLToPath(new URL("../../proto/bpfman/v1/bpfman.proto", import.meta.url));

/** The contract as the released line has it. */
export function releasedContract(): string {
    return fs
        .readFileSync(proto, "utf8")
        .replace(/^message Lsm\w+ \{[^}]*\}\n/gm, "")
        .replace(/^.*\b[Ll](sm|SM)\w* .*\n/gm, "")
        .replace(/^ *LSM = .*\n/gm, "");
}

export type Answer = Record<string, unknown>;
type Unary = (
    request: object,
    options: { deadline: number },
    callback: (error: Error | null, answer: Answer) => void,
) => void;

export const methods = ["Load", "Unload", "Attach", "Detach", "List", "PullBytecode", "Get"] as const;

export class ContractClient implements Disposable {
    readonly #client: grpc.Client & Record<string, unknown>;

    /** folder: for a file of the contract, while it is read */
    constructor(socketPath: string, contract: Contract, folder: string) {
        let file = proto;
        if (contract === "released") {
            file = path.join(folder, "released.proto");
            fs.writeFileSync(file, releasedContract());
        }
        // as generated stubs have it: names of enumerators, what is unset left out
        const definition = loader.loadSync(file, {
            enums: String,
            longs: Number,
            arrays: true,
            objects: true,
            oneofs: true,
        });
        const loaded = grpc.loadPackageDefinition(definition) as unknown as {
            bpfman: { v1: { Bpfman: grpc.ServiceClientConstructor } };
        };
        this.#client = new loaded.bpfman.v1.Bpfman(`unix://${socketPath}`, grpc.credentials.createInsecure(), {
            "grpc.use_local_subchannel_pool": 1,
        }) as unknown as grpc.Client & Record<string, unknown>;
    }

    call(method: (typeof methods)[number], request: object, timeoutMs = 60_000): Promise<Answer> {
        return new Promise((resolve, reject) => {
            const unary = this.#client[method] as Unary;
            const options = { deadline: Date.now() + timeoutMs };
            unary.call(this.#client, request, options, (error, answer) => (error ? reject(error) : resolve(answer)));
        });
    }

    /** Names of the methods that the contract has. */
    get methods(): string[] {
        const prototype = Object.getPrototypeOf(this.#client) as object;
        return methods.filter(name => name in prototype);
    }

    [Symbol.dispose](): void {
        this.#client.close();
    }
}
