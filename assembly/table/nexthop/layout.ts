/**
 * A next hop, 128 octets: where a routed packet goes and, for VXLAN, the octets that go before it.
 * The template is ready to copy: outer Ethernet, IPv4 (checksum of the fixed fields), UDP, VXLAN, inner MACs.
 */
export const HOP_KIND: u32 = 0;
export const HOP_OUT: u32 = 4;
export const HOP_MTU: u32 = 8;
export const HOP_SOURCE: u32 = 12;
export const HOP_FLAGS: u32 = 16;
/** The 16-bit sum over the outer IPv4 header with length, identification, TOS and checksum 0. */
export const HOP_OUTER_SUM: u32 = 20;
export const HOP_VNI: u32 = 24;
export const HOP_LEAVE: u32 = 28;
/** dst, src MAC, and the IPv4 ethertype: what an Ethernet frame begins with. */
export const HOP_ETHERNET: u32 = 32;
/** VXLAN_OUTER_LEN octets. */
export const HOP_TEMPLATE: u32 = 48;
/** Of the IPv4 routes: the cell that look-ups read where a root's word names this next hop; 0 while none does. */
export const HOP_LEAF_CELL: u32 = 112;
export const HOP_LEN: u32 = 128;
