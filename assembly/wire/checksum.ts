/** The one's-complement sum of octets as big-endian 16-bit words, folded to 16 bits (RFC 1071 §4.1). */
export function sumWords(address: usize, length: u32): u32 {
  let sum: u64 = 0;
  let at: u32 = 0;
  // Words may be added in any byte order as long as the carry goes round (RFC 1071 §2B): add 32 bits at a time.
  for (; at + 4 <= length; at += 4) sum += load<u32>(address + at);
  if (at + 2 <= length) {
    sum += load<u16>(address + at);
    at += 2;
  }
  if (at < length) sum += load<u8>(address + at);
  return bswap<u16>(<u16>fold(sum));
}

/** Folds a sum to 16 bits with end-around carry: each half added to the other, the carry is that of the lower one. */
export function fold(sum: u64): u32 {
  const halved = <u32>((sum + rotl<u64>(sum, 32)) >> 32);
  return (halved + rotl<u32>(halved, 16)) >> 16;
}

/** The sum of the pseudo-header of TCP and UDP over IPv4. */
export function sumPseudo(src: u32, dst: u32, protocol: u32, length: u32): u64 {
  return <u64>(src >> 16) + (src & 0xffff) + (dst >> 16) + (dst & 0xffff) + protocol + length;
}

/**
 * A checksum after words changed: HC' = ~(~HC + ~m + m') (RFC 1624 §3, eqn. 3). `removed` and `added` are sums of
 * 16-bit words, each the sum of at most 2^15 of them.
 */
export function patchChecksum(checksum: u32, removed: u32, added: u32): u32 {
  return ~fold(<u64>(~checksum & 0xffff) + (~fold(removed) & 0xffff) + added) & 0xffff;
}

/** The sum of a 32-bit value's two words. */
export function wordsOf(value: u32): u32 {
  return (value >> 16) + (value & 0xffff);
}

/** The sum of an IPv6 address's eight words, folded. */
export function wordsOf6(address: v128): u32 {
  const high = v128.extract_lane<u64>(address, 0);
  const low = v128.extract_lane<u64>(address, 1);
  return fold((high >> 32) + (high & 0xffffffff) + (low >> 32) + (low & 0xffffffff));
}

/** True if header and checksum add to all ones, as a good one does. */
export function isGoodSum(address: usize, length: u32): bool {
  return sumWords(address, length) == 0xffff;
}
