import { FLOW6_LEN } from "../../abi/entry";
import { State } from "../../state";
import { flowClose, flowCommit, flowReserve, giveRecord } from "./build";
import { ADDRESS_DST, ADDRESS_SRC, Connection, DIRECTION_ORIGINAL, DIRECTION_REPLY } from "./layout";
import { connectionAt } from "./lookup";
import { flow6Find, lastWordAt, otherWordsAt, Tuple6 } from "./lookup6";

const PROTOCOL_MAX: u32 = 255;

/** `flowReserve` for an IPv6 connection, which needs two records. */
export function flow6Reserve(state: State, now: u64): u32 {
  const record = flowReserve(state, now);
  if (record == 0) return 0;
  const second = flowReserve(state, now);
  if (second == 0) {
    giveRecord(state, record);
    return 0;
  }
  connectionAt(state, record).next = second;
  return record;
}

/** Fills in one direction's addresses of a reserved IPv6 connection. */
export function flow6SetAddresses(
  state: State,
  connection: Connection,
  direction: u32,
  src: v128,
  dst: v128,
): void {
  setAddress(state, connection, (direction << 1) + ADDRESS_SRC, src);
  setAddress(state, connection, (direction << 1) + ADDRESS_DST, dst);
}

function setAddress(state: State, connection: Connection, number: u32, address: v128): void {
  store<u32>(lastWordAt(connection, number), v128.extract_lane<u32>(address, 3));
  v128.store(otherWordsAt(state, connection, number), v128.replace_lane<u32>(address, 3, 0));
}

/** Whether a live connection has the tuple; one that has expired is closed. */
function isTaken(state: State, tuple: Tuple6, now: u64): bool {
  const flow = flow6Find(state, tuple.src, tuple.dst, tuple.ports, tuple.protocol);
  if (flow == 0) return false;
  if (connectionAt(state, flow >> 1).expires > now) return true;
  flowClose(state, flow >> 1);
  return false;
}

/** Opens the connection of two tuples (FLOW6_…); 0 where one of them is taken or no tuple, or there is no room. */
export function flow6Open(state: State, tuples: usize, now: u64, expires: u64): u32 {
  const original = Tuple6.at(tuples);
  const reply = Tuple6.at(tuples + FLOW6_LEN);
  if (original.protocol > PROTOCOL_MAX || reply.protocol != original.protocol) return 0;
  if (isTaken(state, original, now) || isTaken(state, reply, now)) return 0;
  const record = flow6Reserve(state, now);
  if (record == 0) return 0;
  const connection = connectionAt(state, record);
  flow6SetAddresses(state, connection, DIRECTION_ORIGINAL, original.src, original.dst);
  flow6SetAddresses(state, connection, DIRECTION_REPLY, reply.src, reply.dst);
  connection.ports = original.ports;
  connection.replyPorts = reply.ports;
  connection.protocol = original.protocol;
  connection.flags = 0;
  connection.expires = expires;
  flowCommit(state, record, connection);
  return record;
}
