// SPDX-License-Identifier: Apache-2.0
// Whether an image is signed, and by whom.
import type { ImageSignatureJson } from "../../../proto/gen/bpfman/host/v1/host_pb.js";
import { shown } from "../../text/escape.ts";
import { _, format } from "../../text/i18n.ts";
import { Label } from "../../ui/label.tsx";
import { English } from "./english.tsx";

type Signature = ImageSignatureJson | undefined;

export function SignatureLabel({ signature }: { signature: Signature }) {
    return <Label color={colorOf(signature)}>{stateText(signature)}</Label>;
}

export function SignatureText({ signature }: { signature: Signature }) {
    const { identity = "", issuer = "", detail = "" } = signature ?? {};
    return (
        <div>
            <SignatureLabel signature={signature} />
            {identity !== "" && (
                <p>
                    {issuer === ""
                        ? format(_("By $0"), shown(identity))
                        : format(_("By $0, as $1 vouches"), shown(identity), shown(issuer))}
                </p>
            )}
            {detail !== "" && (
                <p className="note">
                    <English>{detail}</English>
                </p>
            )}
        </div>
    );
}

function colorOf(signature: Signature) {
    switch (signature?.state) {
        case "verified":
            return "green";
        case "untrusted":
            return "red";
        default:
            return "orange";
    }
}

function stateText(signature: Signature): string {
    switch (signature?.state) {
        case "verified":
            return _("Signature verified");
        case "untrusted":
            return _("Signer not trusted");
        case "unsigned":
            return _("Not signed");
        default:
            return _("Signature not checked");
    }
}
