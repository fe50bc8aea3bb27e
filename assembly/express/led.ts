import { CTSTATE_DNAT } from "../abi/entry";
import { SESSION_FLAG_TEMPLATE } from "../abi/session";
import { Image } from "../image";
import { isSteady } from "../ipvs/follow";
import { State } from "../state";
import { Connection, DIRECTION_ORIGINAL, FLOW_FLAG_IPVS, FLOW_STATE_FREE } from "../table/flow/layout";
import { connectionAt } from "../table/flow/lookup";
import { WALK_SESSION, walkAt } from "../table/flow/walks";
import { hasIpvs, ipvsOf, Side } from "../table/ipvs/layout";
import { FLOWS, SESSIONS } from "./layout";

/**
 * Packets that IPVS has a say about: of its own connections where neither table has anything to decide, and conntrack's gives
 * the packet what IPVS would. By which of its own IPVS led the connection's last packet is known; it is looked for by its
 * tuple, so a session that is still of this tuple, and has none before it, is the one that is found.
 */

/** Whether both tables say the same of both ends: conntrack's entry was opened behind this very session. */
export function agree(connection: Connection, session: Connection): bool {
  return (
    (connection.flags & CTSTATE_DNAT) == 0 &&
    connection.src == session.src &&
    connection.dst == session.dst &&
    connection.ports == session.ports &&
    connection.protocol == session.protocol &&
    connection.replySrc == session.replySrc &&
    connection.replyPorts >> 16 == session.replyPorts >> 16
  );
}

/** A look-up of its tuple finds it. */
function isFound(ipvs: State, session: u32, direction: u32): bool {
  const connection = connectionAt(ipvs, session);
  if (connection.state == FLOW_STATE_FREE || (connection.flags & SESSION_FLAG_TEMPLATE) != 0) return false;
  const side = Side.of(ipvs, session);
  return (direction == DIRECTION_ORIGINAL ? side.newer : side.newerServer) == 0;
}

function isLed(image: Image, state: State, entry: usize, session: u32): bool {
  const ipvs = ipvsOf(state);
  const flow = load<u32>(entry, FLOWS);
  return (
    agree(connectionAt(state, flow >> 1), connectionAt(ipvs, session)) &&
    isFound(ipvs, session, flow & 1) &&
    isSteady(image, ipvs, session)
  );
}

/** Of a burst's packets whose session is known (bits), those of which that has nothing to decide. */
export function checkSessions(image: Image, state: State, scratch: usize, led: u64): u64 {
  if (!hasIpvs(state)) return 0;
  let steady: u64 = 0;
  for (let rest = led; rest != 0; rest &= rest - 1) {
    const entry = scratch + ((<usize>ctz<u64>(rest)) << 2);
    const session = load<u32>(entry, SESSIONS);
    if (session != 0 && isLed(image, state, entry, session)) steady |= rest & -rest;
  }
  return steady;
}

/** Whether a packet's session is still what it was when the burst began. */
export function isStillLed(image: Image, state: State, entry: usize): bool {
  const session = load<u32>(entry, SESSIONS);
  const record = load<u32>(entry, FLOWS) >> 1;
  if (session == 0) return (connectionAt(state, record).flags & FLOW_FLAG_IPVS) == 0;
  return load<u32>(walkAt(state, record), WALK_SESSION) == session && isLed(image, state, entry, session);
}
