/**
 * What IPv6 look-ups read: words, each for the addresses below one prefix.
 *
 *   leaf << 5               a leaf: next hop + 1, 0 for none
 *   offset | 16 | s         a block (offset a multiple of 32) of 64 >> s words for the next six bits: slot i's is
 *                           number i >> s
 *   offset | 8              a list of the runs of equal leaf
 *
 * A list, 64 octets, stands for a node at depth 24 … 54 whose prefixes have at most 56 bits and cut it into at most
 * eight runs: seven times where a run but the first begins, and eight words, the leaves of the runs. A place is the
 * address's bits 24 … 55 as a number, less one, its top bit turned, so that one signed compare is enough; places that
 * are not needed hold the largest number.
 *
 * The root is an array of words by the address's first 6, 12 or 18 bits.
 */
export const WORD6_SHIFT: u32 = 7;
export const WORD6_LIST: u32 = 8;
export const WORD6_BLOCK: u32 = 16;
export const WORD6_OFFSET: u32 = ~(<u32>31);
export const WORD6_LEAF: u32 = 5;

export const LIST6_RUNS: u32 = 8;
export const LIST6_LEAVES: u32 = 32;
export const LIST6_LEN: u32 = 64;
export const LIST6_FROM: u32 = 24;
export const LIST6_TO: u32 = 56;
export const LIST6_TURN: u32 = 0x80000000;
export const LIST6_UNUSED: u32 = 0x7fffffff;
