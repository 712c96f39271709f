// SPDX-License-Identifier: Apache-2.0
// What is wanted: programs, links and chains in one SQLite file, and the objects they were loaded from.
// Every read gives rows of the running boot only: kernel ids of another boot name other things today.
import { chmodSync, closeSync, constants, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementResultingChanges, type StatementSync } from "node:sqlite";
import { BpfmanError } from "../model/error.ts";
import type { ChangeEvent, EventPage, EventQuery } from "../model/events.ts";
import type { HookKey } from "../model/hooks.ts";
import type { LinkId, ProgramId } from "../model/ids.ts";
import type { ChainRecord, LinkRecord, ProgramRecord } from "../model/records.ts";
import { changeEvent, eventValues } from "./event-rows.ts";
import { ObjectFiles } from "./objects.ts";
import {
    chainParameters,
    chainRecord,
    hookParameters,
    linkParameters,
    linkRecord,
    type Parameters,
    programParameters,
    programRecord,
    type Row,
} from "./rows.ts";
import { migrate } from "./schema.ts";

const hookMatch = `kind = :kind AND direction = :direction AND nsid = :nsid AND netns_cookie = :netns_cookie
    AND ifindex = :ifindex AND boot_id = :boot_id`;

// SQLite result codes that tell a damaged file: https://sqlite.org/rescode.html
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** What is kept of events of each kind: entries of maps that a program sets all day must not push out who attached what. */
export const keptOfEachKind = 1000;

export class Store {
    readonly #db: DatabaseSync;
    readonly #bootId: string;
    readonly #objects: ObjectFiles;
    readonly #statements = new Map<string, StatementSync>();
    /** what was read and not written since, by its statement: a list of 1,000 programs costs 3 ms to read */
    readonly #read = new Map<string, readonly unknown[]>();
    #dataVersion: unknown;

    private constructor(db: DatabaseSync, bootId: string, objects: ObjectFiles) {
        this.#db = db;
        this.#bootId = bootId;
        this.#objects = objects;
    }

