/** Entries of IPVS: virtual servers, and the real ones behind them. */

// A real server: one row. Of an IPv6 address SERVER_ADDRESS is the last word.
export const SERVER_ADDRESS: u32 = 0;
/** 0: that of the packet. */
export const SERVER_PORT: u32 = 4;
export const SERVER_WEIGHT: u32 = 8;
/** Of a server of weight 0: the weight it had before, by which Maglev still gives it its slots (ip_vs_dest's last_weight). */
export const SERVER_LAST_WEIGHT: u32 = 12;
/** Of an IPv6 address, the three words before the last in their order; 0 for IPv4, as the word behind them. */
export const SERVER_HIGH: u32 = 16;
/** So many connections make it overloaded (0: none do), and fewer than so many end that. */
export const SERVER_UPPER: u32 = 32;
export const SERVER_LOWER: u32 = 36;
/** A FORWARD_ code | ENCAP_ code of its tunnel << 8 | ENCAP_FLAG_ bits << 16 | the service's protocol << 24 (0: a mark's, any). */
export const SERVER_FORWARD: u32 = 40;
/** GUE's UDP port. */
export const SERVER_TUNNEL_PORT: u32 = 44;
export const SERVER_ENTRY_LEN: u32 = 64;

/** How a packet gets to its real server (IP_VS_CONN_F_FWD_MASK). */
export const FORWARD_MASQUERADE: u32 = 0;
/** It is the node itself. */
export const FORWARD_LOCAL: u32 = 1;
export const FORWARD_TUNNEL: u32 = 2;
export const FORWARD_DIRECT: u32 = 3;

/** What a packet to a FORWARD_TUNNEL server travels in (IP_VS_CONN_F_TUNNEL_TYPE_). */
export const ENCAP_IPIP: u32 = 0;
export const ENCAP_GUE: u32 = 1;
export const ENCAP_GRE: u32 = 2;
export const ENCAP_FLAG_CHECKSUM: u32 = 1;
/** GUE's remote checksum offload. */
export const ENCAP_FLAG_REMOTE_CHECKSUM: u32 = 2;

/** A virtual server's scheduler: one of these codes, with its flags. */
export const SCHEDULER_RR: u32 = 0;
export const SCHEDULER_WRR: u32 = 1;
/** By the source address; slots are a power of two. */
export const SCHEDULER_SH: u32 = 2;
/** By the destination address; slots are a power of two. */
export const SCHEDULER_DH: u32 = 3;
/** Maglev by the source address; slots are a prime or a power of two. */
export const SCHEDULER_MH: u32 = 4;
/** Maglev by the whole 5-tuple, with a cheaper hash than a kernel's: for balancing without connections. */
export const SCHEDULER_MAGLEV: u32 = 5;
/** Least connections, and the same by weight; shortest expected delay, never queue. */
export const SCHEDULER_LC: u32 = 6;
export const SCHEDULER_WLC: u32 = 7;
export const SCHEDULER_SED: u32 = 8;
export const SCHEDULER_NQ: u32 = 9;
/** Locality-based least connections, and with replication. */
export const SCHEDULER_LBLC: u32 = 10;
export const SCHEDULER_LBLCR: u32 = 11;
/** Weighted failover, overflow, and the better of two that are drawn. */
export const SCHEDULER_FO: u32 = 12;
export const SCHEDULER_OVF: u32 = 13;
export const SCHEDULER_TWOS: u32 = 14;
export const SCHEDULER_CODE_MASK: u32 = 0xff;
/** sh and mh: the source port counts too (sh-port, mh-port). */
export const SCHEDULER_FLAG_PORT: u32 = 1 << 8;
/** sh and mh: where the server found takes nothing, another is looked for (sh-fallback, mh-fallback). */
export const SCHEDULER_FLAG_FALLBACK: u32 = 1 << 9;

// A virtual server among many: its number, how many of the real servers handed over are its own, its scheduler, and
// how it goes about connections.
export const SERVER_ROW_NUMBER: u32 = 0;
export const SERVER_ROW_REALS: u32 = 4;
export const SERVER_ROW_SCHEDULER: u32 = 8;
/** SERVICE_FLAG_ bits. */
export const SERVER_ROW_FLAGS: u32 = 12;
/** Seconds that a client keeps its real server. */
export const SERVER_ROW_PERSISTENCE: u32 = 16;
/** Which clients are one: an IPv4 mask, or the length of an IPv6 prefix. */
export const SERVER_ROW_NETMASK: u32 = 20;
/** 0 for all that no other has, and where a mark says which packets it takes. */
export const SERVER_ROW_PORT: u32 = 24;
/** The mark of its packets, 0 where address and port say which they are. */
export const SERVER_ROW_MARK: u32 = 28;
export const SERVER_ROW_LEN: u32 = 32;
export const SERVICE_FLAG_PERSISTENT: u32 = 1;
/** Every UDP packet is a connection of its own. */
export const SERVICE_FLAG_ONE_PACKET: u32 = 2;
/** The number was another service's before, whose servers do not come back. */
export const SERVICE_FLAG_NEW: u32 = 4;
/** The service is removed: statistics of one that comes, and of its servers that come back, begin at 0. */
export const SERVICE_FLAG_GONE: u32 = 8;
