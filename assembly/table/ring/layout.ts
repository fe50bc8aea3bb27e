/**
 * IPVS virtual servers. The directory holds a head for each number; a head's block holds the real servers in the
 * order of their addition, 32 octets each. The kernel's list is newest first: its first server is our last.
 */
export const RING_BLOCK: u32 = 0;
export const RING_COUNT: u32 = 4;
/** SCHEDULER_ code and flags. */
export const RING_SCHEDULER: u32 = 8;
/** Slots of schedulers that hash, a u16 each: the number of a real server, or SLOT_EMPTY. */
export const RING_SLOTS: u32 = 12;
export const RING_SIZE: u32 = 16;
/** Grows with every change; what a state saw last tells it that there was one. */
export const RING_GENERATION: u32 = 20;
/** The generation that began afresh: it had no servers before, another scheduler, or its number was another's. */
export const RING_BORN: u32 = 24;
/** The largest weight; 0 where no server takes anything. */
export const RING_WEIGHT_MAX: u32 = 28;
/** wrr: the step between required weights, the first of a round, and that of the very first round. */
export const RING_STEP: u32 = 32;
export const RING_TOP: u32 = 36;
export const RING_START: u32 = 40;
/**
 * SERVICE_FLAG_ bits | RING_FLAG_ bits | how often it was removed << RING_REMOVALS | the count of services that had the
 * number << RING_INCARNATION.
 */
export const RING_FLAGS: u32 = 44;
/** As SERVER_ROW_ has them. */
export const RING_PERSISTENCE: u32 = 48;
export const RING_NETMASK: u32 = 52;
export const RING_PORT: u32 = 56;
export const RING_MARK: u32 = 60;
export const RING_LEN: u32 = 64;

export const REAL_ADDRESS: u32 = 0;
export const REAL_PORT: u32 = 4;
export const REAL_WEIGHT: u32 = 8;
/** Ascends in the order of addition, and stays with a server as long as the ring has it. */
export const REAL_SERIAL: u32 = 12;
/** The first three words of an IPv6 address, whose last one stands in REAL_ADDRESS, and 0. */
export const REAL_HIGH: u32 = 16;
/** Behind them the number of its destination. */
export const REAL_DESTINATION: u32 = 28;
export const REAL_LEN: u32 = 32;
export const RINGS_MAX: u32 = 1 << 22;
export const RING_FLAGS_SERVICE: u32 = 0xff;
/** Some of its servers may be overloaded. */
export const RING_FLAG_LIMITED: u32 = 1 << 8;
/** Some of its servers are not reached by NAT. */
export const RING_FLAG_UNMASQUERADED: u32 = 1 << 9;
/** As many bits as are left below RING_INCARNATION: what counts anew after a removal only tells it from the one before. */
export const RING_REMOVALS: u32 = 10;
export const RING_REMOVALS_MASK: u32 = ((1 << 12) - 1) << 10;
/** What RINGS_MAX leaves of a word (Destination.owner). */
export const RING_INCARNATION: u32 = 22;
/** Real servers of one virtual server. */
export const REALS_MAX: u32 = 1 << 20;

export const SLOT_LEN: u32 = 2;
export const SLOT_EMPTY: u32 = 0xffff;
export const SLOTS_MAX: u32 = 1 << 20;

/** What a state keeps for each virtual server. */
/** rr, wrr: how many servers are older than the one last picked: at least their count stands for the list's head. */
export const POSITION_OLDER: u32 = 0;
/** rr: the serial of the server last picked, or SERIAL_HEAD. */
export const POSITION_SERIAL: u32 = 4;
/** wrr: the weight required now. */
export const POSITION_WEIGHT: u32 = 8;
/** lblc, lblcr (ip_vs_lblc_table): when stale entries are next looked for, in units of 16 ms. */
export const POSITION_CHECK: u32 = 0;
/** How many entries the kernel counts. */
export const POSITION_ENTRIES: u32 = 4;
/** Looks since the last full one, and the bucket last looked through: a u16 each. */
export const POSITION_LOOKS: u32 = 8;
export const POSITION_ROVER: u32 = 10;
/** The ring's generation that all this is about; 0 for none. */
export const POSITION_GENERATION: u32 = 12;
export const POSITION_LEN: u32 = 16;
/** The list's head, before its newest server, whichever that is. */
export const SERIAL_HEAD: u32 = 0xffffffff;

/** No real server can take the connection. */
export const REAL_NONE: u32 = 0xffffffff;
