// SPDX-License-Identifier: Apache-2.0
// Runs a program on a packet without attaching it.
import { useId, useRef, useState } from "react";
import { fromBase64, toBase64 } from "../../../client/base64.ts";
import type { TestRunResponseJson } from "../../../proto/gen/bpfman/host/v1/host_pb.js";
import { asError } from "../../dialogs/frame.tsx";
import type { Program } from "../../model/model.ts";
import { changedBytes, formatHex, parseHex, type SampleName, samplePacket } from "../../model/packet.ts";
import { usePage } from "../../page.ts";
import { shown } from "../../text/escape.ts";
import { _, format, ngettext } from "../../text/i18n.ts";
import { duration } from "../../text/words.ts";
import { Button } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { Checkbox, Select } from "../../ui/choice.tsx";
import { Fact, Facts } from "../../ui/facts.tsx";
import { Form, FormGroup, HelperText } from "../../ui/form.tsx";
import { TextArea, TextInput } from "../../ui/text-field.tsx";
import { Refusal } from "../shared/refusal.tsx";

// those whose test run takes a packet
const testable = new Set([
    "xdp",
    "tc",
    "tcx",
    "sched_cls",
    "sched_act",
    "cgroup_skb",
    "socket_filter",
    "flow_dissector",
]);

export function canTestRun(program: Program): boolean {
    return testable.has(program.type) || testable.has(program.json.kernel?.typeName ?? "");
}

interface Outcome {
    readonly sent: Uint8Array;
    readonly response: TestRunResponseJson;
}

const mostRepeats = 1_000_000;
const largestPacket = 64 * 1024;

export function TestRunTab({ program }: { program: Program }) {
    const { client } = usePage();
    const [sample, setSample] = useState<SampleName | "own">("udp");
    const [hex, setHex] = useState(() => formatHex(samplePacket("udp")));
    const [repeat, setRepeat] = useState("1");
    const [isForced, setForced] = useState(false);
    const [isBusy, setBusy] = useState(false);
    const [outcome, setOutcome] = useState<Outcome>();
    const [error, setError] = useState<Error>();
    const packet = parseHex(hex);
    const count = /^[1-9][0-9]{0,6}$/.test(repeat) && Number(repeat) <= mostRepeats ? Number(repeat) : undefined;
    const needsForce = !program.managed;
    const canRun = packet !== undefined && count !== undefined && !isBusy && (!needsForce || isForced);
    const run = async () => {
        if (!canRun) return;
        setBusy(true);
        setError(undefined);
        try {
            const force = needsForce ? { force: true } : {};
            const request = { programId: program.id, packet: toBase64(packet), repeat: count, ...force };
            setOutcome({ sent: packet, response: await client.testRun(request) });
        } catch (cause) {
            setError(asError(cause));
        }
        setBusy(false);
    };
    const choose = (name: SampleName | "own") => {
        setSample(name);
        if (name !== "own") setHex(formatHex(samplePacket(name)));
    };
    const type = (text: string) => {
        setSample("own");
        setHex(text);
    };
    return (
        <div className="card-pair">
            <Card title={_("Packet")}>
                <Form onSubmit={() => void run()}>
                    <PacketFields sample={sample} onSample={choose} hex={hex} onHex={type} isValid={!!packet} />
                    <RepeatField repeat={repeat} onRepeat={setRepeat} isValid={count !== undefined} />
                    {needsForce && <ForceField isForced={isForced} onForced={setForced} />}
                    <FormGroup>
                        <div className="pf-v6-c-form__actions">
                            <Button type="submit" isLoading={isBusy} isDisabled={!canRun}>
                                {_("Run")}
                            </Button>
                        </div>
                    </FormGroup>
                </Form>
            </Card>
            <Card title={_("Result")}>
                {error && <Refusal title={_("The program was not run")} error={error} />}
                {!error && outcome && <Result outcome={outcome} />}
                {!error && !outcome && (
                    <p className="note">
                        {_("The kernel runs the program on the packet. No interface sees it; maps may change.")}
                    </p>
                )}
            </Card>
        </div>
    );
}

interface PacketFieldsProps {
    readonly sample: SampleName | "own";
    readonly onSample: (name: SampleName | "own") => void;
    readonly hex: string;
    readonly onHex: (text: string) => void;
    readonly isValid: boolean;
}

