import { CONNECTION_FLAG_ASSURED, CONNECTION_FLAG_IPVS } from "../../abi/connection";

/**
 * The connection table: a power of two of 64-octet buckets that find either direction's 5-tuple, and one record a
 * connection.
 *
 *   bucket  src[4] · dst[4] · ports[4] · meta[4]
 *   meta    bit 31: one bit of the bucket's overflow count · bits 30 … 8: record << 1 | direction · bits 7 … 0: protocol
 *
 * The four bits 31 of a bucket are a count (saturating at 15) of entries that belong here or passed here and stand
 * further on: one i32x4.bitmask reads it. Two entries a connection and one bucket a connection keep the load at or
 * below one half.
 *
 * An IPv6 tuple stands in the same buckets, with 32-bit hashes of its addresses for src and dst and one bit of its
 * protocol turned; whether it is the one that is asked for, its record says. Those that have ports (TCP, UDP, SCTP)
 * differ in other bits too, so that no IPv6 entry of them looks like an IPv4 tuple of them; others would need equal
 * hashes, of 64 bits.
 */
export const FLOW_TURN_IP6: u32 = 0x80;

export const FLOW_SRC: u32 = 0;
export const FLOW_DST: u32 = 16;
export const FLOW_PORTS: u32 = 32;
export const FLOW_META: u32 = 48;
export const FLOW_BUCKET_LEN: u32 = 64;
export const FLOW_META_MASK: u32 = 0x7fffffff;
export const FLOW_REF_SHIFT: u32 = 8;
export const FLOW_OVERFLOW_MAX: u32 = 15;

/** Octets of a tuple that is looked up: src, dst, ports (src << 16 | dst), protocol, a u32 each. */
export const FLOW_TUPLE_LEN: u32 = 16;
/** Tuples of one burst where a caller has many: more buckets would not fit the nearest cache. */
export const FLOW_MANY: u32 = 256;

/** Records are numbered from 1; the number and a direction bit must fit 23 bits. */
export const CONNECTIONS_MAX: u32 = (1 << 22) - 1;
export const CONNECTION_LEN: u32 = 64;

export const DIRECTION_ORIGINAL: u32 = 0;
export const DIRECTION_REPLY: u32 = 1;

/** A connection's addresses: a tuple's are direction << 1 and the next. */
export const ADDRESS_SRC: u32 = 0;
export const ADDRESS_DST: u32 = 1;

/** Connection.state */
export const FLOW_STATE_FREE: u32 = 0;
/** No reply was seen. */
export const FLOW_STATE_NEW: u32 = 1;
/** A reply was seen, and the next packet, unless it is of a kind that begins or ends something, moves but its timer. */
export const FLOW_STATE_ESTABLISHED: u32 = 2;
/** A reply was seen. */
export const FLOW_STATE_REPLIED: u32 = 3;

/** Connection.flags. */
export const FLOW_FLAG_IPVS: u32 = CONNECTION_FLAG_IPVS;
export const FLOW_FLAG_ASSURED: u32 = CONNECTION_FLAG_ASSURED;
/** The node itself is an end of it. */
export const FLOW_FLAG_OWN: u32 = 2048;

/** Connection.progress: the protocol's state, in the first bits, and what else it remembers (assembly/track). */
export const PROGRESS_STATE: u32 = 15;

/**
 * A connection's record. Ports are src << 16 | dst, of ICMP queries identifier << 16 | type << 8 | code. An IPv6 connection has two records: of each address the first
 * one holds the last word, where an IPv4 connection has the whole, and the second one the three words before it
 * (`ADDRESS_` numbers, 16 octets each; the fourth word is 0, so that it passes for a free record).
 */
@unmanaged
@final
export class Connection {
  /** As the first packet came. */
  src: u32;
  dst: u32;
  ports: u32;
  /** As replies come. */
  replySrc: u32;
  replyDst: u32;
  replyPorts: u32;
  protocol: u32;
  /** FLOW_STATE_ */
  state: u32;
  /** Milliseconds of the caller's clock. */
  expires: u64;
  /** Of a free record the next free one; of an IPv6 connection the second record; else 0. */
  next: u32;
  /** CTSTATE_DNAT, CTSTATE_SNAT, FLOW_FLAG_. */
  flags: u32;
  /** What CONNMARK keeps. */
  mark: u32;
  /** PROGRESS_ bits, and two words whose meaning is the protocol's. */
  progress: u32;
  detail0: u32;
  detail1: u32;

  @inline
  get isIp6(): bool {
    return this.next != 0;
  }

  @inline
  static at(address: usize): Connection {
    return changetype<Connection>(address);
  }
}
