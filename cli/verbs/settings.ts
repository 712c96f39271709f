// SPDX-License-Identifier: Apache-2.0
// settings: the configuration in force, and what else decides
import type { SettingsJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { type Verb, wantsJson } from "../host.ts";
import { printJson, printLines, table } from "../output/print.ts";
import { sizeText } from "../output/size-text.ts";

export const settings: Verb = async (args, { client }) => {
    const answer = await client.getSettings();
    if (wantsJson(args)) printJson(settingsJson(answer));
    else printLines(settingsText(answer));
    return 0;
};

function settingsText(answer: SettingsJson): string[] {
    const { settings: rows = [], policies = [], trustedIdentities = [], groupMembers = [], warnings = [] } = answer;
    return [
        ...table([
            ["Configuration:", `${answer.configPath ?? ""}${answer.configPresent ? "" : " (not there)"}`],
            ["Socket:", answer.socketPath ?? ""],
            ["Runtime folder:", answer.runtimeDir ?? ""],
            ["State folder:", answer.stateDir ?? ""],
            ["Image cache:", `${answer.imageCacheDir ?? ""} (${cacheText(answer)})`],
            [`Group ${answer.group ?? ""}:`, groupMembers.join(", ") || "nobody"],
            ...warnings.map(warning => ["Warning:", warning]),
        ]),
        "",
        ...table([
            ["KEY", "VALUE", "SET", "MEANING"],
            ...rows.map(({ key = "", value = "", set = false, description = "" }) => [
                key,
                value,
                set ? "yes" : "-",
                description,
            ]),
        ]),
        "",
        `Policy of images: ${answer.policyPath ?? ""}${answer.policyPresent ? "" : " (not there)"}`,
        ...table(
            policies.map(({ transport = "", scope = "", type = "", detail = "" }) => [
                transport === "" ? "default" : `${transport} ${scope || "(all)"}`,
                type,
                detail,
            ]),
            "  ",
        ),
        ...trustedIdentities.map(
            ({ subject = "", issuer = "", keyPath = "" }) => `Trusted: ${keyPath || `${subject} (${issuer})`}`,
        ),
    ];
}

const cacheText = ({ imageCacheBytes, imageCacheLimitBytes }: SettingsJson): string =>
    `${sizeText(imageCacheBytes)} of at most ${sizeText(imageCacheLimitBytes)}`;

const settingsJson = (answer: SettingsJson): object => ({
    config_path: answer.configPath ?? "",
    config_present: answer.configPresent ?? false,
    settings: (answer.settings ?? []).map(({ key = "", value = "", set = false, description = "" }) => ({
        key,
        value,
        set,
        description,
    })),
    warnings: answer.warnings ?? [],
    policy_path: answer.policyPath ?? "",
    policy_present: answer.policyPresent ?? false,
    policies: (answer.policies ?? []).map(({ transport = "", scope = "", type = "", detail = "" }) => ({
        transport,
        scope,
        type,
        detail,
    })),
    trusted_identities: (answer.trustedIdentities ?? []).map(({ subject = "", issuer = "", keyPath = "" }) => ({
        subject,
        issuer,
        key_path: keyPath,
    })),
    group: answer.group ?? "",
    group_members: answer.groupMembers ?? [],
    socket_path: answer.socketPath ?? "",
    runtime_dir: answer.runtimeDir ?? "",
    state_dir: answer.stateDir ?? "",
    image_cache_dir: answer.imageCacheDir ?? "",
    image_cache_bytes: Number(answer.imageCacheBytes ?? 0),
    image_cache_limit_bytes: Number(answer.imageCacheLimitBytes ?? 0),
});
