/** A trace record: what one stage did to one packet, in u32. */
export const TRACE_PACKET: u32 = 0;
export const TRACE_EVENT: u32 = 4;
export const TRACE_A: u32 = 8;
export const TRACE_B: u32 = 12;
export const TRACE_C: u32 = 16;
export const TRACE_D: u32 = 20;
export const TRACE_E: u32 = 24;
/** The packet's family, 4 or 6. */
export const TRACE_FAMILY: u32 = 28;
/** The first and the second address that the event tells, if they are IPv6: four words in their order. */
export const TRACE_FIRST6: u32 = 32;
export const TRACE_SECOND6: u32 = 48;
export const TRACE_RECORD_LEN: u32 = 64;

/**
 * Events, with what a … e hold. Addresses and ports are in host order; ports is src << 16 | dst. Of an IPv6 address there
 * is the last word, and TRACE_FIRST6 or TRACE_SECOND6 has the whole.
 */
/** src, dst, ports, protocol, frame length. */
export const EVENT_PARSE: u32 = 1;
/** VNI | TUNNEL_ kind << 24, outer src, outer dst, interface it came out of. */
export const EVENT_DECAP: u32 = 2;
/** connection, direction (0 original, 1 reply), CTSTATE bits. */
export const EVENT_FLOW: u32 = 3;
/** No connection yet: CTSTATE bits. */
export const EVENT_NEW: u32 = 4;
/**
 * chain, rule (0-based), TARGET code, operand, rules and look-ups asked until then, it too. Written for every rule that matched, and with TARGET_UNDECIDED for one of
 * which that is not known.
 */
export const EVENT_RULE: u32 = 5;
/** exact table, address, protocol << 16 | port, verdict word (0: no element). */
export const EVENT_VMAP: u32 = 6;
/** chain chosen, draw's outcome, outcomes. */
export const EVENT_NUMGEN: u32 = 7;
/**
 * virtual server, number of the real server in the order of addition (0xffffffff: none), address, port; 1 where the client
 * had it before (persistence), 0 where the scheduler picked it.
 */
export const EVENT_IPVS: u32 = 8;
/** next hop, prefix length, destination. */
export const EVENT_ROUTE: u32 = 9;
/** new src, new dst, new ports; old ports, 0 for addresses unchanged. */
export const EVENT_TRANSLATE: u32 = 10;
/** new source address, new source port. */
export const EVENT_MASQUERADE: u32 = 11;
/** VNI | TUNNEL_ kind << 24, outer src, outer dst, outer source port, frame length. */
export const EVENT_ENCAP: u32 = 12;
/** verdict | reason << 8, interface out, next hop, frame length. */
export const EVENT_VERDICT: u32 = 13;
/** hook number; chain; policy applied (1) when no rule decided. */
export const EVENT_HOOK: u32 = 14;
/** old dst, old ports, new dst, new ports: a DNAT was decided. */
export const EVENT_DNAT: u32 = 15;
/** connection opened. */
export const EVENT_OPEN: u32 = 16;
/**
 * DRAW kind, of what (below), outcome taken, the machine's own: a choice beyond the batch's list of outcomes; written where
 * there is a list. Draws of ports are not among them.
 */
export const EVENT_DRAW: u32 = 17;
/** IPVS' session, its protocol, old state, new state (VS_ codes). */
export const EVENT_SESSION: u32 = 18;

/** src, dst, offset in its datagram, octets | (more come ? 1 << 31 : 0), identification: a fragment, as it came. */
export const EVENT_FRAGMENT: u32 = 20;
/** octets of the frame, fragments: the last one was there, and the datagram goes on whole. */
export const EVENT_WHOLE: u32 = 21;

/** Something happens (1) or does not (0): of a threshold out of 2^31 (xt_statistic.c). */
export const DRAW_CHANCE: u32 = 1;
/** One of so many: what reciprocal_scale makes of 32 bits. */
export const DRAW_BELOW: u32 = 2;
/** A real server's number, of so many: whose turn it is, which is not random. */
export const DRAW_TURN: u32 = 3;
/**
 * What IPVS does to a packet of a session: LED_ code | FORWARD code << 8; its server's address, the virtual one, both ports
 * (server's << 16 | virtual). A session that is new is told where it is not masqueraded: EVENT_IPVS has told its server.
 */
export const EVENT_LED: u32 = 19;

/** A request of a session that was there, or of a new one; or an answer. */
export const LED_KNOWN: u32 = 0;
export const LED_NEW: u32 = 1;
export const LED_ANSWER: u32 = 2;
