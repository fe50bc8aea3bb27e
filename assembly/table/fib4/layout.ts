/**
 * What IPv4 look-ups read: words, each for the addresses below one prefix, of which the 64 slots of the next six bits
 * may have leaves of their own.
 *
 *   word   offset of a block (a multiple of 32, or of 8 where leaves are wide) | s (0 … 6)
 *   block  64 >> s leaves: slot i's is number i >> s; where s is 0, the words of the slots that hold longer prefixes
 *          may follow
 *   leaf   next hop, all ones for none, or FLAG | number of the slot's word behind the leaves
 *
 * The root is an array of words by the address's first 6, 12 or 18 bits. Where all slots are alike (s = 6) the block
 * is a cell with the one leaf, which all such words share. Leaves have 16 bits, or 24 (wide) once a next hop's number
 * needs them.
 *
 * Where most routes lie in one /8, a window onto it is beside the root: the leaves of its 65,536 /24 in a row. One of a
 * /24 that holds longer prefixes is FLAG | number of its pane: the leaves of its 256 addresses in a row. Pane 0 stands
 * for those that have none, where the root must be asked; so it must for all addresses outside, for which the window's
 * last leaf stands.
 */
export const WORD4_SHIFT: u32 = 7;
export const WORD4_UNIFORM: u32 = 6;
export const BLOCK4_ALIGNMENT: u32 = 32;
export const BLOCK4_WIDE_ALIGNMENT: u32 = 8;

export const LEAF4_FLAG: u32 = 0x8000;
export const LEAF4_WIDE_FLAG: u32 = 0x800000;
/** The largest leaf of the store (next hop + 1) that 16 bits hold. */
export const LEAF4_MAX: u32 = 0x8000;
/** The bits of a flagged leaf that say which word. */
export const LEAF4_CHILD: u32 = 63;

export const WINDOW4_LEAVES: u32 = 1 << 16;
export const WINDOW4_LEN: u32 = WINDOW4_LEAVES * 2;

export const PANE4_LEAVES: u32 = 256;
export const PANE4_LEN: u32 = PANE4_LEAVES * 2;
/** So many panes and pane 0 pay for themselves (8 MB); leaves could name 32,767. */
export const PANES4_MAX: u32 = 16384;
/** Of the head's field `panes`. */
export const PANES4_LOG2: u32 = 63;

/** Whether a leaf of 16 bits, read without its sign, is flagged. */
export function isFlagged4(leaf: u32): bool {
  return leaf >= LEAF4_FLAG && leaf != 0xffff;
}

export function fib4NextHop(leaf: u32): u32 {
  return leaf - 1;
}
