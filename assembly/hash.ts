/**
 * Hashes of table keys: multiply, rotate, multiply (after Wang Yi's wyhash), with the high half taken. Fixed keys:
 * equal images give equal tables everywhere.
 */
const KEY_A: u64 = 0x9e3779b97f4a7c15;
const KEY_B: u64 = 0xd6e8feb86659fd93;
const KEY_C: u64 = 0xa0761d6478bd642f;

export function hash64(low: u32, high: u32): u32 {
  const mixed: u64 = (((<u64>high) << 32) | low) * KEY_A;
  return <u32>(((mixed ^ (mixed >> 32)) * KEY_B) >> 32);
}

/** Of a connection's 5-tuple; protocol is below 256. */
export function hashTuple(src: u32, dst: u32, ports: u32, protocol: u32): u32 {
  return hashEnds(((<u64>dst) << 32) | src, ((<u64>protocol) << 32) | ports);
}

/** What stands for an IPv6 address, its words in their order, in a hash of a tuple. */
function hashAddress(address: v128): u32 {
  const high = v128.extract_lane<u64>(address, 0);
  return <u32>(hash128(high, v128.extract_lane<u64>(address, 1), KEY_C, KEY_A) >> 32);
}

/** `hashTuple` of IPv6. */
export function hashTuple6(src: v128, dst: v128, ports: u32, protocol: u32): u32 {
  return hashTuple(hashAddress(src), hashAddress(dst), ports, protocol);
}

/** `hashTuple` of dst << 32 | src, and protocol << 32 | ports. */
export function hashEnds(addresses: u64, rest: u64): u32 {
  return <u32>(hash128(addresses, rest, KEY_C, KEY_A) >> 32);
}

/**
 * Of 16 octets under a key of 16. A table takes the highest bits, which depend on every bit of both words; lower ones
 * do not depend on the highest of the first.
 */
export function hash128(first: u64, second: u64, key0: u64, key1: u64): u64 {
  return (((first ^ key0) * KEY_A) ^ rotl<u64>((second ^ key1) * KEY_B, 32)) * KEY_C;
}

/** Of 20 octets. Again only the highest bits depend on all. */
export function hash160(first: u64, second: u64, third: u32): u64 {
  return hash128(first ^ third, second, KEY_C, KEY_A);
}
