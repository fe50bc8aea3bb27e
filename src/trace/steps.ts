import type { Ruleset } from "../ruleset/ruleset.js";
import type { Numbering } from "./numbering.js";
import type { TraceRecord } from "./record.js";

/** One line of a packet's way. */
export interface Step {
  readonly stage: string;
  readonly text: string;
}

/** Turns trace records into the way in words. */
export function traceSteps(
  records: readonly TraceRecord[],
  _numbering: Numbering,
  _ruleset: Ruleset,
): Step[] {
  return records.map(({ event, a, b, c, d, e }) => ({
    stage: event.toLowerCase(),
    text: [a, b, c, d, e].join(" "),
  }));
}

/** One line a step: the stage, padded, and its text. */
export function printSteps(steps: readonly Step[]): string {
  const width = Math.max(0, ...steps.map(({ stage }) => stage.length));
  return steps.map(({ stage, text }) => `${stage.padEnd(width)}  ${text}`.trimEnd()).join("\n");
}
