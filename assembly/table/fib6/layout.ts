/**
 * What IPv6 look-ups read: a poptrie. Records of 32 octets, each for 64 slots of equal length below one prefix.
 *
 *    0  children     u64: bit i is set where slot i holds longer prefixes, and so has a record of its own
 *    8  boundaries   u64: bit i is set where slot i's leaf is not that of slot i + 1
 *   16  childrenAt   offset of the records of the slots that have one, in the order of the slots
 *   20  leavesAt     offset of the leaves of the runs so cut, last slot first: slot i's leaf is number
 *                    popcount(boundaries >> i)
 *   24  inline       the leaves themselves while they fit here: leavesAt then points to this field
 *
 * The root has a record for every value of the address's first 6 or 12 bits. A leaf is a next hop + 1, 0 for none, in
 * 16 bits, or in 32 (wide) once a next hop's number needs them. Slots with children continue a neighbour's run.
 */
export const RECORD6_CHILDREN: u32 = 0;
export const RECORD6_BOUNDARIES: u32 = 8;
export const RECORD6_CHILDREN_AT: u32 = 16;
export const RECORD6_LEAVES_AT: u32 = 20;
export const RECORD6_INLINE: u32 = 24;
export const RECORD6_LEN: u32 = 32;
export const RECORD6_SHIFT: u32 = 5;
export const RECORD6_INLINE_LEN: u32 = 8;
export const LEAF6_MAX: u32 = 0xffff;
