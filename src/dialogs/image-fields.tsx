// SPDX-License-Identifier: Apache-2.0
// Which image, when to ask its registry, and as whom.
import { ExpandableSection } from "@patternfly/react-core/dist/esm/components/ExpandableSection/index.js";
import { FormGroup, FormHelperText } from "@patternfly/react-core/dist/esm/components/Form/index.js";
import { FormSelect, FormSelectOption } from "@patternfly/react-core/dist/esm/components/FormSelect/index.js";
import { HelperText, HelperTextItem } from "@patternfly/react-core/dist/esm/components/HelperText/index.js";
import { TextInput } from "@patternfly/react-core/dist/esm/components/TextInput/index.js";
import type { ImageSourceJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { shown } from "../escape.ts";
import { _ } from "../i18n.ts";
import { useImages } from "../page.ts";
import { ComboBox } from "../ui/combo-box.tsx";
import { Help } from "../views/help.tsx";
import { examples } from "./examples.ts";

export interface ImageChoice {
    readonly reference: string;
    readonly pullPolicy: "IfNotPresent" | "Always" | "Never";
    readonly username: string;
    readonly password: string;
}

export const initialImage: ImageChoice = { reference: "", pullPolicy: "IfNotPresent", username: "", password: "" };

/** Undefined while no image is named, or half of the credentials is missing. */
export function imageSource(choice: ImageChoice): ImageSourceJson | undefined {
    const url = choice.reference.trim();
    const { pullPolicy, username, password } = choice;
    if (url === "" || (username === "") !== (password === "")) return undefined;
    return { url, pullPolicy, ...(username === "" ? {} : { auth: { username, password } }) };
}

interface ImageFieldsProps {
    readonly choice: ImageChoice;
    readonly isDisabled: boolean;
    readonly onChange: (choice: ImageChoice) => void;
}

export function ImageFields({ choice, isDisabled, onChange }: ImageFieldsProps) {
    const kept = useImages().value ?? [];
    const text = choice.reference.trim().toLowerCase();
    const offers = kept
        .map(image => ({ value: shown(image.reference ?? "") }))
        .filter(({ value }) => value.toLowerCase().includes(text) && value !== choice.reference);
    return (
        <>
            <FormGroup label={_("Image")} labelHelp={<Help topic="signature" />} fieldId="image-reference">
                <ComboBox
                    id="image-reference"
                    value={choice.reference}
                    placeholder={examples.image}
                    isDisabled={isDisabled}
                    offers={offers}
                    describedBy="image-reference-help"
                    onChange={reference => onChange({ ...choice, reference })}
                />
                <FormHelperText>
                    <HelperText id="image-reference-help">
                        <HelperTextItem>
                            {_("Registry, repository and tag or digest. This host's container configuration decides.")}
                        </HelperTextItem>
                    </HelperText>
                </FormHelperText>
            </FormGroup>
            <FormGroup label={_("Pull")} fieldId="image-policy">
                <FormSelect
                    id="image-policy"
                    value={choice.pullPolicy}
                    isDisabled={isDisabled}
                    onChange={(_event, policy) =>
                        onChange({ ...choice, pullPolicy: policies.find(one => one === policy) ?? "IfNotPresent" })
                    }
                >
                    {policies.map(policy => (
                        <FormSelectOption key={policy} value={policy} label={policyLabel(policy)} />
                    ))}
                </FormSelect>
            </FormGroup>
            <FormGroup fieldId="image-login">
                <ExpandableSection
                    toggleText={_("User name and password of the registry")}
                    toggleId="image-login"
                    contentId="image-login-content"
                >
                    <div className="fields">
                        <FormGroup label={_("User name")} fieldId="image-username">
                            <TextInput
                                id="image-username"
                                value={choice.username}
                                autoComplete="off"
                                isDisabled={isDisabled}
                                onChange={(_event, username) => onChange({ ...choice, username })}
                            />
                        </FormGroup>
                        <FormGroup label={_("Password")} fieldId="image-password">
                            <TextInput
                                id="image-password"
                                type="password"
                                value={choice.password}
                                autoComplete="new-password"
                                isDisabled={isDisabled}
                                onChange={(_event, password) => onChange({ ...choice, password })}
                            />
                        </FormGroup>
                        <p className="note">
                            {_("Sent to the registry only and kept nowhere. Without them, root's own logins are used.")}
                        </p>
                    </div>
                </ExpandableSection>
            </FormGroup>
        </>
    );
}

const policies = ["IfNotPresent", "Always", "Never"] as const;

function policyLabel(policy: (typeof policies)[number]): string {
    switch (policy) {
        case "IfNotPresent":
            return _("if it is not here yet");
        case "Always":
            return _("always: ask the registry for the newest");
        case "Never":
            return _("never: only what is here");
    }
}
