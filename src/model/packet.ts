// SPDX-License-Identifier: Apache-2.0
// Packets to try a program on: hexadecimal digits as people paste them, and a few to begin with.

/** Undefined for what is no packet: an odd digit, or other characters. Offsets as of tcpdump and hexdump are skipped. */
export function parseHex(text: string): Uint8Array | undefined {
    const digits = text
        .split("\n")
        // "0x0010:  4500 …" and "00000010  45 00 …"; what follows two spaces and a bar is the text column of hexdump -C
        .map(line => line.replace(/^\s*(?:0x)?[0-9a-f]{4,8}:\s|^[0-9a-f]{8}\s{2}/i, "").replace(/\s{2}\|.*$/, ""))
        .join("")
        .replace(/0x|[\s:,]/gi, "");
    if (digits === "" || digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) return undefined;
    return Uint8Array.from(digits.match(/../g) ?? [], pair => Number.parseInt(pair, 16));
}

/** Sixteen bytes a line. */
export function formatHex(bytes: Uint8Array): string {
    const pairs = [...bytes].map(byte => byte.toString(16).padStart(2, "0"));
    const lines: string[] = [];
    for (let at = 0; at < pairs.length; at += 16) lines.push(pairs.slice(at, at + 16).join(" "));
    return lines.join("\n");
}

/** Indexes of bytes that differ, those that only one of them has among them. */
export function changedBytes(before: Uint8Array, after: Uint8Array): Set<number> {
    const changed = new Set<number>();
    for (let at = 0; at < Math.max(before.length, after.length); at++) if (before[at] !== after[at]) changed.add(at);
    return changed;
}

export type SampleName = "udp" | "tcp" | "icmp" | "arp" | "ipv6";

const ethernet = (type: number) => [...mac(2), ...mac(1), type >> 8, type & 255];
const mac = (last: number) => [0x02, 0, 0, 0, 0, last];
const source = [192, 0, 2, 1];
const destination = [192, 0, 2, 2];

/** From 192.0.2.1 to 192.0.2.2 (RFC 5737), or 2001:db8::1 to ::2. */
export function samplePacket(name: SampleName): Uint8Array {
    switch (name) {
        case "udp":
            return ipv4(17, [0xc0, 0x00, 0x00, 0x35, 0x00, 0x10, 0, 0, ...text("bpfman..")]);
        case "tcp":
            return ipv4(6, [
                ...[0xc0, 0x00, 0x00, 0x50, 0, 0, 0, 1, 0, 0, 0, 0],
                ...[0x50, 0x02, 0xfa, 0xf0, 0, 0, 0, 0],
            ]);
        case "icmp":
            return ipv4(1, withChecksum([8, 0, 0, 0, 0, 1, 0, 1, ...text("bpfman..")], 2));
        case "arp":
            return padded([
                ...[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, ...mac(1), 0x08, 0x06],
                ...[0, 1, 8, 0, 6, 4, 0, 1, ...mac(1), ...source, 0, 0, 0, 0, 0, 0, ...destination],
            ]);
        case "ipv6": {
            const address = (last: number) => [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
            const udp = [0xc0, 0x00, 0x00, 0x35, 0x00, 0x08, 0, 0];
            return padded([
                ...ethernet(0x86dd),
                ...[0x60, 0, 0, 0, 0, udp.length, 17, 64, ...address(1), ...address(2), ...udp],
            ]);
        }
    }
}

function ipv4(protocol: number, payload: readonly number[]): Uint8Array {
    const length = 20 + payload.length;
    const header = [0x45, 0, length >> 8, length & 255, 0, 1, 0x40, 0, 64, protocol, 0, 0, ...source, ...destination];
    return padded([...ethernet(0x0800), ...withChecksum(header, 10), ...payload]);
}

/** RFC 1071's sum, put at `at`. */
function withChecksum(bytes: number[], at: number): number[] {
    let sum = 0;
    for (let index = 0; index < bytes.length; index += 2) sum += ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    const checksum = ~sum & 0xffff;
    return bytes.with(at, checksum >> 8).with(at + 1, checksum & 255);
}

/** The shortest frame of Ethernet. */
function padded(bytes: readonly number[]): Uint8Array {
    const frame = new Uint8Array(Math.max(60, bytes.length));
    frame.set(bytes);
    return frame;
}

function text(words: string): number[] {
    return [...new TextEncoder().encode(words)];
}
