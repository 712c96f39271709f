// SPDX-License-Identifier: Apache-2.0
// A chain in libxdp's protocol: the dispatcher at an interface and its members read from the kernel and from libxdp's
// pins, and the next dispatcher made and pinned beside it.
import type { KernelLinkId, ProgramId } from "../../model/ids.ts";
import { createFreplaceLink, linkInfo, mapInfo, openMap, openPin, openProgram, pin, programInfo } from "../bpf.ts";
import type { Fd } from "../fd.ts";
import { lookup } from "../objects/map-calls.ts";
import { Dispatcher } from "./dispatcher.ts";
import { type LibxdpConfig, type LibxdpVersion, parseConfig, stubBit } from "./libxdp-config.ts";
import type { LibxdpPins } from "./libxdp-pins.ts";

export interface LibxdpMember {
    /** of the freplace program in the slot */
    readonly programId: ProgramId;
    readonly name: string;
    readonly tag: string;
    readonly loadedAt: string;
    readonly kernelLinkId: KernelLinkId;
    readonly priority: number;
    readonly mask: number;
    readonly frags: boolean;
    readonly programPin: string;
    readonly linkPin: string;
}

export interface LibxdpDispatcher {
    readonly programId: ProgramId;
    readonly tag: string;
    readonly version: LibxdpVersion;
    readonly frags: boolean;
    readonly deviceBound: boolean;
    /** by position */
    readonly members: readonly LibxdpMember[];
}

/** libxdp looks at the name and the number of maps, then at the map (check_dispatcher_version in libxdp.c). */
const dispatcherName = "xdp_dispatcher";

/** A dispatcher's configuration; undefined: another program; a string: why it can't be read, end of a sentence. */
function readConfig(programId: ProgramId): { tag: string; config: LibxdpConfig | string } | undefined {
    using program = openProgram(programId);
    if (program === undefined) return undefined;
    const { name, tag, mapIds } = programInfo(program);
    const [mapId, more] = mapIds;
    if (name !== dispatcherName || mapId === undefined || more !== undefined) return undefined;
    using map = openMap(mapId);
    if (map === undefined) return undefined;
    const bytes = lookup(map, Buffer.alloc(4), mapInfo(map).valueSize) ?? Buffer.alloc(0);
    return { tag, config: parseConfig(bytes) };
}

function readMember(pins: LibxdpPins, ifindex: number, dispatcher: ProgramId, position: number) {
    const programPin = pins.programPin(ifindex, dispatcher, position);
    const linkPin = pins.linkPin(ifindex, dispatcher, position);
    using program = openPin(programPin);
    using link = openPin(linkPin);
    const { id, name, tag, loadedAt } = programInfo(program);
    return { programId: id, name, tag, loadedAt, kernelLinkId: linkInfo(link).id, programPin, linkPin };
}

/**
 * The dispatcher with this id at an interface of this number; undefined: another program; a string: why it cannot be
 * worked with, as the end of a sentence. Without the lock the pins may just be on their way out: ask again then.
 */
export function readDispatcher(
    pins: LibxdpPins,
    ifindex: number,
    programId: ProgramId,
): LibxdpDispatcher | string | undefined {
    const found = readConfig(programId);
    if (found === undefined) return undefined;
    const { tag, config } = found;
    if (typeof config === "string") return config;
    const { version, frags, deviceBound } = config;
    try {
        const members = config.slots.map((slot, position) => ({
            ...slot,
            ...readMember(pins, ifindex, programId, position),
        }));
        return { programId, tag, version, frags, deviceBound, members };
    } catch {
        return `its programs are not pinned in ${pins.folder(ifindex, programId)}`;
    }
}

/** A member of the next dispatcher: the pin of its freplace program, ours or another's. */
export interface NextMember {
    readonly programPin: string;
    readonly what: string;
    readonly priority: number;
    readonly mask: number;
    readonly frags: boolean;
}

export interface NextDispatcher extends Disposable {
    readonly program: Fd;
    readonly programId: ProgramId;
    readonly tag: string;
    readonly links: readonly KernelLinkId[];
    /** Pins programs and links. To be called under the lock. */
    pinMembers(): void;
}

export const dispatcherKind = (version: LibxdpVersion) => (version === 3 ? "xdp_libxdp_3" : "xdp_libxdp_2");

/** Loads a dispatcher and links the members to it; they stay linked to the running one too. */
export function makeDispatcher(
    pins: LibxdpPins,
    ifindex: number,
    version: LibxdpVersion,
    members: readonly NextMember[],
): NextDispatcher {
    using cleanup = new DisposableStack();
    const slots = members.map(({ mask, priority, frags }) => ({ mask: (mask | stubBit) >>> 0, priority, frags }));
    const frags = members.every(member => member.frags);
    const dispatcher = cleanup.use(Dispatcher.load(dispatcherKind(version), slots, frags));
    const made = members.map(({ programPin, what }, position) => {
        const program = cleanup.use(openPin(programPin));
        const stub = dispatcher.stubId(position);
        return { program, link: cleanup.use(createFreplaceLink(program, dispatcher.program, stub, what)) };
    });
    const { id, tag } = dispatcher.identity();
    const links = made.map(({ link }) => linkInfo(link).id);
    const held = cleanup.move();
    return {
        program: dispatcher.program,
        programId: id,
        tag,
        links,
        pinMembers() {
            pins.make(ifindex, id);
            for (const [position, { program, link }] of made.entries()) {
                pin(link, pins.linkPin(ifindex, id, position));
                pin(program, pins.programPin(ifindex, id, position));
            }
        },
        [Symbol.dispose]: () => held.dispose(),
    };
}
