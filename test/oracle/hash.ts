/** The machine's hashes once more, in arbitrary precision: tests that need keys that collide look for them here. */
const MASK = (1n << 64n) - 1n;
const KEY_A = 0x9e3779b97f4a7c15n;
const KEY_B = 0xd6e8feb86659fd93n;
const KEY_C = 0xa0761d6478bd642fn;

function join(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

export function hash64(low: number, high: number): number {
  const mixed = (join(high, low) * KEY_A) & MASK;
  return Number((((mixed ^ (mixed >> 32n)) * KEY_B) & MASK) >> 32n);
}

export function hashTuple(src: number, dst: number, ports: number, protocol: number): number {
  const addresses = ((join(src, dst) ^ KEY_C) * KEY_A) & MASK;
  const rest = ((join(ports, protocol) ^ KEY_A) * KEY_B) & MASK;
  const turned = ((rest << 32n) & MASK) | (rest >> 32n);
  return Number((((addresses ^ turned) * KEY_C) & MASK) >> 32n);
}
