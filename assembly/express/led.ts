import { CTSTATE_DNAT } from "../abi/entry";
import { Image } from "../image";
import { isSteady } from "../ipvs/follow";
import { State } from "../state";
import { Connection, DIRECTION_ORIGINAL, FLOW_FLAG_IPVS } from "../table/flow/layout";
import { BUCKETS_FAR, connectionAt, flowFindBurst } from "../table/flow/lookup";
import { hasIpvs, ipvsOf, TURN_SERVER } from "../table/ipvs/layout";
import { ASKED, FLOWS, FOUND, SESSIONS, TUPLES, WALK_STACK } from "./layout";

/**
 * Packets that IPVS has a say about: of its own connections where neither table has anything to decide, and conntrack's gives
 * the packet what IPVS would.
 */

function flowAt(scratch: usize, i: u32): u32 {
  return load<u32>(scratch + (i << 2), FLOWS);
}

/** Writes the tuple by which IPVS looks for packet i: as it came, or of an answer with the client that it is for. */
function ask(state: State, scratch: usize, i: u32, at: usize): void {
  const tuple = scratch + TUPLES + (i << 4);
  v128.store(at, v128.load(tuple));
  const flow = flowAt(scratch, i);
  if ((flow & 1) == DIRECTION_ORIGINAL) return;
  const connection = connectionAt(state, flow >> 1);
  store<u32>(at, connection.src, 4);
  store<u32>(at, (load<u32>(tuple, 8) & 0xffff0000) | (connection.ports >> 16), 8);
  store<u32>(at, load<u32>(tuple, 12) ^ TURN_SERVER, 12);
}

/** Whether both tables say the same of both ends: conntrack's entry was opened behind this very session. */
export function agree(connection: Connection, session: Connection): bool {
  return (
    (connection.flags & CTSTATE_DNAT) == 0 &&
    connection.src == session.src &&
    connection.dst == session.dst &&
    connection.ports == session.ports &&
    connection.replySrc == session.replySrc &&
    connection.replyPorts >> 16 == session.replyPorts >> 16
  );
}

function isLed(image: Image, state: State, scratch: usize, i: u32, session: u32): bool {
  const ipvs = ipvsOf(state);
  if (session == 0 || !isSteady(image, ipvs, session)) return false;
  return agree(connectionAt(state, flowAt(scratch, i) >> 1), connectionAt(ipvs, session));
}

/** Finds the sessions of a burst's packets, some of which (bits) are IPVS': those that have nothing to decide. */
export function findSessions(image: Image, state: State, scratch: usize, led: u64): u64 {
  if (!hasIpvs(state)) return 0;
  let count: u32 = 0;
  for (let rest = led; rest != 0; rest &= rest - 1, count++)
    ask(state, scratch, <u32>ctz<u64>(rest), scratch + ASKED + (count << 4));
  flowFindBurst(ipvsOf(state), scratch + ASKED, count, scratch + FOUND, BUCKETS_FAR);
  let steady: u64 = 0;
  let at: usize = scratch + FOUND;
  for (let rest = led; rest != 0; rest &= rest - 1, at += 4) {
    const i = <u32>ctz<u64>(rest);
    const session = load<u32>(at) >> 1;
    if (!isLed(image, state, scratch, i, session)) continue;
    store<u32>(scratch + (i << 2), session, SESSIONS);
    steady |= rest & -rest;
  }
  return steady;
}

/** Whether packet i's session is still what it was when the burst began. */
export function isStillLed(image: Image, state: State, scratch: usize, i: u32): bool {
  const session = load<u32>(scratch + (i << 2), SESSIONS);
  if (session == 0) return (connectionAt(state, flowAt(scratch, i) >> 1).flags & FLOW_FLAG_IPVS) == 0;
  const at = scratch + WALK_STACK;
  ask(state, scratch, i, at);
  flowFindBurst(ipvsOf(state), at, 1, at + 16, BUCKETS_FAR);
  return load<u32>(at, 16) >> 1 == session && isLed(image, state, scratch, i, session);
}
