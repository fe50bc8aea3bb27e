import { hashTuple } from "../../hash";
import { State } from "../../state";
import {
  CONNECTION_LEN,
  Connection,
  DIRECTION_ORIGINAL,
  DIRECTION_REPLY,
  FLOW_BUCKET_LEN,
  FLOW_DST,
  FLOW_META,
  FLOW_META_MASK,
  FLOW_OVERFLOW_MAX,
  FLOW_PORTS,
  FLOW_REF_SHIFT,
  FLOW_SRC,
  FLOW_STATE_FREE,
  FLOW_STATE_NEW,
} from "./layout";
import { connectionAt, flowFind, tupleMatches } from "./lookup";

/** Records looked at for an expired one when none is free. */
const SWEEP_LEN: u32 = 64;

function bucketsFor(connections: u32): u32 {
  return connections == 1 ? 1 : 1 << (32 - <u32>clz<u32>(connections - 1));
}

/** Octets of a table for so many connections (1 … CONNECTIONS_MAX). */
export function flowLength(connections: u32): u32 {
  return bucketsFor(connections) * FLOW_BUCKET_LEN + (connections + 1) * CONNECTION_LEN;
}

/** Lays the table for so many connections out in `flowLength` octets, all zero, that begin at an offset. */
export function flowCreate(state: State, at: u32, connections: u32): void {
  const buckets = bucketsFor(connections);
  state.bucketsAt = at;
  state.bucketsMask = buckets - 1;
  state.recordsAt = at + buckets * FLOW_BUCKET_LEN;
  state.connectionsRoom = connections;
  state.recordsTop = 1;
  state.sweep = 1;
}

/** Forgets every connection. */
export function flowClear(state: State): void {
  memory.fill(state.to(state.bucketsAt), 0, (state.bucketsMask + 1) * FLOW_BUCKET_LEN);
  memory.fill(state.to(state.recordsAt), 0, state.recordsTop * CONNECTION_LEN);
  state.connections = 0;
  state.recordsTop = 1;
  state.recordsFree = 0;
  state.sweep = 1;
}

function overflowOf(bucket: usize): u32 {
  return i32x4.bitmask(v128.load(bucket, FLOW_META));
}

function setOverflow(bucket: usize, count: u32): void {
  for (let i: u32 = 0; i < 4; i++) {
    const meta = bucket + (i << 2);
    store<u32>(meta, (load<u32>(meta, FLOW_META) & FLOW_META_MASK) | (((count >> i) & 1) << 31), FLOW_META);
  }
}

function setMeta(place: usize, meta: u32): void {
  store<u32>(place, (load<u32>(place, FLOW_META) & ~FLOW_META_MASK) | meta, FLOW_META);
}

/** Puts a tuple that is not there into the first free place on its way. */
function insert(state: State, src: u32, dst: u32, ports: u32, protocol: u32, ref: u32): void {
  let index = hashTuple(src, dst, ports, protocol) & state.bucketsMask;
  while (true) {
    const bucket = state.to(state.bucketsAt) + index * FLOW_BUCKET_LEN;
    const meta = v128.and(v128.load(bucket, FLOW_META), i32x4.splat(FLOW_META_MASK));
    const free = i32x4.bitmask(i32x4.eq(meta, i32x4.splat(0)));
    if (free != 0) {
      const place = bucket + (ctz<i32>(free) << 2);
      store<u32>(place, src, FLOW_SRC);
      store<u32>(place, dst, FLOW_DST);
      store<u32>(place, ports, FLOW_PORTS);
      setMeta(place, protocol | (ref << FLOW_REF_SHIFT));
      return;
    }
    const overflow = overflowOf(bucket);
    if (overflow < FLOW_OVERFLOW_MAX) setOverflow(bucket, overflow + 1);
    index = (index + 1) & state.bucketsMask;
  }
}

/** Takes out a tuple that is there. A saturated overflow count stays. */
function remove(state: State, src: u32, dst: u32, ports: u32, protocol: u32): void {
  let index = hashTuple(src, dst, ports, protocol) & state.bucketsMask;
  while (true) {
    const bucket = state.to(state.bucketsAt) + index * FLOW_BUCKET_LEN;
    const matches = tupleMatches(bucket, src, dst, ports, protocol);
    if (matches != 0) {
      setMeta(bucket + (ctz<i32>(matches) << 2), 0);
      return;
    }
    const overflow = overflowOf(bucket);
    if (overflow == 0) return;
    if (overflow < FLOW_OVERFLOW_MAX) setOverflow(bucket, overflow - 1);
    index = (index + 1) & state.bucketsMask;
  }
}

/** Forgets a connection: both directions go at once. */
export function flowClose(state: State, record: u32): void {
  const connection = connectionAt(state, record);
  if (connection.state == FLOW_STATE_FREE) return;
  remove(state, connection.src, connection.dst, connection.ports, connection.protocol);
  if (
    flowFind(state, connection.replySrc, connection.replyDst, connection.replyPorts, connection.protocol) >>
      1 ==
    record
  )
    remove(state, connection.replySrc, connection.replyDst, connection.replyPorts, connection.protocol);
  connection.state = FLOW_STATE_FREE;
  connection.next = state.recordsFree;
  state.recordsFree = record;
  state.connections--;
}

/** Closes what has expired among the next records of the sweep; how many. */
export function flowExpire(state: State, now: u64, records: u32): u32 {
  let closed: u32 = 0;
  for (let i: u32 = 0; i < records && state.recordsTop > 1; i++) {
    if (state.sweep >= state.recordsTop) state.sweep = 1;
    const connection = connectionAt(state, state.sweep);
    if (connection.state != FLOW_STATE_FREE && connection.expires <= now) {
      flowClose(state, state.sweep);
      closed++;
    }
    state.sweep++;
  }
  return closed;
}

function takeRecord(state: State): u32 {
  const free = state.recordsFree;
  if (free != 0) {
    state.recordsFree = connectionAt(state, free).next;
    return free;
  }
  return state.recordsTop <= state.connectionsRoom ? state.recordsTop++ : 0;
}

/**
 * Opens a connection for a tuple that has none; its record's reply tuple and the rest are filled by the caller
 * before `flowCommit`. 0 when the table is full of live connections.
 */
export function flowReserve(state: State, now: u64): u32 {
  let record = takeRecord(state);
  if (record == 0 && flowExpire(state, now, SWEEP_LEN) > 0) record = takeRecord(state);
  return record;
}

/** Makes both directions of a filled record findable. A connection to itself has one entry. */
export function flowCommit(state: State, record: u32, connection: Connection): void {
  const reply = (record << 1) | DIRECTION_REPLY;
  connection.state = FLOW_STATE_NEW;
  insert(
    state,
    connection.src,
    connection.dst,
    connection.ports,
    connection.protocol,
    (record << 1) | DIRECTION_ORIGINAL,
  );
  if (
    flowFind(state, connection.replySrc, connection.replyDst, connection.replyPorts, connection.protocol) == 0
  )
    insert(
      state,
      connection.replySrc,
      connection.replyDst,
      connection.replyPorts,
      connection.protocol,
      reply,
    );
  state.connections++;
}
