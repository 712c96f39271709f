// SPDX-License-Identifier: Apache-2.0
// Whether an image is signed, and by whom.
import { Label } from "@patternfly/react-core/dist/esm/components/Label/index.js";
import type { ImageSignatureJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";
import { shown } from "../escape.ts";
import { _ } from "../i18n.ts";

export function SignatureLabel({ signature }: { signature: ImageSignatureJson | undefined }) {
    return (
        <Label isCompact color={signature?.state === "verified" ? "green" : "orange"}>
            {stateText(signature)}
        </Label>
    );
}

export function SignatureText({ signature }: { signature: ImageSignatureJson | undefined }) {
    return (
        <div>
            <SignatureLabel signature={signature} />
            {signature?.detail && (
                <p className="note" lang="en" dir="auto">
                    {shown(signature.detail)}
                </p>
            )}
        </div>
    );
}

function stateText(signature: ImageSignatureJson | undefined): string {
    if (signature?.state === "verified") return _("Signature verified");
    return signature?.state === "unsigned" ? _("Not signed") : _("Signature not checked");
}
