import type { Diagnostic } from "../../diagnostics.js";
import { isSame } from "../../ruleset/same.js";
import type { Journal } from "./journal.js";

/** What a ruleset says of the input that it came from. */
export class Notes {
  #diagnostics: readonly Diagnostic[];
  readonly #journal: Journal;

  constructor(diagnostics: readonly Diagnostic[], journal: Journal) {
    this.#diagnostics = diagnostics;
    this.#journal = journal;
  }

  get diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics;
  }

  add(diagnostic: Diagnostic): void {
    this.#set([...this.#diagnostics, diagnostic]);
  }

  /** TypeError where it was not said. */
  remove(diagnostic: Diagnostic): void {
    const at = this.#diagnostics.findIndex((one) => isSame(one, diagnostic));
    if (at < 0) throw new TypeError("the ruleset has no such diagnostic.");
    this.#set(this.#diagnostics.toSpliced(at, 1));
  }

  #set(diagnostics: readonly Diagnostic[]): void {
    const before = this.#diagnostics;
    this.#diagnostics = diagnostics;
    this.#journal.note(() => {
      this.#diagnostics = before;
    });
  }
}