function PacketFields({ sample, onSample, hex, onHex, isValid }: PacketFieldsProps) {
    const id = useId();
    const file = useRef<HTMLInputElement>(null);
    const take = async (files: FileList | null) => {
        const chosen = files?.[0];
        if (chosen) onHex(formatHex(new Uint8Array(await chosen.slice(0, largestPacket).arrayBuffer())));
    };
    return (
        <>
            <FormGroup label={_("Begin with")} fieldId={`${id}-sample`}>
                <div className="field-line">
                    <Select
                        id={`${id}-sample`}
                        value={sample}
                        onChange={onSample}
                        options={[
                            { value: "udp", text: _("IPv4, UDP") },
                            { value: "tcp", text: _("IPv4, TCP SYN") },
                            { value: "icmp", text: _("IPv4, ICMP echo request") },
                            { value: "arp", text: _("ARP request") },
                            { value: "ipv6", text: _("IPv6, UDP") },
                            { value: "own", text: _("A packet of your own") },
                        ]}
                    />
                    <Button variant="secondary" onClick={() => file.current?.click()}>
                        {_("Choose a file")}
                    </Button>
                    <input
                        ref={file}
                        type="file"
                        hidden
                        onChange={event => {
                            void take(event.target.files);
                            event.target.value = "";
                        }}
                    />
                </div>
            </FormGroup>
            <FormGroup label={_("Bytes, hexadecimal")} fieldId={`${id}-hex`}>
                <TextArea
                    id={`${id}-hex`}
                    className="packet-bytes"
                    dir="ltr"
                    rows={8}
                    spellCheck={false}
                    isInvalid={!isValid}
                    aria-describedby={`${id}-hex-help`}
                    value={hex}
                    onChange={onHex}
                />
                {!isValid && (
                    <HelperText id={`${id}-hex-help`} isError>
                        {_("Pairs of hexadecimal digits are needed.")}
                    </HelperText>
                )}
            </FormGroup>
        </>
    );
}

interface RepeatFieldProps {
    readonly repeat: string;
    readonly onRepeat: (text: string) => void;
    readonly isValid: boolean;
}

function RepeatField({ repeat, onRepeat, isValid }: RepeatFieldProps) {
    const id = useId();
    return (
        <FormGroup label={_("Runs")} fieldId={id}>
            <TextInput
                id={id}
                className="short-input"
                inputMode="numeric"
                isInvalid={!isValid}
                aria-describedby={`${id}-help`}
                value={repeat}
                onChange={text => onRepeat(text.trim())}
            />
            {!isValid && (
                <HelperText id={`${id}-help`} isError>
                    {format(_("A number from 1 to $0 is needed."), mostRepeats)}
                </HelperText>
            )}
        </FormGroup>
    );
}

function ForceField({ isForced, onForced }: { isForced: boolean; onForced: (isForced: boolean) => void }) {
    const id = useId();
    return (
        <Checkbox
            id={id}
            label={_("Run it although others loaded it: a run may change its maps")}
            isChecked={isForced}
            onChange={onForced}
        />
    );
}

function Result({ outcome: { sent, response } }: { outcome: Outcome }) {
    const { returnCode = 0, returnName = "", packet = "", nsPerRun, runs = 0 } = response;
    const after = fromBase64(packet);
    const changed = changedBytes(sent, after);
    return (
        <div role="status">
            <Facts>
                <Fact term={_("Return code")}>
                    {returnName === "" ? returnCode : `${shown(returnName)} (${returnCode})`}
                </Fact>
                <Fact term={_("Time of a run")}>
                    {duration(Number(nsPerRun ?? 0))}{" "}
                    <span className="note">{ngettext("over $0 run", "over $0 runs", runs)}</span>
                </Fact>
                <Fact term={_("Packet after the first run")}>
                    {changed.size === 0
                        ? _("unchanged")
                        : ngettext("$0 byte changed", "$0 bytes changed", changed.size)}
                </Fact>
            </Facts>
            <PacketBytes bytes={after} changed={changed} />
        </div>
    );
}

function PacketBytes({ bytes, changed }: { bytes: Uint8Array; changed: ReadonlySet<number> }) {
    return (
        // biome-ignore lint/a11y/useSemanticElements: it scrolls, so it has a name and the keyboard reaches it
        // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
        <div className="packet-bytes packet-after" dir="ltr" role="region" aria-label={_("Packet")} tabIndex={0}>
            {[...bytes].map((byte, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a byte is its place
                <span key={at} className={changed.has(at) ? "changed-byte" : undefined}>
                    {byte.toString(16).padStart(2, "0")}
                </span>
            ))}
        </div>
    );
}
