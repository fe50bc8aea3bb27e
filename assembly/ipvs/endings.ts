import {
  SESSION_FLAG_CONNTRACK,
  SESSION_FLAG_INACTIVE,
  SESSION_FLAG_ONE_PACKET,
  SESSION_FLAG_TEMPLATE,
  SESSION_FORWARD_MASK,
} from "../abi/session";
import { Image } from "../image";
import { State } from "../state";
import { addressHalf, bucketAt, restHalf } from "../table/flow/bucket";
import { giveRecord } from "../table/flow/build";
import { leave, leaveFrom } from "../table/flow/entries";
import { Connection, DIRECTION_ORIGINAL, DIRECTION_REPLY } from "../table/flow/layout";
import { connectionAt } from "../table/flow/lookup";
import { counterAt, isRelaxed } from "../table/ipvs/counters";
import {
  COUNTER_ACTIVE,
  COUNTER_INACTIVE,
  COUNTER_SERIAL,
  DUE_LEN,
  DUE_REPLIES,
  DUE_REQUESTS,
  DUE_ROW,
  Ipvs,
  Side,
  TURN_SERVER,
} from "../table/ipvs/layout";
import { end } from "./expire";

/**
 * Sessions that end together: what ending them touches is loaded for all, and then each ends by itself. None of them needs
 * another, or is needed.
 */

/** What is more than a masqueraded connection. */
const ODD: u32 = SESSION_FORWARD_MASK | SESSION_FLAG_TEMPLATE | SESSION_FLAG_ONE_PACKET;

function requestHalf(connection: Connection): u64 {
  return addressHalf(connection.src, connection.dst);
}

function replyHalf(connection: Connection): u64 {
  return addressHalf(connection.replySrc, connection.replyDst);
}

function requestRest(connection: Connection): u64 {
  return restHalf(connection.ports, connection.protocol);
}

function replyRest(connection: Connection): u64 {
  return restHalf(connection.replyPorts, connection.protocol ^ TURN_SERVER);
}

/** Finds the buckets and counters of sessions that are due, and loads from them; of odd ones it matters not from where. */
function touchDue(ipvs: State, due: usize, count: u32): void {
  let sum: u32 = 0;
  const last = due + count * DUE_LEN;
  for (let at = due; at != last; at += DUE_LEN) sum += connectionAt(ipvs, load<u32>(at)).flags;
  const room = Ipvs.of(ipvs).destinationsRoom;
  for (let at = due; at != last; at += DUE_LEN) {
    const connection = connectionAt(ipvs, load<u32>(at));
    const number = connection.detail0 - 1;
    store<u32>(at, <u32>bucketAt(ipvs, requestHalf(connection), requestRest(connection)), DUE_REQUESTS);
    store<u32>(at, <u32>bucketAt(ipvs, replyHalf(connection), replyRest(connection)), DUE_REPLIES);
    store<u32>(at, <u32>counterAt(ipvs, number < room ? number : 0), DUE_ROW);
  }
  for (let at = due; at != last; at += DUE_LEN)
    sum +=
      load<u32>(load<u32>(at, DUE_REQUESTS)) +
      load<u32>(load<u32>(at, DUE_REPLIES)) +
      load<u32>(load<u32>(at, DUE_ROW));
  store<u32>(last, sum);
}

/** Whether it is a connection of IPv4 alone with its tuples, whose destination's counters just fall. */
function isPlain(state: State, ipvs: State, session: u32, connection: Connection, row: usize): bool {
  const odd = connection.flags & (state.connections != 0 ? ODD | SESSION_FLAG_CONNTRACK : ODD);
  if ((odd | connection.next) != 0 || connection.detail0 == 0) return false;
  if (load<u32>(row, COUNTER_SERIAL) != connection.detail1 || !isRelaxed(row)) return false;
  return Side.of(ipvs, session).isAlone;
}

function endPlain(ipvs: State, session: u32, connection: Connection, at: usize): void {
  const row = <usize>load<u32>(at, DUE_ROW);
  const counter = (connection.flags & SESSION_FLAG_INACTIVE) == 0 ? COUNTER_ACTIVE : COUNTER_INACTIVE;
  store<u32>(row + counter, load<u32>(row + counter) - 1);
  const request = (session << 1) | DIRECTION_ORIGINAL;
  const reply = (session << 1) | DIRECTION_REPLY;
  if (!leaveFrom(load<u32>(at, DUE_REQUESTS), requestRest(connection), request))
    leave(ipvs, requestHalf(connection), requestRest(connection), request);
  if (!leaveFrom(load<u32>(at, DUE_REPLIES), replyRest(connection), reply))
    leave(ipvs, replyHalf(connection), replyRest(connection), reply);
  ipvs.connections--;
  giveRecord(ipvs, session);
}

/** Ends sessions whose time is over, which no other one needs and which need none, in the order in which they stand (DUE_). */
export function endAll(image: Image, state: State, ipvs: State, due: usize, count: u32): void {
  touchDue(ipvs, due, count);
  for (let i: u32 = 0; i < count; i++) {
    const at = due + i * DUE_LEN;
    const session = load<u32>(at);
    const connection = connectionAt(ipvs, session);
    if (isPlain(state, ipvs, session, connection, load<u32>(at, DUE_ROW)))
      endPlain(ipvs, session, connection, at);
    else end(image, state, ipvs, session);
  }
}
