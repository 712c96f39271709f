// SPDX-License-Identifier: Apache-2.0
// Turns the words of a command line into a command and its values, by a table of commands. Pure.
import { nearest } from "./nearest.ts";

export interface Option {
    /** without the dashes; also the key of its value */
    readonly name: string;
    readonly short?: string;
    readonly aliases?: readonly string[];
    /** what the value is called in help; absent: a flag */
    readonly value?: string;
    /** what the flag alone means; another value follows an equals sign */
    readonly alone?: string;
    /** repeated: each use adds one; words: also the words that follow, up to the next option or a word it refuses */
    readonly list?: "repeated" | "words";
    readonly accepts?: (word: string) => boolean;
    readonly choices?: readonly string[];
    readonly env?: string;
    readonly required?: boolean;
    readonly hidden?: boolean;
    readonly help: string;
}

export interface Word {
    readonly name: string;
    /** at most one of a command's words takes several */
    readonly list?: boolean;
    readonly optional?: boolean;
    readonly help: string;
}

export interface Command<Run> {
    readonly name: string;
    readonly aliases?: readonly string[];
    readonly summary: string;
    readonly options?: readonly Option[];
    readonly words?: readonly Word[];
    readonly commands?: readonly Command<Run>[];
    /** the command that is meant where none is named */
    readonly fallback?: string;
    /** a word that names no command is the fallback's */
    readonly fallbackTakesWords?: boolean;
    /** exit status of a wrong command line below here */
    readonly usageExit?: number;
    readonly hidden?: boolean;
    readonly examples?: readonly string[];
    /** how to run it; a command without one runs its parent's */
    readonly run?: () => Promise<Run>;
}

/** A wrong command line. */
export class UsageError extends Error {
    override readonly name = "UsageError";
    exit = 1;
    /** the command whose help tells more */
    command = "";

    /** The innermost place that knows it counts. */
    at<Run>(path: readonly Command<Run>[]): this {
        this.exit = path.findLast(command => command.usageExit !== undefined)?.usageExit ?? 1;
        this.command = path.map(({ name }) => name).join(" ");
        return this;
    }
}

export class Args {
    /** name of the innermost command */
    readonly command: string;
    readonly #values: ReadonlyMap<string, readonly string[]>;
    constructor(command: string, values: ReadonlyMap<string, readonly string[]>) {
        this.command = command;
        this.#values = values;
    }

    flag(name: string): boolean {
        return this.#values.has(name);
    }

    /** The last value given. */
    value(name: string): string | undefined {
        return this.#values.get(name)?.at(-1);
    }

    /** Of an option or word that the table requires. */
    required(name: string): string {
        const value = this.value(name);
        if (value === undefined) throw new UsageError(`--${name} is required`);
        return value;
    }

    values(name: string): readonly string[] {
        return this.#values.get(name) ?? [];
    }
}

export interface Parsed<Run> {
    /** from the root to the command named */
    readonly path: readonly Command<Run>[];
    readonly args: Args;
    /** short: without what every command takes */
    readonly help: "short" | "full" | undefined;
}

export function parseArgs<Run>(
    root: Command<Run>,
    argv: readonly string[],
    env: Readonly<Record<string, string | undefined>>,
): Parsed<Run> {
    const parser = new Parser(root, argv);
    try {
        return parser.parse(env);
    } catch (error) {
        throw error instanceof UsageError ? error.at(parser.path) : error;
    }
}

class Parser<Run> {
    readonly path: Command<Run>[];
    readonly #argv: readonly string[];
    readonly #values = new Map<string, string[]>();
    #at = 0;
    #words: string[] = [];
    #help: "short" | "full" | undefined;

    constructor(root: Command<Run>, argv: readonly string[]) {
        this.path = [root];
        this.#argv = argv;
    }

