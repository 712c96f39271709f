// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from "react";
import { FormGroup, HelperText } from "../ui/form.tsx";
import { Help, type Topic } from "../views/shared/help.tsx";

interface FieldProps {
    /** of the field; its help has the ID with "-help" behind it */
    readonly id: string;
    readonly label: string;
    readonly help: string;
    /** explained beside the label */
    readonly topic?: Topic;
    readonly isInvalid?: boolean;
    readonly children: ReactNode;
}

/** A field with its label, and what helps or is wrong below it. */
export function Field({ id, label, help, topic, isInvalid = false, children }: FieldProps) {
    return (
        <FormGroup label={label} {...(topic && { labelHelp: <Help topic={topic} /> })} fieldId={id}>
            {children}
            <HelperText id={`${id}-help`} isError={isInvalid}>
                {help}
            </HelperText>
        </FormGroup>
    );
}
