// SPDX-License-Identifier: Apache-2.0
// Whether an image is signed, and by whom, as text and as JSON.
import type { ImageSignatureJson } from "../../proto/gen/bpfman/host/v1/host_pb.js";

/** Programs that an earlier release loaded have none. */
export const signatureText = ({ state = "", detail = "" }: ImageSignatureJson = {}): string =>
    state === "" ? "unchecked" : `${state}: ${detail}`;

export const signatureJson = ({
    state = "",
    detail = "",
    identity = "",
    issuer = "",
    form = "",
}: ImageSignatureJson = {}) => ({ state, detail, identity, issuer, form });
