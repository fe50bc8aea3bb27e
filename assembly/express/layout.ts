/**
 * What a burst's packets need on the express way, a column each, BURST_LEN entries long. Offsets from the scratch's
 * start; packet i's entry of a column of words is at column + 4 i.
 */
/** src, dst, src port << 16 | dst port, protocol: 16 octets a packet, as table/flow takes them. */
export const TUPLES: u32 = 0;
/** Connection record << 1 | direction, 0 for none. */
export const FLOWS: u32 = 1024;
/** The destination that is routed. */
export const KEYS: u32 = 1280;
/** Address of the IPv4 header. */
export const HEADERS: u32 = 1536;

/** These become columns of the batch. Number of the next hop. */
export const HOPS: u32 = 1792;
/** Interface number, of the tunnel after decapsulation. */
export const INS: u32 = 2048;
/** Octets of the frame, without what stands behind the IPv4 packet. */
export const LENGTHS: u32 = 2304;
/** Where the frame's first octet is, from the batch's start; and the interface it leaves by: once it is sent on. */
export const FRAMES: u32 = 2560;
export const OUTS: u32 = 2816;

/** Rules that its likes walk. */
export const WALKED: u32 = 3072;

/** What loads ahead of time add to, a word. */
export const TOUCHED: u32 = 3328;
/** Bits of the packets that the connection table knows something of. */
export const KNOWN: u32 = 3336;
/** Of each kind of packet, the rules that all of it walk, or NOT_FOREGONE. */
export const KINDS: u32 = 3344;
export const KIND_COUNT: u32 = 9;
/** Kinds 0 to 3 are established connections, by whether their destination and their source are translated. */
export const KIND_UNTRACKED: u32 = 4;
/** And 5 to 8 those that IPVS balances, on their way to it: through the node, not past it. */
export const KIND_BALANCED: u32 = 5;
export const WALK_STACK: u32 = 3392;
export const EXPRESS_LEN: u32 = 3392 + 512;
