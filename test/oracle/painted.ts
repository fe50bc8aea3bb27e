import type { Route } from "./fib4.js";

/** The next hops of `count` addresses from the first on, 0xffffffff for none: routes painted over each other, longer ones later. */
export function painted(routes: Iterable<Route>, first: number, count: number): Uint32Array {
  const answers = new Uint32Array(count).fill(0xffffffff);
  for (const { address, length, hop } of [...routes].sort((a, b) => a.length - b.length)) {
    const from = Math.max(0, address - first);
    const end = address - first + 2 ** (32 - length);
    if (end > from) answers.fill(hop, from, Math.min(count, end));
  }
  return answers;
}
