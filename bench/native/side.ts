import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { MissingExport } from "./kernel.js";

/** One way to do a row's work. Ways of one group compete; the group's best is the peer. */
export interface Variant {
  readonly group: string;
  readonly name: string;
}

/** `GROUP:NAME|GROUP:NAME`, as both sides list their variants. Error for anything else. */
export function parseVariants(text: string): readonly Variant[] {
  return text.split("|").map((one) => {
    const [, group, name] = /^([a-z]+):(.+)$/.exec(one) ?? [];
    if (group === undefined || name === undefined) throw new Error(`«${one}» names no variant.`);
    return { group, name };
  });
}

/** What follows `ok`. MissingExport for `missing …`; Error for `error …` and anything else. */
export function parseAnswer(line: string): string {
  const [, word, rest = ""] = /^(ok|missing|error)(?: (.*))?$/.exec(line) ?? [];
  if (word === "ok") return rest;
  if (word === "missing") throw new MissingExport(rest);
  throw new Error(word === "error" ? rest : `«${line}» is no answer.`);
}

/** A process that measures when it is asked to, one line for one line; in between it waits and costs nothing. */
export class Side {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #said = "";

  constructor(
    readonly name: string,
    command: readonly string[],
  ) {
    const [program = "", ...words] = command;
    this.#child = spawn(program, words, { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.on("error", (error) => this.#note(error.message));
    this.#child.stderr?.on("data", (octets) => this.#note(String(octets)));
    this.#child.stdin?.on("error", (error) => this.#note(error.message));
    const { stdout } = this.#child;
    if (stdout === null) throw new Error(`${name} has no output.`);
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  #note(text: string): void {
    this.#said = `${this.#said}${text}`.slice(-2000);
  }

  /** The first line, which says what it is. */
  async greeting(): Promise<string> {
    return this.#answer("starting");
  }

  async ask(...words: readonly (string | number)[]): Promise<string> {
    this.#child.stdin?.write(`${words.join(" ")}\n`);
    return this.#answer(words.join(" "));
  }

  async #answer(request: string): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`${this.name} ended at «${request}». ${this.#said}`);
    try {
      return parseAnswer(value);
    } catch (error) {
      if (error instanceof MissingExport) throw error;
      throw new Error(`${this.name}, at «${request}»: ${(error as Error).message} ${this.#said}`.trim());
    }
  }

  end(): void {
    this.#child.kill();
  }
}
