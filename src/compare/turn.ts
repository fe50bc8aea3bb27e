import type { Frames } from "./traffic.js";

/** How long one contestant has the clock: so many milliseconds, and so many batches at least and at most. */
export interface Turn {
  readonly ms: number;
  readonly least: number;
  readonly most: number;
}

/** ns per packet of batch after batch; the first, which finds the caches as another mode left them, is left out. */
export function takeTurn(
  run: (frames: Frames) => number,
  batches: readonly Frames[],
  round: number,
  { ms, least, most }: Turn,
): number[] {
  const batch = (index: number) => batches[(round * least + index) % batches.length] as Frames;
  const end = performance.now() + ms;
  const taken: number[] = [];
  run(batch(0));
  while (taken.length < least || (taken.length < most && performance.now() < end)) {
    taken.push(run(batch(taken.length + 1)));
  }
  return taken;
}
