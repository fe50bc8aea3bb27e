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
  return hashEnds(((<u64>src) << 32) | dst, ((<u64>ports) << 32) | protocol);
}

/** The same of src << 32 | dst, and ports << 32 | protocol. */
export function hashEnds(addresses: u64, rest: u64): u32 {
  const mixed: u64 = (rest ^ KEY_A) * KEY_B;
  return <u32>(((((addresses ^ KEY_C) * KEY_A) ^ rotl<u64>(mixed, 32)) * KEY_C) >> 32);
}
