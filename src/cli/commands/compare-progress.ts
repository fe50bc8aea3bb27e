import type { CompareProgress } from "../../compare/compare.js";
import { measureSteps } from "../../compare/measure.js";
import { printToStderr } from "../output.js";
import { type Progress, progress } from "../progress.js";

/** Steps of a cluster before its first round that counts. */
const STEPS_BEFORE = measureSteps({ rounds: 0 });

/** A bar for people at a terminal, a line for each cluster in a log. */
export class ShownProgress {
  readonly #begin = performance.now();
  #bar: Progress | undefined;
  #done = 0;
  /** What was done when the cluster had its first step. */
  #start = 0;
  #what = "";
  readonly #rounds: number | undefined;

  /** `rounds` of every cluster, as measured; without it the bar names no round. */
  constructor(rounds?: number) {
    this.#rounds = rounds;
  }

  show({ done, total, what }: CompareProgress): void {
    this.#bar ??= progress("steps of measuring", total);
    if (what !== this.#what) this.#start = done;
    this.#bar.tick(done - this.#done, `measuring ${what}${this.#round(done - this.#start)} …`);
    this.#done = done;
    if (what !== this.#what && process.stderr.isTTY !== true) {
      const seconds = Math.round((performance.now() - this.#begin) / 1000);
      printToStderr(`measuring ${what} (${seconds} s elapsed)\n`);
    }
    this.#what = what;
  }

  /** The round that runs after so many steps of a cluster: none while it is loaded and warmed up. */
  #round(steps: number): string {
    const rounds = this.#rounds;
    if (rounds === undefined || steps < STEPS_BEFORE) return "";
    return `, round ${Math.min(steps - STEPS_BEFORE + 1, rounds)} of ${rounds}`;
  }

  stop(): void {
    this.#bar?.stop();
  }
}
