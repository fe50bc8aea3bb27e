/**
 * A batch of packets in linear memory:
 *
 *   header · columns (one u32 per packet each) · scratch · trace records · slots
 *
 * A slot is `stride` octets and holds one frame with headroom before it, so that encapsulation prepends in place.
 */

/** Header fields, in octets from the batch's start. */
export const BATCH_CAPACITY: u32 = 0;
export const BATCH_STRIDE: u32 = 4;
/** Offsets from the batch's start. */
export const BATCH_SLOTS: u32 = 8;
export const BATCH_TRACE: u32 = 12;
/** In records. */
export const BATCH_TRACE_CAPACITY: u32 = 16;
/** Records that the last traced run wrote, and how many more there was no room for. */
export const BATCH_TRACE_COUNT: u32 = 20;
export const BATCH_TRACE_LOST: u32 = 24;
/** Packets from the first one on that the last run has judged. */
export const BATCH_DONE: u32 = 28;
/**
 * Of the trace build: where outcomes stand that draws are to have instead of their own (u32 each, in their order), how
 * many there are, and how many were taken. An offset from the batch's start, 0 for no list; it may be any place in memory.
 */
export const BATCH_DRAWS: u32 = 32;
export const BATCH_DRAWS_COUNT: u32 = 36;
export const BATCH_DRAWS_TAKEN: u32 = 40;
export const BATCH_HEADER_LEN: u32 = 64;

/** Columns in their order; column c of a batch starts at BATCH_HEADER_LEN + c * capacity * 4. */
/** Where the frame's first octet is, from the batch's start; in and out. */
export const COLUMN_FRAME: u32 = 0;
/** Octets of the frame, without FCS; in and out. */
export const COLUMN_LENGTH: u32 = 1;
/** Interface number it came in on, or INTERFACE_NODE; in, and out after decapsulation. */
export const COLUMN_IN: u32 = 2;
/** VERDICT_ code in the low octet, DROP_ reason in the next, REFUSED_ bits of what was dropped or refused, or LEAVES_IN_PARTS, behind; out. */
export const COLUMN_VERDICT: u32 = 3;
/** Interface number it leaves by; out. */
export const COLUMN_OUT: u32 = 4;
/** Next-hop number; out. */
export const COLUMN_NEXT_HOP: u32 = 5;
/** Rules walked, and map, set or service probes made; out. */
export const COLUMN_WALKED: u32 = 6;
/** Connection number, 0 for none; out. */
export const COLUMN_CONNECTION: u32 = 7;
export const COLUMN_COUNT: u32 = 8;

/**
 * How a packet leaves in fragments (LEAVES_IN_PARTS), at the next multiple of 4 of octets of the batch behind its frame.
 * Offsets in octets: what each one is long behind the headers that all have, a u16 each in their order.
 */
/** Identification of IPv6's fragments (u32); IPv4's have the packet's. */
export const PARTS_ID: u32 = 0;
/** Octets before the packet's IP header, u16: of a tunnel's packet the outer headers too, which each fragment gets. */
export const PARTS_IP: u32 = 4;
/** Octets of the IP header, u16; of IPv6 with the extension headers that each fragment has. */
export const PARTS_HEADER: u32 = 6;
/** PARTS_FLAG_ bits, u16. */
export const PARTS_FLAGS: u32 = 8;
export const PARTS_COUNT: u32 = 10;
export const PARTS_LENGTHS: u32 = 12;
/** IPv4's fragments have the packet's DF; else none. */
export const PARTS_FLAG_DF: u32 = 1;
/** IPv4 options stand in all fragments as in the first, whether they are to be copied or not. */
export const PARTS_FLAG_OPTIONS: u32 = 2;

/** The packet was made on the node itself (netfilter's OUTPUT way). */
export const INTERFACE_NODE: u32 = 0;

/** Octets before a frame in its slot. */
export const SLOT_HEADROOM: u32 = 128;
/** Headroom that encapsulation needs: it writes as many octets whatever the tunnel's headers are. */
export const ENCAP_HEADROOM: u32 = 80;
/** Octets of a default slot: 2048 and 128 more, since a stride of 2048 would put all headers into the same cache sets. */
export const SLOT_STRIDE: u32 = 2048 + 128;
/** Packets that go through the stages together. */
export const BURST_LEN: u32 = 64;