    /** Opens or makes the store in a folder; FAILED_PRECONDITION where its file is damaged or of a newer bpfman. */
    static open(stateDir: string, bootId: string): Store {
        mkdirSync(stateDir, { recursive: true, mode: 0o700 });
        chmodSync(stateDir, 0o700);
        const path = join(stateDir, "store.db");
        // SQLite gives its -wal and -shm files the mode of the database file
        closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600));
        chmodSync(path, 0o600);
        let db: DatabaseSync | undefined;
        try {
            db = new DatabaseSync(path, { timeout: 5000, enableForeignKeyConstraints: false });
            db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
            const check = db.prepare("PRAGMA quick_check(1)").get();
            const finding = Object.values(check ?? {})[0];
            if (finding !== "ok") throw damaged(path, String(finding));
            migrate(db, path);
            return new Store(db, bootId, new ObjectFiles(stateDir));
        } catch (error) {
            db?.close();
            const code = error instanceof Error && "errcode" in error ? error.errcode : undefined;
            if (code === SQLITE_NOTADB || code === SQLITE_CORRUPT) throw damaged(path, String(error));
            throw error;
        }
    }

    close(): void {
        this.#db.close();
    }

    /** Runs work as one transaction: all of its writes are kept, or, where it throws, none. Not to be nested. */
    transaction<T>(work: () => T): T {
        this.#db.exec("BEGIN IMMEDIATE");
        try {
            const result = work();
            // a promise would commit before its writes are made
            if (result instanceof Promise) throw new TypeError("a transaction's work must not be asynchronous");
            this.#db.exec("COMMIT");
            return result;
        } catch (error) {
            this.#read.clear();
            // some errors (a full disk) have rolled back already
            if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
            throw error;
        }
    }

    /** Keeps an event and gives it its number; the oldest of its kind beyond what is kept go. */
    addEvent(event: Omit<ChangeEvent, "sequence">): number {
        return this.transaction(() => {
            const { lastInsertRowid } = this.#prepared(
                "INSERT INTO events (kind, time, made_by, program_ids, link_ids, map_ids, subjects, message) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            ).run(...eventValues(event));
            this.#prepared(
                `DELETE FROM events WHERE kind = :kind AND sequence <=
                 (SELECT sequence FROM events WHERE kind = :kind ORDER BY sequence DESC LIMIT 1 OFFSET :kept)`,
            ).run({ kind: event.kind, kept: keptOfEachKind });
            return Number(lastInsertRowid);
        });
    }

    /** Newest first. */
    events({ limit, before, kinds }: EventQuery): EventPage {
        const places = kinds.map(() => "?").join(", ");
        const rows = this.#db
            .prepare(
                `SELECT * FROM events WHERE sequence < ?${kinds.length === 0 ? "" : ` AND kind IN (${places})`} ORDER BY sequence DESC LIMIT ?`,
            )
            .all(before ?? Number.MAX_SAFE_INTEGER, ...kinds, limit + 1);
        return { events: rows.slice(0, limit).map(changeEvent), more: rows.length > limit };
    }

    /** Sorted by id. */
    programs(): ProgramRecord[] {
        return this.#list("SELECT * FROM programs WHERE boot_id = :boot_id ORDER BY id", programRecord);
    }

    program(id: ProgramId): ProgramRecord | undefined {
        const row = this.#get("SELECT * FROM programs WHERE boot_id = :boot_id AND id = :id", { id });
        return row && programRecord(row);
    }

    insertProgram(record: ProgramRecord): void {
        this.#insert("INSERT", "programs", programParameters(record));
    }

    putProgram(record: ProgramRecord): void {
        this.#insert("INSERT OR REPLACE", "programs", programParameters(record));
    }

    deleteProgram(id: ProgramId): void {
        this.#run("DELETE FROM programs WHERE boot_id = :boot_id AND id = :id", { id });
    }

    /** Another program takes this one's place. */
    insertReplaced(id: ProgramId, newId: ProgramId): void {
        this.#run("INSERT OR REPLACE INTO replaced (boot_id, id, new_id) VALUES (:boot_id, :id, :new_id)", {
            id,
            new_id: newId,
        });
    }

    /** The program that has its place now, however often it was replaced; undefined where none took it. */
    replacedBy(id: ProgramId): ProgramId | undefined {
        const sql = "SELECT new_id FROM replaced WHERE boot_id = :boot_id AND id = :id";
        let found: ProgramId | undefined;
        for (let at: ProgramId | undefined = id; at !== undefined; ) {
            at = this.#get(sql, { id: at })?.["new_id"] as ProgramId | undefined;
            found = at ?? found;
        }
        return found;
    }

    /** Sorted by id. */
    links(): LinkRecord[] {
        return this.#list("SELECT * FROM links WHERE boot_id = :boot_id ORDER BY id", linkRecord);
    }

    link(id: LinkId): LinkRecord | undefined {
        const row = this.#get("SELECT * FROM links WHERE id = :id AND boot_id = :boot_id", { id });
        return row && linkRecord(row);
    }

    /** Returns the record with its new id. */
    insertLink(record: Omit<LinkRecord, "id">): LinkRecord {
        const id = this.#insert("INSERT", "links", linkParameters(record));
        return { ...record, id: id as LinkId };
    }

    updateLink(record: LinkRecord): void {
        const parameters = linkParameters(record);
        const columns = Object.keys(parameters).map(column => `${column} = :${column}`);
        const sql = `UPDATE links SET ${columns.join(", ")} WHERE id = :id AND boot_id = :boot_id`;
        const { changes } = this.#write(sql, { ...parameters, id: record.id });
        if (changes !== 1) throw new BpfmanError("NOT_FOUND", `no link ${record.id} in the store`);
    }

    deleteLink(id: LinkId): void {
        this.#run("DELETE FROM links WHERE id = :id AND boot_id = :boot_id", { id });
    }

    chains(): ChainRecord[] {
        return this.#list(
            "SELECT * FROM chains WHERE boot_id = :boot_id ORDER BY interface, ifindex, kind, direction",
            chainRecord,
        );
    }

    chain(hook: HookKey): ChainRecord | undefined {
        const row = this.#get(`SELECT * FROM chains WHERE ${hookMatch}`, hookParameters(hook));
        return row && chainRecord(row);
    }

    putChain(record: ChainRecord): void {
        this.#insert("INSERT OR REPLACE", "chains", chainParameters(record));
    }

    deleteChain(hook: HookKey): void {
        this.#run(`DELETE FROM chains WHERE ${hookMatch}`, hookParameters(hook));
    }

    /** A number for one attach request, higher than all before. */
    nextRequest(): number {
        return this.#next("request");
    }

    /** A number for one set of maps, never given before. */
    nextMapSet(): number {
        return this.#next("map_set");
    }

    /** Drops the rows of other boots; their link ids stay unused. */
    forgetOtherBoots(): { programs: number; links: number; chains: number } {
        this.#run("DELETE FROM replaced WHERE boot_id <> :boot_id", {});
        return this.transaction(() => ({
            programs: this.#run("DELETE FROM programs WHERE boot_id <> :boot_id", {}),
            links: this.#run("DELETE FROM links WHERE boot_id <> :boot_id", {}),
            chains: this.#run("DELETE FROM chains WHERE boot_id <> :boot_id", {}),
        }));
    }

    /** Keeps an object's bytes durably; returns their SHA-256 in hex. */
    keepObject(bytes: Uint8Array): string {
        return this.#objects.keep(bytes);
    }

    readObject(sha256: string): Uint8Array {
        return this.#objects.read(sha256);
    }

    objectPath(sha256: string): string {
        return this.#objects.path(sha256);
    }

    /** Removes objects that no program of any boot names. Not while a load has kept one and not yet written its row. */
    collectObjects(): number {
        const rows = this.#prepared("SELECT DISTINCT object_sha256 FROM programs").all();
        return this.#objects.collect(new Set(rows.map(row => String(row["object_sha256"]))));
    }

    #prepared(sql: string): StatementSync {
        let statement = this.#statements.get(sql);
        if (!statement) {
            statement = this.#db.prepare(sql);
            this.#statements.set(sql, statement);
        }
        return statement;
    }

    #list<T>(sql: string, record: (row: Row) => T): T[] {
        // tells of other connections' writes only: https://sqlite.org/pragma.html#pragma_data_version
        const version = this.#prepared("PRAGMA data_version").get()?.["data_version"];
        if (version !== this.#dataVersion) this.#read.clear();
        this.#dataVersion = version;
        let records = this.#read.get(sql) as readonly T[] | undefined;
        if (!records) {
            records = this.#prepared(sql).all({ boot_id: this.#bootId }).map(record);
            this.#read.set(sql, records);
        }
        // the caller's own: it may sort or shorten it
        return [...records];
    }

    #write(sql: string, parameters: Parameters): StatementResultingChanges {
        this.#read.clear();
        return this.#prepared(sql).run(parameters);
    }

    #get(sql: string, parameters: Parameters): Row | undefined {
        return this.#prepared(sql).get({ ...parameters, boot_id: this.#bootId });
    }

    #run(sql: string, parameters: Parameters): number {
        return Number(this.#write(sql, { ...parameters, boot_id: this.#bootId }).changes);
    }

    #insert(verb: "INSERT" | "INSERT OR REPLACE", table: string, parameters: Parameters): number {
        const columns = Object.keys(parameters);
        const sql = `${verb} INTO ${table} (${columns.join(", ")}) VALUES (:${columns.join(", :")})`;
        return Number(this.#write(sql, parameters).lastInsertRowid);
    }

    #next(name: string): number {
        const row = this.#prepared(
            `INSERT INTO counters (name, value) VALUES (:name, 1)
             ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value`,
        ).get({ name });
        return Number(row?.["value"]);
    }
}

function damaged(path: string, finding: string): BpfmanError {
    return new BpfmanError("FAILED_PRECONDITION", `the store ${path} is damaged: ${finding}`, {
        hint: `Put a copy of it back, or move it away: running programs then have no owner.`,
    });
}
