/**
 * An exact-match table of IPv6 keys (address, protocol << 16 | port): the head of table/exact and a power of two of
 * 64-octet buckets, two entries each:
 *
 *   bucket  address[2], 16 octets each · protocol and port[2] · value[2] · overflow, 0, 0, 0
 *
 * A free place has value 0; `overflow` is table/exact's. An address is its halves in host order, the high one first.
 */
export const BUCKET6_ADDRESS: u32 = 0;
export const BUCKET6_PROTO_PORT: u32 = 32;
export const BUCKET6_VALUE: u32 = 40;
export const BUCKET6_OVERFLOW: u32 = 48;
export const BUCKET6_LEN: u32 = 64;
export const BUCKET6_PLACES: u32 = 2;
