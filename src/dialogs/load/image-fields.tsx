// SPDX-License-Identifier: Apache-2.0
// Which image, when to ask its registry, and as whom.
import type { ImageSourceJson } from "../../../proto/gen/bpfman/host/v1/host_pb.js";
import { useImages } from "../../page.ts";
import { shown } from "../../text/escape.ts";
import { _ } from "../../text/i18n.ts";
import { Select } from "../../ui/choice.tsx";
import { ComboBox } from "../../ui/combo-box.tsx";
import { Expandable } from "../../ui/expandable.tsx";
import { FormGroup } from "../../ui/form.tsx";
import { TextInput } from "../../ui/text-field.tsx";
import { Field } from "../field.tsx";
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
            <Field
                id="image-reference"
                label={_("Image")}
                help={_("Registry, repository and tag or digest. This host's container configuration decides.")}
                topic="signature"
            >
                <ComboBox
                    id="image-reference"
                    value={choice.reference}
                    placeholder={examples.image}
                    isDisabled={isDisabled}
                    offers={offers}
                    describedBy="image-reference-help"
                    onChange={reference => onChange({ ...choice, reference })}
                />
            </Field>
            <FormGroup label={_("Pull")} fieldId="image-policy">
                <Select
                    id="image-policy"
                    value={choice.pullPolicy}
                    isDisabled={isDisabled}
                    onChange={pullPolicy => onChange({ ...choice, pullPolicy })}
                    options={policies.map(policy => ({ value: policy, text: policyLabel(policy) }))}
                />
            </FormGroup>
            <FormGroup>
                <Expandable text={_("User name and password of the registry")}>
                    <div className="fields">
                        <FormGroup label={_("User name")} fieldId="image-username">
                            <TextInput
                                id="image-username"
                                value={choice.username}
                                autoComplete="off"
                                isDisabled={isDisabled}
                                onChange={username => onChange({ ...choice, username })}
                            />
                        </FormGroup>
                        <FormGroup label={_("Password")} fieldId="image-password">
                            <TextInput
                                id="image-password"
                                type="password"
                                value={choice.password}
                                autoComplete="new-password"
                                isDisabled={isDisabled}
                                onChange={password => onChange({ ...choice, password })}
                            />
                        </FormGroup>
                        <p className="note">
                            {_("Sent to the registry only and kept nowhere. Without them, root's own logins are used.")}
                        </p>
                    </div>
                </Expandable>
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
