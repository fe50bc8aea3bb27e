import { type Diagnostic, InputError } from "../diagnostics.js";
import { type Ip, parseIp } from "../net/ip.js";

/** The words of one line of a kernel tool's listing, read from left to right. */
export class Words {
  #next = 0;

  constructor(
    private readonly words: readonly string[],
    private readonly file: string,
    /** Its number, from 1. */
    readonly line: number,
    /** The words as they are spelled, where that is more than they say: with quotes. */
    private readonly spelled = words,
  ) {}

  get done(): boolean {
    return this.#next >= this.words.length;
  }

  /** What is left. */
  get rest(): readonly string[] {
    return this.words.slice(this.#next);
  }

  peek(ahead = 0): string | undefined {
    return this.words[this.#next + ahead];
  }

  /** How many words were taken. */
  get position(): number {
    return this.#next;
  }

  /** Goes back to a position, to read its words otherwise. */
  rewind(position: number): void {
    this.#next = position;
  }

  /** What was taken since a position, as it is spelled. */
  textSince(position: number): string {
    return this.spelled.slice(position, this.#next).join(" ");
  }

  /** The next word; `what` names it in the error where the line ends too soon. */
  next(what: string): string {
    const word = this.words[this.#next];
    if (word === undefined) throw this.refusal(`the line ends where ${what} should stand.`);
    this.#next += 1;
    return word;
  }

  /** Takes the next words if they are exactly these. */
  take(...expected: readonly string[]): boolean {
    if (!expected.every((word, index) => this.words[this.#next + index] === word)) return false;
    this.#next += expected.length;
    return true;
  }

  expect(...expected: readonly string[]): void {
    for (const word of expected) {
      const found = this.next(`«${word}»`);
      if (found !== word) throw this.refusal(`«${found}» stands where «${word}» should.`);
    }
  }

  /** The next word as a value; `what` says in the error what it should have been. */
  read<T>(what: string, parse: (word: string) => T | undefined): T {
    const word = this.next(what);
    const value = parse(word);
    if (value === undefined) throw this.refusal(`«${word}» is not ${what}.`);
    return value;
  }

  readIp(): Ip {
    return this.read("an IP address", parseIp);
  }

  readCount(what: string): number {
    return this.read(what, (word) => (/^[0-9]{1,10}$/.test(word) ? Number(word) : undefined));
  }

  refusal(message: string): InputError {
    return refusalAt(this.file, this.line, message);
  }
}

export function refusalAt(file: string, line: number, message: string): InputError {
  return new InputError([{ severity: "error", place: { file, field: `line ${line}` }, message }]);
}

/**
 * Reads a listing of one object a line. Empty lines, and lines for which `read` returns undefined, are passed
 * over. Every line is read before one InputError with all that was found is thrown.
 */
export function readLines<T>(text: string, file: string, read: (words: Words) => T | undefined): T[] {
  const found: T[] = [];
  const errors: Diagnostic[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const split = line.trim().split(/\s+/);
    if (split[0] === "") continue;
    try {
      const value = read(new Words(split, file, index + 1));
      if (value !== undefined) found.push(value);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      errors.push(...error.diagnostics);
    }
  }
  if (errors.length > 0) throw new InputError(errors);
  return found;
}
