/**
 * A next hop, 128 octets: where a routed packet goes and, for tunnels, the octets that go before it. Those are ready
 * to copy and end where the hop ends, so that as many can be copied for any length: outer Ethernet, IPv4, UDP, and
 * VXLAN or Geneve with its options.
 */
/** u16 */
export const HOP_KIND: u32 = 0;
/** u16: octets of the outer headers, which end at HOP_LEN. */
export const HOP_OUTER_LEN: u32 = 2;
export const HOP_OUT: u32 = 4;
/** u16: no IPv4 packet is longer. */
export const HOP_MTU: u32 = 8;
/** u16 */
export const HOP_FLAGS: u32 = 10;
export const HOP_SOURCE: u32 = 12;
/** Of the IPv4 routes: the cell that look-ups read where a root's word names this next hop; 0 while none does. */
export const HOP_LEAF_CELL: u32 = 16;
/** u16, in the frame's byte order: the sum over the outer IPv4 header with length, identification, TOS and checksum 0. */
export const HOP_OUTER_SUM: u32 = 20;
/** u16: the sum over pseudo-header, UDP and tunnel header with lengths, source port and checksum 0. */
export const HOP_UDP_SUM: u32 = 22;
/** u16 each: the outer source port is one of so many from the first on. */
export const HOP_PORT_FIRST: u32 = 24;
export const HOP_PORT_COUNT: u32 = 26;
export const HOP_LEAVE: u32 = 28;
/** dst, src MAC, and the IPv4 ethertype: what an Ethernet frame begins with. */
export const HOP_ETHERNET: u32 = 32;
/** u16: why routes to it refuse packets, a DROP_ code; 0 where they do not. */
export const HOP_REFUSAL: u32 = 46;
/** From here to the hop's end is copied. */
export const HOP_TEMPLATE: u32 = 48;
export const HOP_LEN: u32 = 128;
/** What MASQUERADE gives to IPv6 lies in a vector of its own: four words in their order for each next hop. */
export const SOURCE6_LEN: u32 = 16;
