import { BURST_LEN } from "../abi/packet";

/**
 * What a burst's packets need on the express way, a column each: an entry for each packet and four more, since columns
 * are read four entries at a time. Offsets from the scratch's start; packet i's entry of a column of words is at
 * column + 4 i, of a column of tuples at column + 16 i.
 */
const WORDS: u32 = 4 * (BURST_LEN + 4);

/** As they came: src, dst, src port << 16 | dst port, protocol: 16 octets a packet, as table/flow takes them. */
export const TUPLES: u32 = 0;
/** src and dst as the frame gets them, 8 octets a packet. */
export const WIRE_ENDS: u32 = 4 * WORDS;
/** src port << 16 | dst port likewise, a word. */
export const WIRE_PORTS: u32 = 6 * WORDS;

/** The tuples' words once more, a column each; of what is translated, as it leaves. */
export const SRCS: u32 = 7 * WORDS;
export const DSTS: u32 = 8 * WORDS;
export const PORTS: u32 = 9 * WORDS;
export const PROTOCOLS: u32 = 10 * WORDS;

/** Address of the frame. */
export const STARTS: u32 = 11 * WORDS;
/** Connection record << 1 | direction, 0 for none. */
export const FLOWS: u32 = 12 * WORDS;
/**
 * Address of the tuple that a packet gets (dst, src, dst port << 16 | src port), with bit 0 set where it ages even if a
 * bridge switches it (follow.ts); 0 where it keeps its own.
 */
export const GIVEN: u32 = 13 * WORDS;
/** The destination that is routed. */
export const KEYS: u32 = 14 * WORDS;
/** What the IPv4 checksum's words grow by (tuples.ts); 0 where addresses and ports stay. */
export const GROWTH: u32 = 15 * WORDS;
/** TTL, protocol and checksum, as the frame gets them. */
export const TTLS: u32 = 16 * WORDS;
/** The transport checksum, as the frame gets it, and its address. */
export const CHECKSUMS: u32 = 17 * WORDS;
export const CHECKSUMS_AT: u32 = 18 * WORDS;
/** Address of the next hop. */
export const HOPS_AT: u32 = 19 * WORDS;
/**
 * Of the outer headers: their octets, 0 for none; the IPv4 header's first word; the sum of what stands in it, but for
 * the identification; the UDP source port and length. As the frame gets them.
 */
export const OUTER: u32 = 20 * WORDS;
export const OUTER_HEAD: u32 = 21 * WORDS;
export const OUTER_SUM: u32 = 22 * WORDS;
export const OUTER_PORT: u32 = 23 * WORDS;
export const OUTER_LENGTH: u32 = 24 * WORDS;

/** These become columns of the batch. Number of the next hop. */
export const HOPS: u32 = 25 * WORDS;
/** Interface number, of the tunnel after decapsulation. */
export const INS: u32 = 26 * WORDS;
/** Octets of the frame, without what stands behind the IPv4 packet. */
export const LENGTHS: u32 = 27 * WORDS;
/** Where the frame's first octet will be, from the batch's start; and the interface it leaves by. */
export const FRAMES: u32 = 28 * WORDS;
export const OUTS: u32 = 29 * WORDS;
/** Rules that its likes walk. */
export const WALKED: u32 = 30 * WORDS;
/** The session of IPVS that it is of, 0 for none. */
export const SESSIONS: u32 = 31 * WORDS;
const WORDS_END: u32 = 32 * WORDS;

/** What loads ahead of time add to, a word. */
export const TOUCHED: u32 = WORDS_END;
/** The tunnel that the last packet came out of (tunnel.ts). */
export const LAST_TUNNEL: u32 = WORDS_END + 16;
/** Of each kind of packet, the rules that all of it walk, or NOT_FOREGONE. */
export const KINDS: u32 = WORDS_END + 48;
/**
 * Kinds 0 to 3 are established connections, by whether their destination and their source are translated; those that IPVS
 * balances, on their way to it, are one more.
 */
export const KIND_BALANCED: u32 = 4;
export const WALK_STACK: u32 = KINDS + 32;
export const EXPRESS_LEN: u32 = WALK_STACK + 512;