    get #command(): Command<Run> {
        return this.path.at(-1) as Command<Run>;
    }

    parse(env: Readonly<Record<string, string | undefined>>): Parsed<Run> {
        let onlyWords = false;
        while (this.#at < this.#argv.length) {
            const word = this.#argv[this.#at++] ?? "";
            if (!onlyWords && word === "--") onlyWords = true;
            else if (!onlyWords && word.startsWith("--")) this.#long(word.slice(2));
            else if (!onlyWords && word.startsWith("-") && word.length > 1 && !/^-\d/.test(word)) this.#shorts(word);
            else this.#word(word);
        }
        if (this.#help) {
            if (this.#command.fallbackTakesWords) this.path.push(this.#fallback());
        } else {
            while (this.#command.fallback !== undefined) this.#descend(this.#fallback());
            this.#finish(env);
        }
        return { path: this.path, args: new Args(this.#command.name, this.#values), help: this.#help };
    }

    #fallback(): Command<Run> {
        const { commands = [], fallback } = this.#command;
        const found = commands.find(command => command.name === fallback);
        if (!found) throw new Error(`no command ${fallback}`);
        return found;
    }

    #descend(command: Command<Run>): void {
        this.#assignWords();
        this.path.push(command);
    }

    #word(word: string): void {
        const { commands = [], words = [], fallback, fallbackTakesWords } = this.#command;
        if (words.length === 0 || this.#words.length >= words.length) {
            const command = commands.find(({ name, aliases }) => name === word || aliases?.includes(word));
            if (command) {
                this.#descend(command);
                return;
            }
            if (fallback !== undefined && fallbackTakesWords) {
                this.#descend(this.#fallback());
                this.#word(word);
                return;
            }
            if (commands.length > 0) {
                const names = commands.filter(({ hidden }) => !hidden).map(({ name }) => name);
                throw new UsageError(`unknown command "${word}"${didYouMean(nearest(word, names), names)}`);
            }
            if (!words.some(({ list }) => list)) throw new UsageError(`unexpected argument "${word}"`);
        }
        this.#words.push(word);
    }

    #long(text: string): void {
        const equals = text.indexOf("=");
        const name = equals < 0 ? text : text.slice(0, equals);
        if (name === "help") {
            this.#help = "full";
            return;
        }
        const option = this.#find(candidate => candidate.name === name || (candidate.aliases?.includes(name) ?? false));
        if (!option) throw this.#unknown(`--${name}`);
        this.#take(option, `--${name}`, equals < 0 ? undefined : text.slice(equals + 1));
    }

    #shorts(word: string): void {
        for (let at = 1; at < word.length; at++) {
            const letter = word[at] ?? "";
            if (letter === "h") {
                this.#help ??= "short";
                continue;
            }
            const option = this.#find(({ short }) => short === letter);
            if (!option) throw this.#unknown(`-${letter}`);
            if (option.value !== undefined && option.alone === undefined) {
                const rest = word.slice(at + 1).replace(/^=/, "");
                this.#take(option, `-${letter}`, rest === "" && at + 1 === word.length ? undefined : rest);
                return;
            }
            this.#take(option, `-${letter}`, undefined);
        }
    }

    /** The innermost command's options win; what only a group's fallback has names the fallback. */
    #find(matches: (option: Option) => boolean): Option | undefined {
        for (;;) {
            for (const { options = [] } of this.path.toReversed()) {
                const option = options.find(matches);
                if (option) return option;
            }
            if (this.#command.fallback === undefined || !this.#fallback().options?.some(matches)) return undefined;
            this.#descend(this.#fallback());
        }
    }

    #unknown(flag: string): UsageError {
        const commands = this.#command.fallback === undefined ? this.path : [...this.path, this.#fallback()];
        const names = commands.flatMap(({ options = [] }) =>
            options.filter(({ hidden }) => !hidden).map(o => `--${o.name}`),
        );
        return new UsageError(
            `unknown flag ${flag}${didYouMean(flag.startsWith("--") ? nearest(flag, names) : undefined)}`,
        );
    }

    #take(option: Option, flag: string, attached: string | undefined): void {
        if (option.value === undefined) {
            if (attached !== undefined) throw new UsageError(`${flag} takes no value`);
            this.#values.set(option.name, [""]);
            return;
        }
        const taken = [attached ?? option.alone ?? this.#nextValue(option, flag)];
        if (option.list === "words" && attached === undefined) {
            for (let word = this.#argv[this.#at]; word !== undefined; word = this.#argv[++this.#at]) {
                if (word.startsWith("-") || !(option.accepts?.(word) ?? true)) break;
                taken.push(word);
            }
        }
        for (const value of taken) {
            if (option.choices && !option.choices.includes(value)) {
                throw new UsageError(`${flag} must be one of ${option.choices.join(", ")}, not "${value}"`);
            }
        }
        const before = option.list === undefined ? [] : (this.#values.get(option.name) ?? []);
        this.#values.set(option.name, [...before, ...taken]);
    }

    #nextValue(option: Option, flag: string): string {
        const next = this.#argv[this.#at];
        if (next === undefined || (next.startsWith("-") && next.length > 1 && !/^-\d/.test(next))) {
            throw new UsageError(`${flag} needs a value: ${flag} ${option.value}`);
        }
        this.#at++;
        return next;
    }

    #assignWords(): void {
        const { words = [] } = this.#command;
        const given = this.#words;
        this.#words = [];
        const listAt = words.findIndex(({ list }) => list);
        words.forEach((word, at) => {
            let values: string[];
            if (listAt < 0 || at < listAt) values = given.slice(at, at + 1);
            else if (at === listAt) values = given.slice(at, Math.max(at, given.length - (words.length - 1 - at)));
            else values = given.slice(Math.max(listAt, given.length - (words.length - at))).slice(0, 1);
            if (values.length > 0) this.#values.set(word.name, values);
        });
        const needed = words.filter(({ optional }) => !optional);
        const missing =
            needed.find(({ name }) => !this.#values.has(name)) ??
            (given.length < needed.length ? needed.at(-1) : undefined);
        if (missing) throw new UsageError(`missing argument ${missing.name}: ${missing.help}`);
    }

    #finish(env: Readonly<Record<string, string | undefined>>): void {
        this.#assignWords();
        const { commands = [], words = [] } = this.#command;
        if (!this.path.some(({ run }) => run) || (commands.length > 0 && !this.#command.run && words.length === 0)) {
            const names = commands.filter(({ hidden }) => !hidden).map(({ name }) => name);
            throw new UsageError(`expected one of: ${names.join(", ")}`);
        }
        for (const option of this.path.flatMap(({ options = [] }) => options)) {
            const fromEnv = option.env === undefined ? undefined : env[option.env];
            if (fromEnv !== undefined && fromEnv !== "" && !this.#values.has(option.name)) {
                this.#values.set(option.name, [fromEnv]);
            }
            if (option.required && !this.#values.has(option.name)) {
                throw new UsageError(`--${option.name} is required: --${option.name} ${option.value}`);
            }
        }
    }
}

function didYouMean(name: string | undefined, all: readonly string[] = []): string {
    if (name !== undefined) return `; did you mean ${name}?`;
    return all.length > 0 && all.length <= 20 ? `; expected one of: ${all.join(", ")}` : "";
}
