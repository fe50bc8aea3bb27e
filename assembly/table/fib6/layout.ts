/**
 * What IPv6 look-ups read: words, each for the addresses below one prefix.
 *
 *   leaf << 5               a leaf: next hop + 1, 0 for none
 *   offset | 16 | s         a block (offset a multiple of 32) of 64 >> s words for the next six bits: slot i's is
 *                           number i >> s
 *   offset | 8 | c          a list of at most 4 << c runs of equal leaf (c = 0, 1 or 2)
 *
 * A list stands for a node at depth 24 … 54 whose prefixes have at most 56 bits and cut it into at most sixteen runs.
 * It has a place for every run but the first, where that begins, an unused one, and then as many leaves as words. A
 * place is the address's bits 24 … 55 as a number, less one, its top bit turned, so that one signed compare is enough;
 * places that are not needed hold the largest number.
 *
 * The root is an array of words by the address's first 6, 12 or 18 bits.
 */
export const WORD6_SHIFT: u32 = 7;
export const WORD6_LIST: u32 = 8;
export const WORD6_BLOCK: u32 = 16;
export const WORD6_KIND: u32 = 31;
export const WORD6_OFFSET: u32 = ~(<u32>31);
export const WORD6_LEAF: u32 = 5;

export const LIST6_RUNS: u32 = 16;
export const LIST6_RUNS_MIN: u32 = 4;
export const LIST6_CLASSES: u32 = 3;
export const LIST6_FROM: u32 = 24;
export const LIST6_TO: u32 = 56;
export const LIST6_TURN: u32 = 0x80000000;
export const LIST6_UNUSED: u32 = 0x7fffffff;
