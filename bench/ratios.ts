import type { Result } from "./measure.js";
import { PLAIN } from "./topic.js";

/** How fast packetyard is beside plain TypeScript that does the same: 1 is as fast, 2 twice as fast. */
export interface Ratio {
  readonly topic: string;
  readonly name: string;
  readonly speed: number;
}

/** Below this a case is named. */
export const SPEED_GOAL = 0.9;

/** The ratios of all cases that have such a baseline. */
export function ratiosOf(results: readonly Result[]): readonly Ratio[] {
  return results.flatMap(({ topic, name, contenders }) => {
    const plain = contenders.find((contender) => contender.name === PLAIN);
    return plain === undefined ? [] : [{ topic, name, speed: plain.ratio }];
  });
}

export function isBelow({ speed }: Ratio): boolean {
  return speed < SPEED_GOAL;
}

/** A line a ratio, and one that names those below the goal. */
export function printRatios(ratios: readonly Ratio[]): string {
  if (ratios.length === 0) return "";
  const lines = ratios.map(
    ({ topic, name, speed }) => `${`${topic}: ${name}`.padEnd(38)}${speed.toFixed(2)}`,
  );
  const below = ratios
    .filter(isBelow)
    .map(({ topic, name, speed }) => `${topic}: ${name} (${speed.toFixed(2)})`);
  const verdict =
    below.length === 0 ? `none is below ${SPEED_GOAL}.` : `below ${SPEED_GOAL}: ${below.join(", ")}.`;
  return `\nspeed beside plain TypeScript\n${lines.join("\n")}\n${verdict}\n`;
}
