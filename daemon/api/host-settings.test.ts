// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { membersOf, policiesOf } from "./host-settings.ts";

test("members are those of the list and those whose first group it is", () => {
    const groups = "wheel:x:10:ann\nbpfman:x:970:bob,ann\n";
    const users = "root:x:0:0::/root:/bin/sh\neve:x:1000:970::/home/eve:/bin/sh\nbob:x:1001:100::/:/bin/sh\n";
    assert.deepEqual(membersOf(groups, users), ["ann", "bob", "eve"]);
    assert.deepEqual(membersOf("wheel:x:10:ann\n", users), []);
});

test("a policy is told rule by rule", () => {
    const policy = {
        default: [{ type: "insecureAcceptAnything" }],
        transports: {
            docker: {
                "quay.io/x": [{ type: "sigstoreSigned", fulcio: { subjectEmail: "a@x.org", oidcIssuer: "https://i" } }],
                "": [{ type: "signedBy", keyPath: "/etc/key.gpg" }],
            },
        },
    };
    assert.deepEqual(policiesOf(JSON.stringify(policy)), [
        { transport: "", scope: "", type: "insecureAcceptAnything", detail: "" },
        { transport: "docker", scope: "quay.io/x", type: "sigstoreSigned", detail: "a@x.org (https://i)" },
        { transport: "docker", scope: "", type: "signedBy", detail: "/etc/key.gpg" },
    ]);
    assert.deepEqual(policiesOf("no JSON"), []);
});
