/**
 * IPVS virtual servers. The directory holds a head for each number; a head's block holds the real servers in the
 * order of their addition, 16 octets each.
 */
export const RING_BLOCK: u32 = 0;
export const RING_COUNT: u32 = 4;
export const RING_SCHEDULER: u32 = 8;
export const RING_LEN: u32 = 16;

export const REAL_ADDRESS: u32 = 0;
export const REAL_PORT: u32 = 4;
export const REAL_WEIGHT: u32 = 8;
export const REAL_LEN: u32 = 16;
export const RINGS_MAX: u32 = 1 << 22;
