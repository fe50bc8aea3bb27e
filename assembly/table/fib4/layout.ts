/**
 * What IPv4 look-ups read: records of 16 octets, each for 64 slots of equal length below one prefix.
 *
 *    0  boundaries   u64: bit i is set where slot i's leaf is not that of slot i + 1
 *    8  leavesAt     offset of the leaves of the runs so cut, last slot first: slot i's leaf is number
 *                    popcount(boundaries >> i)
 *   12  inline       the leaves themselves while they fit here: leavesAt then points to this field
 *
 * The root has a record for every value of the address's first 6, 12 or 18 bits; records of slots that hold longer
 * prefixes are in a pool. A leaf is a next hop + 1, 0 for none, or with its top bit the number of a pool's record.
 * Leaves have 16 bits, or 32 (wide) once a next hop or a pool's record has a number that needs them.
 */
export const RECORD4_BOUNDARIES: u32 = 0;
export const RECORD4_LEAVES_AT: u32 = 8;
export const RECORD4_INLINE: u32 = 12;
export const RECORD4_LEN: u32 = 16;
export const RECORD4_SHIFT: u32 = 4;
export const RECORD4_INLINE_LEN: u32 = 4;

export const LEAF4_CHILD: u32 = 0x8000;
export const LEAF4_WIDE_CHILD: u32 = 0x80000000;
export const LEAF4_MAX: u32 = 0x7fff;

export function fib4NextHop(leaf: u32): u32 {
  return leaf - 1;
}
