// SPDX-License-Identifier: Apache-2.0
// An /etc/containers of a test's own, seen by the daemon alone: in a mount namespace of its own.

/** What to start a command with; what it mounts below other folders is seen outside too. */
export const inNamespace = (containers: string): string[] => [
    ...["unshare", "--mount", "--propagation", "slave", "sh", "-c"],
    `mount --bind ${containers} /etc/containers && exec "$@"`,
    "sh",
];
