import { SETTING_VS_EXPIRE_NODEST_CONN } from "../abi/setting";
import { Image } from "../image";
import { State } from "../state";
import { FLOW_STATE_FREE } from "../table/flow/layout";
import { connectionAt } from "../table/flow/lookup";
import { DUE_LEN, hasIpvs, Ipvs, ipvsOf, Side } from "../table/ipvs/layout";
import { dueAt, TIME_MAX, takeDue } from "../table/ipvs/wheel";
import { defend, nextDefense } from "./defense";
import { hasDestination } from "./destination";
import { endAll } from "./endings";
import { expire, remove } from "./expire";

/** Ends what is over until a time, in the order in which it is. */
function expireUntil(image: Image, state: State, ipvs: State, until: u64): void {
  const due = dueAt(ipvs);
  for (let count = takeDue(ipvs, until); count != 0; count = takeDue(ipvs, until)) {
    const last = load<u32>(due + (count - 1) * DUE_LEN);
    const isTied = Side.of(ipvs, last).isTied;
    endAll(image, state, ipvs, due, isTied ? count - 1 : count);
    if (isTied) expire(image, state, ipvs, last);
  }
}

/** Ends a session, and the template that nothing else needs then. */
function removeWhole(image: Image, state: State, ipvs: State, session: u32): void {
  const control = Side.of(ipvs, session).control;
  remove(image, state, ipvs, session);
  if (control == 0 || connectionAt(ipvs, control).state == FLOW_STATE_FREE) return;
  if (Side.of(ipvs, control).controlled == 0) remove(image, state, ipvs, control);
}

/** Ends every session that no other needs: those whose destination left (ip_vs_expire_nodest_conn_flush), or all. */
function sweep(image: Image, state: State, ipvs: State, all: bool): void {
  for (let session: u32 = 1; session < ipvs.recordsTop; session++) {
    const connection = connectionAt(ipvs, session);
    if (connection.state == FLOW_STATE_FREE || Side.of(ipvs, session).controlled != 0) continue;
    if (all || !hasDestination(image, ipvs, connection)) removeWhole(image, state, ipvs, session);
  }
}

/** A destination that leaves takes its sessions with it at once, where expire_nodest_conn says so. */
function noteDepartures(image: Image, state: State, ipvs: State): void {
  const own = Ipvs.of(ipvs);
  if (own.departures == image.departures) return;
  own.departures = image.departures;
  if (image.setting(SETTING_VS_EXPIRE_NODEST_CONN) != 0) sweep(image, state, ipvs, false);
}

/** Brings IPVS' part of a state to the state's time: what is over ends. To be called before a burst's look-ups. */
export function tick(image: Image, state: State): void {
  if (!hasIpvs(state)) return;
  const ipvs = ipvsOf(state);
  const until = min<u64>(state.now, TIME_MAX);
  noteDepartures(image, state, ipvs);
  for (let at = nextDefense(image, ipvs, until); at < until; at = nextDefense(image, ipvs, until)) {
    expireUntil(image, state, ipvs, at);
    defend(image, state, ipvs);
  }
  expireUntil(image, state, ipvs, until);
  defend(image, state, ipvs);
}

/** Ends all sessions (ip_vs_conn_flush). */
export function flush(image: Image, state: State): void {
  if (!hasIpvs(state)) return;
  const ipvs = ipvsOf(state);
  while (ipvs.connections != 0) sweep(image, state, ipvs, true);
}
