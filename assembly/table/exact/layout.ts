/**
 * An exact-match table: a head and a power of two of 64-octet buckets, for keys of an address and protocol << 16 | port.
 *
 *   IPv4  address[4] · protocol and port[4] · value[4] · overflow, 0, 0, 0
 *   IPv6  address[2], 16 octets each · protocol and port[2] · value[2] · overflow, 0, 0, 0
 *
 * What four entries have is transposed so that one SIMD compare tests all of them; whole IPv6 keys are compared one by
 * one, and one cache line decides all the same. An IPv6 address is its halves in host order, the high one first. A free
 * place has value 0. `overflow` counts the entries that belong here (or passed here) and stand further on, so that a
 * search stops at the first bucket where it is 0.
 */
export const EXACT_LOG2: u32 = 0;
export const EXACT_COUNT: u32 = 4;
export const EXACT_BUCKETS_AT: u32 = 8;
/** Whether keys are of IPv6: 0 or 1. */
export const EXACT_IS6: u32 = 12;
/**
 * Of a table that grows, the head of the new buckets, in which they are looked up like any; where others have a count
 * it has how many are cleared, and then how many old ones copied. EXACT_NEXT_AT is 0 where nothing grows.
 */
export const EXACT_NEXT: u32 = 16;
export const EXACT_PROGRESS: u32 = EXACT_NEXT + EXACT_COUNT;
export const EXACT_NEXT_AT: u32 = EXACT_NEXT + EXACT_BUCKETS_AT;
export const EXACT_HEAD_LEN: u32 = 32;

export const BUCKET_ADDRESS: u32 = 0;
export const BUCKET_PROTO_PORT: u32 = 16;
export const BUCKET_VALUE: u32 = 32;
export const BUCKET_PLACES: u32 = 4;
/** Octets of an address, as a shift. */
export const BUCKET_SHIFT: u32 = 2;

export const BUCKET6_PROTO_PORT: u32 = 32;
export const BUCKET6_VALUE: u32 = 40;
export const BUCKET6_PLACES: u32 = 2;
export const BUCKET6_SHIFT: u32 = 4;

export const BUCKET_OVERFLOW: u32 = 48;
export const BUCKET_LEN: u32 = 64;
