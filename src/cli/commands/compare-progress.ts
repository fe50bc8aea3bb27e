import type { CompareProgress } from "../../compare/compare.js";
import { printToStderr } from "../output.js";
import { type Progress, progress } from "../progress.js";

/** A bar for people at a terminal, a line for each cluster in a log. */
export class ShownProgress {
  readonly #begin = performance.now();
  #bar: Progress | undefined;
  #done = 0;
  #what = "";

  show({ done, total, what }: CompareProgress): void {
    this.#bar ??= progress("steps of measuring", total);
    this.#bar.tick(done - this.#done);
    this.#done = done;
    if (what !== this.#what && process.stderr.isTTY !== true) {
      const seconds = Math.round((performance.now() - this.#begin) / 1000);
      printToStderr(`measuring ${what} (${seconds} s elapsed)\n`);
    }
    this.#what = what;
  }

  stop(): void {
    this.#bar?.stop();
  }
}
