// SPDX-License-Identifier: Apache-2.0
// The configuration in force, what it demands of images, and who may use the daemon. It is changed in its files.
import type { ReactNode } from "react";
import type {
    ImagePolicyJson,
    SettingJson,
    SettingsJson,
    TrustedIdentityJson,
} from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { useSettings } from "../page.ts";
import { shown } from "../text/escape.ts";
import { _, format } from "../text/i18n.ts";
import { bytes } from "../text/words.ts";
import { Alert } from "../ui/alert.tsx";
import { Card } from "../ui/card.tsx";
import { Loading } from "../ui/empty.tsx";
import { Fact, FactCard } from "../ui/facts.tsx";
import { Label } from "../ui/label.tsx";
import { type Column, DataTable } from "../ui/table.tsx";
import { Code } from "./shared/code.tsx";
import { English } from "./shared/english.tsx";
import { Explained } from "./shared/help.tsx";
import { ErrorAlert } from "./shared/refusal.tsx";
import { Section } from "./shared/section.tsx";

export function SettingsView() {
    const { value: settings, error } = useSettings();
    if (error) return <ErrorAlert error={error} />;
    if (!settings) return <Loading />;
    return (
        <Section className="cards">
            <h1 className="pf-v6-screen-reader">{_("Settings")}</h1>
            {(settings.warnings ?? []).map(warning => (
                <Alert key={warning} variant="warning" title={_("The configuration has a flaw")}>
                    <English>{warning}</English>
                </Alert>
            ))}
            <ConfigurationCard settings={settings} />
            <PoliciesCard settings={settings} />
            <div className="card-pair">
                <AccessCard settings={settings} />
                <PlacesCard settings={settings} />
            </div>
        </Section>
    );
}

function FileNote({ path, isPresent }: { path: string; isPresent: boolean }) {
    return (
        <p className="note inset">
            <Code>{path}</Code> {!isPresent && _("is not there; defaults apply.")}
        </p>
    );
}

function ConfigurationCard({ settings }: { settings: SettingsJson }) {
    return (
        <Card title={_("Configuration")} isFlush>
            <FileNote path={settings.configPath ?? ""} isPresent={settings.configPresent ?? false} />
            <DataTable
                label={_("Configuration")}
                columns={settingColumns()}
                rows={settings.settings ?? []}
                keyOf={setting => setting.key ?? ""}
            />
        </Card>
    );
}

function settingColumns(): Column<SettingJson>[] {
    return [
        {
            id: "key",
            title: _("Key"),
            width: 25,
            wrap: "breakWord",
            cell: ({ key = "" }) => <Code>{key}</Code>,
        },
        {
            id: "value",
            title: _("Value"),
            width: 25,
            wrap: "breakWord",
            cell: ({ value = "", set = false }) => (
                <>
                    <Code>{value}</Code> {!set && <Label isOutline>{_("default")}</Label>}
                </>
            ),
        },
        {
            id: "description",
            title: _("Meaning"),
            cell: ({ description = "" }) => <English>{description}</English>,
        },
    ];
}

function PoliciesCard({ settings }: { settings: SettingsJson }) {
    // what applies where nothing else does stands last
    const policies = (settings.policies ?? []).toSorted((a, b) => Number(isDefault(a)) - Number(isDefault(b)));
    const identities = settings.trustedIdentities ?? [];
    return (
        <Card title={<Explained topic="signature">{_("Signatures of images")}</Explained>} isFlush>
            <FileNote path={settings.policyPath ?? ""} isPresent={settings.policyPresent ?? false} />
            <DataTable
                label={_("Policies")}
                columns={policyColumns(policies.length === 1)}
                rows={policies}
                keyOf={({ transport, scope, type, detail }) => [transport, scope, type, detail].join(" ")}
            />
            {identities.length > 0 && (
                <div className="inset">
                    <h3 className="field-group-title">{_("Trusted signers")}</h3>
                    <ul className="plain-list">
                        {identities.map(identity => (
                            <li key={identityText(identity)}>
                                <bdi>{identityText(identity)}</bdi>
                            </li>
                        ))}
                    </ul>
                </div>
            )}
        </Card>
    );
}

function identityText({ subject = "", issuer = "", keyPath = "" }: TrustedIdentityJson): string {
    if (keyPath !== "") return format(_("key $0"), shown(keyPath));
    return format(_("$0, as $1 vouches"), shown(subject), shown(issuer));
}

function policyColumns(isAlone: boolean): Column<ImagePolicyJson>[] {
    return [
        {
            id: "scope",
            title: _("Images of"),
            width: 30,
            wrap: "breakWord",
            cell: ({ transport = "", scope = "" }) =>
                scope === "" ? scopeText(transport, isAlone) : <Code>{scope}</Code>,
        },
        { id: "demand", title: _("Demand"), width: 30, cell: ({ type = "" }) => demandText(type) },
        { id: "detail", title: _("Key or identity"), cell: ({ detail = "" }) => <English>{detail}</English> },
    ];
}

function isDefault({ transport = "" }: ImagePolicyJson): boolean {
    return transport === "";
}

function scopeText(transport: string, isAlone: boolean): string {
    if (transport !== "") return format(_("any registry ($0)"), shown(transport));
    return isAlone ? _("everywhere") : _("everywhere else");
}

function demandText(type: string): ReactNode {
    switch (type) {
        case "insecureAcceptAnything":
            return _("no signature needed");
        case "reject":
            return _("refused");
        case "signedBy":
            return _("a GPG signature");
        case "sigstoreSigned":
            return _("a Sigstore signature");
        default:
            return shown(type);
    }
}

function AccessCard({ settings }: { settings: SettingsJson }) {
    const members = settings.groupMembers ?? [];
    return (
        <FactCard title={_("Access")}>
            <Fact term={_("Group")}>
                {shown(settings.group ?? "")}
                <p className="note">
                    {_("Its members may do everything that is done here, without a password: that equals root.")}
                </p>
            </Fact>
            <Fact term={_("Members")}>{members.length === 0 ? _("None") : shown(members.join(", "))}</Fact>
            <Fact term={_("Socket")}>
                <Code>{settings.socketPath ?? ""}</Code>
            </Fact>
        </FactCard>
    );
}

function PlacesCard({ settings }: { settings: SettingsJson }) {
    const used = bytes(Number(settings.imageCacheBytes ?? 0));
    const limit = bytes(Number(settings.imageCacheLimitBytes ?? 0));
    return (
        <FactCard title={_("Places")}>
            <Fact term={_("State")}>
                <Code>{settings.stateDir ?? ""}</Code>
            </Fact>
            <Fact term={_("Runtime")}>
                <Code>{settings.runtimeDir ?? ""}</Code>
            </Fact>
            <Fact term={_("Images")}>
                <Code>{settings.imageCacheDir ?? ""}</Code>
                <p className="note">{format(_("$0 of at most $1"), used, limit)}</p>
            </Fact>
        </FactCard>
    );
}
