import { STATE_HEAD_LEN, State } from "../../state";

/**
 * What IPVS keeps of its connections, templates and destinations: a state within the state, whose flow table
 * (table/flow) is that of IPVS. Offsets are from its own head; `now` is how far its timers went.
 *
 *   head (State, then Ipvs) · flow buckets · flow records · sides · wheel · services · counters and statistics
 *
 * In a record expires means nothing, src and dst are the client and the virtual address, replySrc and replyDst the real server and the client,
 * mark is the packet's mark, progress the state, flags SESSION_ bits, detail0 the number of the destination plus one, detail1
 * that one's serial. The buckets know each by its client's tuple, as requests come; what is masqueraded also by its
 * server's, as answers come. Bits of the protocol are turned, so that the kinds never meet: none of TCP, UDP, SCTP and
 * 0 (templates of marks) becomes another by them.
 */
export const TURN_SERVER: u32 = 0x20;
export const TURN_TEMPLATE: u32 = 0x40;

/** What is known of IPVS' connections beside the nested state's head. */
@unmanaged
@final
export class Ipvs {
  sidesAt: u32;
  wheelAt: u32;
  /** Statistics of virtual servers by number (STATISTICS_ROW_), SERVICE_LEN octets each. */
  servicesAt: u32;
  servicesRoom: u32;
  /** Counters and statistics of destinations by number. */
  countersAt: u32;
  destinationsRoom: u32;
  /** Image.departures that were seen. */
  departures: u32;
  /** Sessions of other forwarding methods than masquerading. */
  unmasqueraded: u32;
  /** drop_packet: packets until the next is dropped. */
  spare: u32;
  /** drop_entry: when it looks again (milliseconds), and sessions of 1 … 8 packets until one of them is dropped, an octet each. */
  defenseAt: u64;
  rates: u64;
  /** Of all, as STATISTICS_ROW_ has them. */
  conns: u64;
  inPackets: u64;
  outPackets: u64;
  inOctets: u64;
  outOctets: u64;
  /** Where schedulers keep what they chose by address (table/ring/cache), 0 for nowhere. */
  cacheAt: u32;

  /** Of a nested state. */
  @inline
  static of(ipvs: State): Ipvs {
    return changetype<Ipvs>(changetype<usize>(ipvs) + STATE_HEAD_LEN);
  }
}

export const IPVS_HEAD_LEN: u32 = STATE_HEAD_LEN + 128;

/** What a session has beside its record, by the record's number. */
@unmanaged
@final
export class Side {
  /** When the wheel looks at it, at the latest when it expires (milliseconds). */
  hung: u64;
  /** Milliseconds: when it expires, and what a packet gives it. */
  expires: u64;
  timeout: u64;
  /** Its neighbours in the wheel, records; 0 for none. */
  next: u32;
  before: u32;
  /** TIMER_ bits. */
  timer: u32;
  /** The template that it was scheduled by; and of a template, how many those are. */
  control: u32;
  controlled: u32;
  /** Packets of its client's. */
  packets: u32;
  /** Sessions with the same tuple, on the client's and on the server's side: the newest of them stands in the bucket. */
  older: u32;
  olderServer: u32;
  newer: u32;
  newerServer: u32;

  /** No other one has the same tuple. */
  get isAlone(): bool {
    return (this.older | this.olderServer | this.newer | this.newerServer) == 0;
  }

  /** It was scheduled by a template, or is one that schedules. */
  @inline
  get isTied(): bool {
    return (this.control | this.controlled) != 0;
  }

  @inline
  static of(ipvs: State, session: u32): Side {
    return changetype<Side>(ipvs.to(Ipvs.of(ipvs).sidesAt) + session * SIDE_LEN);
  }
}

export const SIDE_LEN: u32 = 64;
/** Of Side.timer: the list in the wheel, plus one, 0 for none; and it is a template's. */
export const TIMER_LIST: u32 = 0xffff;
export const TIMER_TEMPLATE: u32 = 1 << 16;

/** Behind the wheel stand sessions that are due, with what ending them touches: buckets, and their destination's counters. */
export const DUE_SESSION: u32 = 0;
export const DUE_REQUESTS: u32 = 4;
export const DUE_REPLIES: u32 = 8;
export const DUE_ROW: u32 = 12;
export const DUE_LEN: u32 = 16;
export const DUE_MOST: u32 = 64;

/** Of a destination, by its number: one line of memory. */
export const COUNTER_ACTIVE: u32 = 0;
export const COUNTER_INACTIVE: u32 = 4;
/** Templates, and COUNTER_FLAG_ bits. */
export const COUNTER_PERSISTENT: u32 = 8;
/** The destination's serial that all this is about: another one's row counts as 0. */
export const COUNTER_SERIAL: u32 = 12;
/** The thresholds that the flags are about. */
export const COUNTER_UPPER: u32 = 16;
export const COUNTER_LOWER: u32 = 20;
/** STATISTICS_ROW_ */
export const COUNTER_STATISTICS: u32 = 24;
export const COUNTER_LEN: u32 = 64;
/** Above any number of templates (CONNECTIONS_MAX). */
export const COUNTER_FLAG_OVERLOADED: u32 = 1 << 31;

/** Of a virtual server, behind its statistics: which one they are of that was there, one after another (RING_REMOVALS, as it stands). */
export const SERVICE_REMOVALS: u32 = 40;
/** Octets from one virtual server's statistics to the next one's: a line of memory. */
export const SERVICE_LEN: u32 = 64;

/** Whether a state has such a part: one without virtual servers has not. */
export function hasIpvs(state: State): bool {
  return state.ipvsAt != 0;
}

/** IPVS' part of a state. */
export function ipvsOf(state: State): State {
  return State.at(state.to(state.ipvsAt));
}
