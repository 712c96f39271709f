// SPDX-License-Identifier: Apache-2.0
// The documented, stable part of ../base1/cockpit.js that this page uses at run time.

declare namespace cockpit {
    type Superuser = "try" | "require";

    interface ChannelOptions {
        payload: string;
        unix?: string;
        superuser?: Superuser;
        binary?: boolean;
        "send-acks"?: "bytes";
    }

    interface ControlMessage {
        command: string;
        problem?: string;
        message?: string;
        bytes?: number;
    }

    interface CloseMessage {
        problem?: string;
        message?: string;
    }

    interface Channel {
        readonly valid: boolean;
        send(data: Uint8Array): void;
        control(message: { command: string }): void;
        close(problem?: string): void;
        addEventListener(event: "message", listener: (event: unknown, data: Uint8Array) => void): void;
        addEventListener(event: "control", listener: (event: unknown, message: ControlMessage) => void): void;
        addEventListener(event: "close", listener: (event: unknown, message: CloseMessage) => void): void;
    }

    interface Permission {
        /** null: not known yet */
        readonly allowed: boolean | null;
        addEventListener(event: "changed", listener: () => void): void;
        removeEventListener(event: "changed", listener: () => void): void;
        close(): void;
    }

    interface Problem {
        problem?: string;
        message?: string;
    }

    interface BinaryFile {
        /** null where there is no such file */
        read(): Promise<Uint8Array | null>;
        close(): void;
    }

    interface Location {
        readonly path: string[];
        readonly options: Record<string, string | string[]>;
        go(path: string[], options?: Record<string, string>): void;
        /** as go, without an entry of its own in the history */
        replace(path: string[], options?: Record<string, string>): void;
        encode(path: string[], options?: Record<string, string>): string;
    }

    const location: Location;
    const language: string | undefined;
    const language_direction: "ltr" | "rtl" | undefined;
    const manifests: Record<string, { config?: Record<string, unknown> } | undefined> | undefined;

    function channel(options: ChannelOptions): Channel;
    function permission(options: { admin: boolean }): Permission;
    function spawn(
        argv: string[],
        options?: { superuser?: Superuser; err?: "message" | "ignore" | "out" },
    ): Promise<string>;
    function file(path: string, options: { binary: true; max_read_size: number; superuser: Superuser }): BinaryFile;
    function jump(path: string): void;
    function gettext(text: string): string;
    function ngettext(one: string, many: string, count: number): string;
    function format(text: string, ...values: (string | number)[]): string;
    function message(problem: Problem): string;
    /** the shell shows another page */
    const hidden: boolean | undefined;
    function addEventListener(event: "locationchanged" | "visibilitychange", listener: () => void): void;
    function removeEventListener(event: "locationchanged" | "visibilitychange", listener: () => void): void;
}

declare module "*.css";
