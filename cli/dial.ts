// SPDX-License-Identifier: Apache-2.0
// The daemon's Unix socket as a byte stream.
import { connect } from "node:net";
import type { ByteStream } from "../client/byte-stream.ts";
import { TransportError } from "../client/errors.ts";

export function dialSocket(path: string): Promise<ByteStream> {
    return new Promise((resolve, reject) => {
        const socket = connect(path);
        let onEnd: ((error?: Error) => void) | undefined;
        let onData: ((bytes: Uint8Array) => void) | undefined;
        let failure: Error | undefined;
        let ended = false;
        const end = () => {
            if (ended) return;
            ended = true;
            onEnd?.(failure && connectError(path, failure));
        };
        socket.once("connect", () =>
            resolve({
                write: bytes => write(socket, bytes),
                close: () => {
                    ended = true;
                    socket.destroy();
                },
                onData: callback => {
                    onData = callback;
                },
                onEnd: callback => {
                    onEnd = callback;
                },
            }),
        );
        socket.on("data", bytes => {
            if (!ended) onData?.(bytes);
        });
        socket.on("end", end);
        socket.on("error", error => {
            failure = error;
            reject(connectError(path, error));
        });
        socket.on("close", end);
    });
}

function write(socket: ReturnType<typeof connect>, bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
        socket.write(bytes, error => {
            if (error)
                reject(new TransportError("lost", `the connection to the daemon broke: ${error.message}`, error));
            else resolve();
        });
    });
}

function connectError(path: string, error: NodeJS.ErrnoException): TransportError {
    switch (error.code) {
        case "ENOENT":
        case "ENOTDIR":
            return new TransportError("absent", `nobody listens at ${path}`, error);
        case "ECONNREFUSED":
            return new TransportError("refused", `nobody listens at ${path}`, error);
        case "EACCES":
        case "EPERM":
            return new TransportError("denied", `permission denied: ${path}: run as root or join group bpfman`, error);
        case "ENOTSOCK":
        case "EPROTOTYPE":
            return new TransportError("lost", `${path} is not a socket that the daemon serves`, error);
        default:
            return new TransportError("lost", `the connection to the daemon broke: ${error.message}`, error);
    }
}
