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
 */
export const FLOW_SRC: u32 = 0;
export const FLOW_DST: u32 = 16;
export const FLOW_PORTS: u32 = 32;
export const FLOW_META: u32 = 48;
export const FLOW_BUCKET_LEN: u32 = 64;
export const FLOW_META_MASK: u32 = 0x7fffffff;
export const FLOW_REF_SHIFT: u32 = 8;
export const FLOW_OVERFLOW_MAX: u32 = 15;

/** Records are numbered from 1; the number and a direction bit must fit 23 bits. */
export const CONNECTIONS_MAX: u32 = (1 << 22) - 1;
export const CONNECTION_LEN: u32 = 64;

export const DIRECTION_ORIGINAL: u32 = 0;
export const DIRECTION_REPLY: u32 = 1;

/** Connection.state */
export const FLOW_STATE_FREE: u32 = 0;
export const FLOW_STATE_NEW: u32 = 1;
export const FLOW_STATE_ESTABLISHED: u32 = 2;
export const FLOW_STATE_CLOSING: u32 = 3;

/** Connection.flags: IPVS, not conntrack, rewrites the destination (at LOCAL_IN). */
export const FLOW_FLAG_IPVS: u32 = 256;

/** A connection's record. Ports are src << 16 | dst. */
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
  /** The next free record. */
  next: u32;
  /** CTSTATE_DNAT, CTSTATE_SNAT, FLOW_FLAG_. */
  flags: u32;

  @inline
  static at(address: usize): Connection {
    return changetype<Connection>(address);
  }
}
