// SPDX-License-Identifier: Apache-2.0
// What client/ needs of a transport: a Unix socket for the CLI, a cockpit channel for the page.

export interface ByteStream {
    /** Resolves when the transport is ready for more; rejects with a TransportError once the stream has ended. */
    write(bytes: Uint8Array): Promise<void>;
    /** Ends both directions at once. No callback comes after it. */
    close(): void;
    /** Set before the first write; a second call replaces the first. */
    onData(callback: (bytes: Uint8Array) => void): void;
    /** Called once when the other side has ended or the transport failed; without error for an orderly end. */
    onEnd(callback: (error?: Error) => void): void;
}

/** Opens a stream to the daemon. Rejects with a TransportError that says why it can't. */
export type Dial = () => Promise<ByteStream>;
