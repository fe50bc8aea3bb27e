/** One of those who do the same work. */
export interface Contender {
  readonly name: string;
  /** Does the whole of a case's work once. */
  readonly run: () => unknown;
  /** Makes ready for a run; not timed. */
  readonly prepare?: () => void;
}

/** Work that is timed as a whole: at least 100 µs of it, or the clock is what is measured. */
export interface Case {
  readonly name: string;
  /** What is counted: `lookup`, `packet`. */
  readonly unit: string;
  /** How many of these a run does. */
  readonly count: number;
  /** The first is packetyard; the others are compared with it. */
  readonly contenders: readonly Contender[];
}

/** Cases that belong together; made one topic at a time, or one case, since their tables are large. */
export interface Topic {
  readonly name: string;
  readonly cases: () => Promise<readonly Case[] | AsyncIterable<Case>>;
}

export const WASM = "packetyard (wasm)";
export const PLAIN = "plain TypeScript";

/** Baselines must do the same work before their time is worth anything. */
export function assertSame(what: string, ours: Uint32Array, theirs: Uint32Array): void {
  const index = ours.findIndex((value, at) => value !== theirs[at]);
  if (index < 0 && ours.length === theirs.length) return;
  throw new Error(`${what}: result ${index} is ${ours[index]}, the baseline says ${theirs[index]}.`);
}
