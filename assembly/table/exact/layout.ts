/**
 * An exact-match table: a head and a power of two of 64-octet buckets, four entries each, transposed so that one
 * SIMD compare tests all four:
 *
 *   bucket  low[4] · high[4] · value[4] · overflow, 0, 0, 0
 *
 * A free place has value 0. `overflow` counts the entries that belong here (or passed here) and stand further on,
 * so that a search stops at the first bucket where it is 0.
 */
export const EXACT_LOG2: u32 = 0;
export const EXACT_COUNT: u32 = 4;
export const EXACT_BUCKETS_AT: u32 = 8;
/** Of a key: EXACT_KEY_IP4, or EXACT_KEY_IP6 (table/exact6). */
export const EXACT_KEY: u32 = 12;
/**
 * Of a table that grows, the head of the new buckets, in which they are looked up like any; where others have a count
 * it has how many are cleared, and then how many old ones copied. EXACT_NEXT_AT is 0 where nothing grows.
 */
export const EXACT_NEXT: u32 = 16;
export const EXACT_PROGRESS: u32 = EXACT_NEXT + EXACT_COUNT;
export const EXACT_NEXT_AT: u32 = EXACT_NEXT + EXACT_BUCKETS_AT;
export const EXACT_HEAD_LEN: u32 = 32;
export const EXACT_KEY_IP4: u32 = 0;
export const EXACT_KEY_IP6: u32 = 1;

export const BUCKET_LOW: u32 = 0;
export const BUCKET_HIGH: u32 = 16;
export const BUCKET_VALUE: u32 = 32;
export const BUCKET_OVERFLOW: u32 = 48;
export const BUCKET_LEN: u32 = 64;
export const BUCKET_PLACES: u32 = 4;
