import { State } from "../../state";
import { restHalf } from "./bucket";
import { enter, leave } from "./entries";
import {
  ADDRESS_DST,
  ADDRESS_SRC,
  CONNECTION_LEN,
  Connection,
  DIRECTION_ORIGINAL,
  DIRECTION_REPLY,
  FLOW_BUCKET_LEN,
  FLOW_STATE_FREE,
  FLOW_STATE_NEW,
} from "./layout";
import { connectionAt, flowFindHalves } from "./lookup";
import { address6Half, addressOf, flow6Find, lastWordAt, rest6Half } from "./lookup6";

/** Records looked at for an expired one when none is free. */
export const SWEEP_LEN: u32 = 64;

/** At least two buckets: a shift by 64 would be none. */
function bucketsLog2(connections: u32): u32 {
  return 32 - <u32>clz<u32>(max<u32>(connections, 2) - 1);
}

function bucketsFor(connections: u32): u32 {
  return 1 << bucketsLog2(connections);
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
  state.bucketsShift = 64 - bucketsLog2(connections);
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

/** The halves of the tuple under which one direction of a connection stands in a bucket. */
function addressesOf(state: State, connection: Connection, direction: u32): u64 {
  const src = (direction << 1) + ADDRESS_SRC;
  const dst = (direction << 1) + ADDRESS_DST;
  if (!connection.isIp6) return load<u64>(lastWordAt(connection, src));
  return address6Half(state, addressOf(state, connection, src), addressOf(state, connection, dst));
}

function restOf(connection: Connection, direction: u32): u64 {
  const ports = direction == DIRECTION_ORIGINAL ? connection.ports : connection.replyPorts;
  return connection.isIp6 ? rest6Half(ports, connection.protocol) : restHalf(ports, connection.protocol);
}

function leaveOf(state: State, record: u32, connection: Connection, direction: u32): void {
  const flow = (record << 1) | direction;
  leave(state, addressesOf(state, connection, direction), restOf(connection, direction), flow);
}

export function giveRecord(state: State, record: u32): void {
  const connection = connectionAt(state, record);
  connection.state = FLOW_STATE_FREE;
  connection.next = state.recordsFree;
  state.recordsFree = record;
}

/** Forgets a connection: both directions go at once. */
export function flowClose(state: State, record: u32): void {
  const connection = connectionAt(state, record);
  if (connection.state == FLOW_STATE_FREE) return;
  leaveOf(state, record, connection, DIRECTION_ORIGINAL);
  leaveOf(state, record, connection, DIRECTION_REPLY);
  if (connection.isIp6) giveRecord(state, connection.next);
  giveRecord(state, record);
  state.connections--;
}

/** Closes what has expired among the next records of the sweep; how many. */
export function flowExpire(state: State, now: u64, records: u32): u32 {
  let closed: u32 = 0;
  for (let i: u32 = 0; i < records && state.recordsTop > 1; i++) {
    if (state.sweep >= state.recordsTop) state.sweep = 1;
    const connection = connectionAt(state, state.sweep);
    // The second record of an IPv6 connection passes for a free one.
    if (connection.state != FLOW_STATE_FREE && connection.expires <= now) {
      flowClose(state, state.sweep);
      closed++;
    }
    state.sweep++;
  }
  return closed;
}

/** A free record; 0 for none. */
export function takeRecord(state: State): u32 {
  const free = state.recordsFree;
  if (free != 0) {
    state.recordsFree = connectionAt(state, free).next;
    return free;
  }
  return state.recordsTop <= state.connectionsRoom ? state.recordsTop++ : 0;
}

/**
 * A record for a connection; its tuples and the rest are filled by the caller before `flowCommit`. 0 when the table is
 * full of live connections.
 */
export function flowReserve(state: State, now: u64): u32 {
  let record = takeRecord(state);
  if (record == 0 && flowExpire(state, now, SWEEP_LEN) > 0) record = takeRecord(state);
  if (record != 0) clearRecord(changetype<usize>(connectionAt(state, record)));
  return record;
}

/** Stores, since `memory.fill` of so few octets costs a call out of the machine. */
function clearRecord(at: usize): void {
  const zero = i32x4.splat(0);
  for (let end = at + CONNECTION_LEN; at != end; at += 16) v128.store(at, zero);
}

/** Whether no connection, not even this one from its other side, has the reply tuple. */
function isReplyFree(state: State, connection: Connection, addresses: u64, rest: u64): bool {
  if (!connection.isIp6) return flowFindHalves(state, addresses, rest) == 0;
  const src = addressOf(state, connection, (DIRECTION_REPLY << 1) + ADDRESS_SRC);
  const dst = addressOf(state, connection, (DIRECTION_REPLY << 1) + ADDRESS_DST);
  return flow6Find(state, src, dst, connection.replyPorts, connection.protocol) == 0;
}

/** Makes both directions of a filled record findable. A connection to itself has one entry. */
export function flowCommit(state: State, record: u32, connection: Connection): void {
  const flow = record << 1;
  const replyAddresses = addressesOf(state, connection, DIRECTION_REPLY);
  const replyRest = restOf(connection, DIRECTION_REPLY);
  connection.state = FLOW_STATE_NEW;
  enter(
    state,
    addressesOf(state, connection, DIRECTION_ORIGINAL),
    restOf(connection, DIRECTION_ORIGINAL),
    flow | DIRECTION_ORIGINAL,
  );
  if (isReplyFree(state, connection, replyAddresses, replyRest))
    enter(state, replyAddresses, replyRest, flow | DIRECTION_REPLY);
  state.connections++;
}
