/** The kernel's GOLDEN_RATIO_32 (include/linux/hash.h). */
const GOLDEN: u32 = 0x61c88647;

/** Of ip_vs_mh.c: one hash says where a server's permutation begins and a client looks, the other its step. */
export const KEY_OFFSET: u64 = 2654435761;
export const KEY_SKIP: u64 = 2654446892;

/** An address as schedulers hash it, given its last word and those before (all 0 for IPv4): IPv6's words are folded by xor. */
export function foldAddress(high: v128, last: u32): u32 {
  const pair = v128.extract_lane<u64>(high, 0) ^ v128.extract_lane<u64>(high, 1);
  return <u32>pair ^ <u32>(pair >> 32) ^ last;
}

/** hash_32: the upper `bits` of a product; of 0 bits it is 0. */
export function hash32(value: u32, bits: u32): u32 {
  return <u32>(<u64>(value * GOLDEN) >> (32 - bits));
}

/**
 * SipHash-1-3 of one 32-bit word under a key of two equal halves, cut to 32 bits: the kernel's hsiphash of 4 octets on
 * 64-bit machines (lib/siphash.c).
 */
export function sipHash(word: u32, key: u64): u32 {
  const last: u64 = ((<u64>4) << 56) | word;
  let v0: u64 = 0x736f6d6570736575 ^ key;
  let v1: u64 = 0x646f72616e646f6d ^ key;
  let v2: u64 = 0x6c7967656e657261 ^ key;
  let v3: u64 = 0x7465646279746573 ^ key ^ last;
  // One round for the message, three to finish.
  for (let round: u32 = 0; round < 4; round++) {
    v0 += v1;
    v1 = rotl<u64>(v1, 13) ^ v0;
    v0 = rotl<u64>(v0, 32);
    v2 += v3;
    v3 = rotl<u64>(v3, 16) ^ v2;
    v0 += v3;
    v3 = rotl<u64>(v3, 21) ^ v0;
    v2 += v1;
    v1 = rotl<u64>(v1, 17) ^ v2;
    v2 = rotl<u64>(v2, 32);
    if (round != 0) continue;
    v0 ^= last;
    v2 ^= 0xff;
  }
  return <u32>(v0 ^ v1 ^ v2 ^ v3);
}
