import {
  SESSION_FLAG_CONNTRACK,
  SESSION_FLAG_ONE_PACKET,
  SESSION_FLAG_TEMPLATE,
  VS_TEMPLATE_ASSURED,
} from "../abi/session";
import { Image } from "../image";
import { State } from "../state";
import { flowClose } from "../table/flow/build";
import { ADDRESS_DST, ADDRESS_SRC, Connection, FLOW_STATE_FREE } from "../table/flow/layout";
import { connectionAt, flowFind } from "../table/flow/lookup";
import { addressOf, flow6Find } from "../table/flow/lookup6";
import { closeSession } from "../table/ipvs/build";
import { ipvsOf, Side } from "../table/ipvs/layout";
import { restart, takeDown } from "../table/ipvs/wheel";
import { unbind } from "./destination";
import { TIMEOUT_PUT_OFF } from "./timeouts";

/** How sessions end (ip_vs_conn.c). `state` is the whole one, `ipvs` IPVS' part of it. */

/** conntrack forgets the connection too, as its client sees it (ip_vs_conn_drop_conntrack). */
function dropConntrack(state: State, ipvs: State, connection: Connection): void {
  if (connection.ports >> 16 == 0) return;
  const ports = connection.ports;
  const protocol = connection.protocol;
  const flow = connection.isIp6
    ? flow6Find(
        state,
        addressOf(ipvs, connection, ADDRESS_SRC),
        addressOf(ipvs, connection, ADDRESS_DST),
        ports,
        protocol,
      )
    : flowFind(state, connection.src, connection.dst, ports, protocol);
  if (flow != 0) flowClose(state, flow >> 1);
}

/** A template loses one of its sessions; one that ends at once takes a template with it that nothing else needs. */
function leaveControl(image: Image, state: State, ipvs: State, side: Side): void {
  const control = side.control;
  if (control == 0) return;
  const template = connectionAt(ipvs, control);
  side.control = 0;
  Side.of(ipvs, control).controlled--;
  const isKept =
    (template.flags & SESSION_FLAG_TEMPLATE) != 0 && (template.progress & VS_TEMPLATE_ASSURED) != 0;
  if (side.timeout == 0 && Side.of(ipvs, control).controlled == 0 && !isKept)
    remove(image, state, ipvs, control);
}

/** Ends a session that no other one needs. */
export function end(image: Image, state: State, ipvs: State, session: u32): void {
  const connection = connectionAt(ipvs, session);
  leaveControl(image, state, ipvs, Side.of(ipvs, session));
  const own = connection.flags & (SESSION_FLAG_CONNTRACK | SESSION_FLAG_ONE_PACKET);
  if (own == SESSION_FLAG_CONNTRACK) dropConntrack(state, ipvs, connection);
  unbind(image, ipvs, connection);
  closeSession(ipvs, session);
}

/** A session's time is over; a template that sessions still need is put off (ip_vs_conn_expire). */
export function expire(image: Image, state: State, ipvs: State, session: u32): void {
  const side = Side.of(ipvs, session);
  if (side.controlled == 0) {
    end(image, state, ipvs, session);
    return;
  }
  side.timeout = TIMEOUT_PUT_OFF;
  restart(ipvs, session, TIMEOUT_PUT_OFF);
}

/** Ends a session before its time, and what controls it with it (ip_vs_conn_del). */
export function remove(image: Image, state: State, ipvs: State, session: u32): void {
  const side = Side.of(ipvs, session);
  if (side.control != 0) side.timeout = 0;
  takeDown(ipvs, session);
  expire(image, state, ipvs, session);
}

/** A session ends at the next tick: until then it is found (ip_vs_conn_expire_now). */
export function expireNow(state: State, session: u32): void {
  const ipvs = ipvsOf(state);
  if (Side.of(ipvs, session).expires > ipvs.now) restart(ipvs, session, 1);
}

/** A packet is on its way, and with it a session of one packet is over (ip_vs_conn_put). */
export function release(image: Image, state: State, session: u32): void {
  const ipvs = ipvsOf(state);
  const connection = connectionAt(ipvs, session);
  if (connection.state == FLOW_STATE_FREE || (connection.flags & SESSION_FLAG_ONE_PACKET) == 0) return;
  takeDown(ipvs, session);
  expire(image, state, ipvs, session);
}
