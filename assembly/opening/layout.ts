import { BURST_LEN } from "../abi/packet";

/**
 * What a burst's packets need that may each begin a connection of IPVS', a column of words each, beside the express way's
 * columns, which have their tuples. Offsets from the plan's start; packet i's entry is at column + 4 i.
 */
const WORDS: u32 = 4 * BURST_LEN;

/** Addresses of buckets: that of the tuple as a request, and as an answer. */
export const REQUESTS: u32 = 0;
export const ANSWERS: u32 = WORDS;
/** Of the virtual server: first the bucket that may know it, then its number plus one, 0 for none. */
export const SERVICES: u32 = 2 * WORDS;
/** Address of its ring. */
export const RINGS: u32 = 3 * WORDS;
/** The slot that a client has in a ring that hashes. */
export const SLOTS: u32 = 4 * WORDS;
/** Addresses of what the scheduler is expected to come to: the real server, before that is known its slot; its counters. */
export const REALS: u32 = 5 * WORDS;
export const ROWS: u32 = 6 * WORDS;
/** And the bucket of the tuple by which it will answer. */
export const REPLIES: u32 = 7 * WORDS;
/** Connections that the burst has opened, and octets of their packets, a word each. */
export const OPENED: u32 = 8 * WORDS;
export const OPENED_OCTETS: u32 = OPENED + 4;
/** What loads ahead of time add to, a word. */
export const TOUCHED: u32 = OPENED + 8;

/** What every new connection of a protocol has, TCP's row and then UDP's: its state and SESSION_ bits. */
export const KINDS: u32 = OPENED + 16;
export const KIND_PROGRESS: u32 = 0;
export const KIND_FLAGS: u32 = 4;
/** Milliseconds, u64, that it has; when that is over; and the wheel's list for then. */
export const KIND_TIMEOUT: u32 = 8;
export const KIND_EXPIRES: u32 = 16;
export const KIND_LIST: u32 = 24;
/** The counter that it is counted by: COUNTER_ACTIVE or COUNTER_INACTIVE. */
export const KIND_COUNTER: u32 = 28;
export const KIND_LEN: u32 = 32;
export const OPENING_LEN: u32 = KINDS + 2 * KIND_LEN;
