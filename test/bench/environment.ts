// SPDX-License-Identifier: Apache-2.0
// Imported before everything else: what is measured is the built command and daemon, as they are delivered.
process.env["BPFMAN_TEST_BUNDLE"] = "1";
// Node reads a file of certificates at every start where this is set
delete process.env["NODE_EXTRA_CA_CERTS"];
// what the first line of dist/bin/bpfman gives the daemon
process.env["NODE_OPTIONS"] = "--max-semi-space-size=1";
// what is left behind is the tests' business; here others may load programs meanwhile
process.env["BPFMAN_TEST_SHARED"] = "1";
