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
 * Where most routes lie in one /8, a window onto it is beside the root: the leaves of its 65,536 /24 in a row, flagged
 * where the root must be asked; so is the last of them, which stands for all addresses outside.
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

export function fib4NextHop(leaf: u32): u32 {
  return leaf - 1;
}
