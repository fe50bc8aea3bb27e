const MASK = (1n << 64n) - 1n;
const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (64n - by))) & MASK;

type Lanes = readonly [bigint, bigint, bigint, bigint];

function round([a, b, c, d]: Lanes): Lanes {
  const [a1, c1] = [(a + b) & MASK, (c + d) & MASK];
  const [b1, d1] = [rotate(b, 13n) ^ a1, rotate(d, 16n) ^ c1];
  const [a2, c2] = [(rotate(a1, 32n) + d1) & MASK, (c1 + b1) & MASK];
  return [a2, rotate(b1, 17n) ^ c2, rotate(c2, 32n), rotate(d1, 21n) ^ a2];
}

/** SipHash-1-3 (Aumasson and Bernstein, 2012) of four octets under a key of two equal halves: its lower 32 bits. */
export function sipHash13(word: number, key: number): number {
  const k = BigInt(key);
  const last = (4n << 56n) | BigInt(word >>> 0);
  const [a, b, c, d] = round([
    0x736f6d6570736575n ^ k,
    0x646f72616e646f6dn ^ k,
    0x6c7967656e657261n ^ k,
    0x7465646279746573n ^ k ^ last,
  ]);
  const lanes = round(round(round([a ^ last, b, c ^ 0xffn, d])));
  return Number((lanes[0] ^ lanes[1] ^ lanes[2] ^ lanes[3]) & 0xffffffffn);
}

/** The keys of Linux' ip_vs_mh.c: of where a permutation begins, and of its step. */
export const OFFSET_KEY = 2654435761;
export const SKIP_KEY = 2654446892;

const FREE = 0xffffffff;

/**
 * Maglev's table (Eisenbud et al., NSDI'16, §3.4) of a prime number of places, as Linux fills it for real servers of
 * equal weight (rows of address and port, in the order of their addition): a server's number for every place.
 */
export function maglevPlaces(servers: Uint32Array, size: number): Uint32Array {
  const places = new Uint32Array(size).fill(FREE);
  const count = servers.length / 2;
  const words = Array.from(
    { length: count },
    (_, index) => (servers[index * 2] as number) + (servers[index * 2 + 1] as number),
  );
  const next = Uint32Array.from(words, (word) => sipHash13(word, OFFSET_KEY) % size);
  const skip = Uint32Array.from(words, (word) => 1 + (sipHash13(word, SKIP_KEY) % (size - 1)));
  for (let filled = 0; filled < size; filled++) {
    const server = count - 1 - (filled % count);
    let at = next[server] as number;
    while (places[at] !== FREE) at = (at + (skip[server] as number)) % size;
    places[at] = server;
    next[server] = at;
  }
  return places;
}
