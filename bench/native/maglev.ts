import type { Random } from "../baseline/random.js";

/** Places of the table: a prime, as Maglev's permutations need (Eisenbud et al., NSDI'16, §3.4). */
export const MAGLEV_PLACES = 65_537;

/** A backend's number for every place; each backend fills its own permutation's next free place in turn. */
export function maglevPlaces(random: Random, backends: number): Uint32Array {
  const places = new Uint32Array(MAGLEV_PLACES).fill(0xffffffff);
  const next = Array.from({ length: backends }, () => random.below(MAGLEV_PLACES));
  const skip = Array.from({ length: backends }, () => 1 + random.below(MAGLEV_PLACES - 1));
  for (let filled = 0; filled < MAGLEV_PLACES; filled++) {
    const backend = filled % backends;
    let at = next[backend] as number;
    while (places[at] !== 0xffffffff) at = (at + (skip[backend] as number)) % MAGLEV_PLACES;
    places[at] = backend;
    next[backend] = at;
  }
  return places;
}
