/** The machine's hashes once more, in arbitrary precision: tests that need keys that collide look for them here. */
const MASK = (1n << 64n) - 1n;
const KEY_A = 0x9e3779b97f4a7c15n;
const KEY_B = 0xd6e8feb86659fd93n;
const KEY_C = 0xa0761d6478bd642fn;

export function join(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

export function hash64(low: number, high: number): number {
  const mixed = (join(high, low) * KEY_A) & MASK;
  return Number((((mixed ^ (mixed >> 32n)) * KEY_B) & MASK) >> 32n);
}

/** A key of 128 bits, low half first. */
export type HashKey = readonly [bigint, bigint];

export function hash128(first: bigint, second: bigint, [low, high]: HashKey): bigint {
  const mixed = ((first ^ low) * KEY_A) & MASK;
  const rest = ((second ^ high) * KEY_B) & MASK;
  const turned = ((rest << 32n) & MASK) | (rest >> 32n);
  return ((mixed ^ turned) * KEY_C) & MASK;
}

/** The bucket, of a power of two of them, that a tuple belongs to. */
export function flowBucket(
  [src, dst, ports, protocol]: readonly [number, number, number, number],
  log2: number,
  key: HashKey,
): number {
  return Number(hash128(join(dst, src), join(protocol, ports), key) >> BigInt(64 - log2));
}

/** The inverse of an odd number modulo 2^64 (Newton). */
function inverse(odd: bigint): bigint {
  let guess = odd;
  for (let bits = 3; bits < 64; bits *= 2) guess = (guess * (2n - odd * guess)) & MASK;
  return guess;
}

/** The word under which an IPv6 address stands in a bucket of connections. */
export function addressWord(address: bigint, [low, high]: HashKey): number {
  return Number(hash128(address >> 64n, address & MASK, [high, low]) >> 32n);
}

/** Another address of the same /64 with the same word, for each `other` from 1 on another one. */
export function collidingAddress(address: bigint, other: number, [low, high]: HashKey): bigint {
  const prefix = address >> 64n;
  const product = hash128(prefix, address & MASK, [high, low]) ^ BigInt(other);
  const turned = ((product * inverse(KEY_C)) & MASK) ^ (((prefix ^ high) * KEY_A) & MASK);
  const rest = ((turned << 32n) & MASK) | (turned >> 32n);
  return (prefix << 64n) | (((rest * inverse(KEY_B)) & MASK) ^ low);
}

export function hash160(first: bigint, second: bigint, third: number): bigint {
  return hash128(first ^ BigInt(third), second, [KEY_C, KEY_A]);
}

/** Under the fixed key: a tunnel's source port and Maglev's slot come from it. */
export function hashTuple(src: number, dst: number, ports: number, protocol: number): number {
  return Number(hash128(join(dst, src), join(protocol, ports), [KEY_C, KEY_A]) >> 32n);
}
