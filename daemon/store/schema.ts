// SPDX-License-Identifier: Apache-2.0
// The tables, as a list of migrations: PRAGMA user_version counts those that a file has seen. An entry that was
// released is never edited; a change is a new entry at the end.
import type { DatabaseSync } from "node:sqlite";
import { BpfmanError } from "../model/error.ts";

// nsid and netns_cookie are unsigned 64-bit numbers, which SQLite's INTEGER can't hold: decimal TEXT.
// AUTOINCREMENT keeps the highest link id ever given, so that deleted ids stay unused.
export const migrations: readonly string[] = [
    `
    CREATE TABLE programs (
        boot_id TEXT NOT NULL,
        id INTEGER NOT NULL,
        tag TEXT NOT NULL,
        name TEXT NOT NULL,
        type TEXT NOT NULL,
        section TEXT NOT NULL,
        frags INTEGER NOT NULL,
        source_path TEXT NOT NULL,
        object_sha256 TEXT NOT NULL,
        global_data TEXT NOT NULL,
        metadata TEXT NOT NULL,
        map_owner_id INTEGER,
        map_set INTEGER NOT NULL,
        map_ids TEXT NOT NULL,
        license TEXT NOT NULL,
        gpl_compatible INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL,
        PRIMARY KEY (boot_id, id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE links (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        boot_id TEXT NOT NULL,
        program_id INTEGER NOT NULL,
        kind TEXT NOT NULL,
        direction TEXT NOT NULL,
        nsid TEXT NOT NULL,
        netns_cookie TEXT NOT NULL,
        ifindex INTEGER NOT NULL,
        interface TEXT NOT NULL,
        netns TEXT NOT NULL,
        priority INTEGER NOT NULL,
        proceed_on TEXT NOT NULL,
        request INTEGER NOT NULL,
        request_index INTEGER NOT NULL,
        metadata TEXT NOT NULL,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL,
        kernel_link_id INTEGER
    ) STRICT;

    CREATE TABLE chains (
        boot_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        direction TEXT NOT NULL,
        nsid TEXT NOT NULL,
        netns_cookie TEXT NOT NULL,
        ifindex INTEGER NOT NULL,
        interface TEXT NOT NULL,
        netns TEXT NOT NULL,
        revision INTEGER NOT NULL,
        backend TEXT NOT NULL,
        backend_reason TEXT NOT NULL,
        mode TEXT,
        mode_reason TEXT NOT NULL,
        frags INTEGER NOT NULL,
        program_id INTEGER NOT NULL,
        program_tag TEXT NOT NULL,
        kernel_link_id INTEGER NOT NULL,
        members TEXT NOT NULL,
        PRIMARY KEY (boot_id, kind, direction, nsid, netns_cookie, ifindex)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE counters (
        name TEXT PRIMARY KEY,
        value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    `,
    // hooks that are no chains: what they are is in details as JSON, and the columns of network hooks are empty
    `
    ALTER TABLE programs ADD COLUMN attach_function TEXT NOT NULL DEFAULT '';
    ALTER TABLE links ADD COLUMN details TEXT NOT NULL DEFAULT '';
    ALTER TABLE links ADD COLUMN further_kernel_link_ids TEXT NOT NULL DEFAULT '[]';
    `,
    // programs whose place another one took: who asks for the old id is told the new
    `
    CREATE TABLE replaced (
        boot_id TEXT NOT NULL,
        id INTEGER NOT NULL,
        new_id INTEGER NOT NULL,
        PRIMARY KEY (boot_id, id)
    ) STRICT, WITHOUT ROWID;
    `,
    // the image that a program came from, as JSON
    `
    ALTER TABLE programs ADD COLUMN image TEXT;
    `,
    // the filter that holds a chain where there is no TCX, as JSON
    `
    ALTER TABLE chains ADD COLUMN filter TEXT;
    `,
    // a chain whose dispatcher counts while statistics are watched
    `
    ALTER TABLE chains ADD COLUMN counting INTEGER NOT NULL DEFAULT 0;
    `,
    // the latest changes
    `
    CREATE TABLE events (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        time TEXT NOT NULL,
        made_by TEXT NOT NULL,
        program_ids TEXT NOT NULL,
        link_ids TEXT NOT NULL,
        map_ids TEXT NOT NULL,
        subjects TEXT NOT NULL,
        message TEXT NOT NULL
    ) STRICT;
    `,
    // so many of each kind are kept
    `
    CREATE INDEX events_by_kind ON events (kind, sequence);
    `,
];

export const schemaVersion = migrations.length;

/** Brings a database file up to schemaVersion, each step in a transaction of its own. */
export function migrate(db: DatabaseSync, path: string): void {
    const row = db.prepare("PRAGMA user_version").get();
    const seen = Number(row?.["user_version"]);
    if (seen > schemaVersion)
        throw new BpfmanError(
            "FAILED_PRECONDITION",
            `the store ${path} has schema version ${seen}, this bpfman knows versions up to ${schemaVersion}`,
            { hint: "Run the bpfman that wrote it, or a newer one." },
        );
    for (const [index, statements] of migrations.entries()) {
        if (index < seen) continue;
        db.exec("BEGIN IMMEDIATE");
        try {
            db.exec(statements);
            db.exec(`PRAGMA user_version = ${index + 1}`);
            db.exec("COMMIT");
        } catch (error) {
            if (db.isTransaction) db.exec("ROLLBACK");
            throw error;
        }
    }
}
