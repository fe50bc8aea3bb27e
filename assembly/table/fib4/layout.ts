/**
 * The IPv4 route trie: strides of 16, 8 and 8 bits, one word a slot (after VPP's ip4 mtrie).
 *
 *   0                        no route
 *   next hop << 7 | length << 1 | 1   a leaf: next hop and the length of the prefix that set it
 *   offset (even)            a block of 256 slots for the next eight bits
 *
 * The length in the leaf tells an insertion which slots a longer prefix holds already.
 */
export const FIB4_ROOT_SLOTS: u32 = 1 << 16;
export const FIB4_BLOCK_SLOTS: u32 = 256;
export const FIB4_NEXT_HOP_MAX: u32 = (1 << 25) - 1;

export function fib4Leaf(nextHop: u32, length: u32): u32 {
  return (nextHop << 7) | (length << 1) | 1;
}

export function fib4IsNode(entry: u32): bool {
  return entry != 0 && (entry & 1) == 0;
}

export function fib4Length(leaf: u32): u32 {
  return (leaf >> 1) & 63;
}

export function fib4NextHop(leaf: u32): u32 {
  return leaf >> 7;
}
