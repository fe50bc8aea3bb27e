import { State } from "../../state";

/**
 * Clients that rules have noted: of every list (iptables' recent, nftables' sets that rules fill) its addresses in the
 * order in which they were noted, and of all lists together the same. A list's head is a record too, while it has clients.
 * There are indices only, so that all of it can be moved.
 *
 *   pool · buckets (a power of two) · records 1 … 2 · room: a client may be the only one of its list; and some for times
 *
 * When a client was noted before, a record of its own says, from the second time on and for as long as there are such.
 */
@unmanaged
@final
export class Pool {
  /** First record never used, and the list of those given back. */
  top: u32;
  free: u32;
  oldest: u32;
  newest: u32;
  /** How many there are, heads not counted. */
  clients: u32;
  /** Buckets, less one. */
  mask: u32;
  /** Where record 0 would be, from the pool on. */
  recordsAt: u32;
  /** How many more records may hold times. */
  timesLeft: u32;

  @inline
  static of(state: State): Pool {
    return changetype<Pool>(state.to(state.clientsAt));
  }
}

@unmanaged
@final
export class Client {
  /** The address, four words in their order (of IPv4 the last alone); two halves as they lie. */
  first: u64;
  second: u64;
  list: u32;
  /** 4 or 6; 0 for the head of a list. */
  family: u32;
  /** In its bucket, or among those given back. */
  next: u32;
  /** In its list; of a head `older` is the newest client, `newer` the oldest. */
  older: u32;
  newer: u32;
  /** Among all clients. */
  olderOfAll: u32;
  newerOfAll: u32;
  /** The head of its list. */
  head: u32;
  /** Milliseconds of the state's clock. */
  noted: u64;
  /** Of a head its clients, of a client how often it was noted. */
  count: u32;
  /** The record of the times before the last, 0 where there is none; in its high octet the TTL of the last packet. */
  times: u32;
}

export const POOL_LEN: u32 = 32;
export const CLIENT_LEN: u32 = 64;
/** Clients of all lists of a state. */
export const CLIENTS_MAX: u32 = 1 << 22;

/** The low bits of `times`: more than there are records. */
export const TIMES_MASK: u32 = 0xffffff;
export const TTL_SHIFT: u32 = 24;
/** Times in a record, as u64: all of it but the link of those given back. */
export const TIMES_LEN: u32 = 7;

/** Records that hold times. */
export function timesFor(clients: u32): u32 {
  return clients == 0 ? 0 : (clients >> 3) + 8;
}

/** A power of two. */
export function bucketsFor(clients: u32): u32 {
  let buckets: u32 = 1;
  while (buckets < clients) buckets <<= 1;
  return buckets << 1;
}

/** Octets of a place for so many clients. */
export function clientsLength(clients: u32): u32 {
  if (clients == 0) return 0;
  return POOL_LEN + bucketsFor(clients) * 4 + (2 * clients + 1 + timesFor(clients)) * CLIENT_LEN;
}

/** A record by its index. */
export function recordAt(state: State, record: u32): Client {
  const pool = Pool.of(state);
  return changetype<Client>(changetype<usize>(pool) + pool.recordsAt + record * CLIENT_LEN);
}

/** Where a client's `index`-th time (from 0, the last of all not among them) is, in its record of times. */
export function timeAt(state: State, times: u32, index: u32): usize {
  const place = index % TIMES_LEN;
  // The fourth word of eight octets holds the link.
  return changetype<usize>(recordAt(state, times)) + ((place < 3 ? place : place + 1) << 3);
}
