import { FORWARD_MASQUERADE } from "../../abi/server";
import { SESSION_FORWARD_MASK } from "../../abi/session";
import { State } from "../../state";
import { Connection } from "../flow/layout";
import { connectionAt, flowFind } from "../flow/lookup";
import { flow6Find } from "../flow/lookup6";
import { Ipvs, Side, TURN_SERVER, TURN_TEMPLATE } from "./layout";

/** Look-ups of sessions: their number, or 0. Of the IPv4 ones addresses are words, of the IPv6 ones their four words. */

/** The session of a request (ip_vs_conn_in_get): nothing has a client of port 0. */
export function sessionIn(ipvs: State, client: u32, virtual: u32, ports: u32, protocol: u32): u32 {
  return ports >> 16 == 0 ? 0 : flowFind(ipvs, client, virtual, ports, protocol) >> 1;
}

export function session6In(ipvs: State, client: v128, virtual: v128, ports: u32, protocol: u32): u32 {
  return ports >> 16 == 0 ? 0 : flow6Find(ipvs, client, virtual, ports, protocol) >> 1;
}

function isMasqueraded(connection: Connection): bool {
  return (connection.flags & SESSION_FORWARD_MASK) == FORWARD_MASQUERADE;
}

/** Of sessions with one client's tuple the newest whose server answers as the virtual address: it is not masqueraded. */
function unmasqueraded(ipvs: State, newest: u32): u32 {
  let session = newest;
  while (session != 0 && isMasqueraded(connectionAt(ipvs, session))) session = Side.of(ipvs, session).older;
  return session;
}

/** The session of an answer, from the server's address to the client's (ip_vs_conn_out_get). */
export function sessionOut(ipvs: State, server: u32, client: u32, ports: u32, protocol: u32): u32 {
  const session = flowFind(ipvs, server, client, ports, protocol ^ TURN_SERVER) >> 1;
  if (session != 0 || Ipvs.of(ipvs).unmasqueraded == 0) return session;
  return unmasqueraded(ipvs, flowFind(ipvs, client, server, rotl<u32>(ports, 16), protocol) >> 1);
}

export function session6Out(ipvs: State, server: v128, client: v128, ports: u32, protocol: u32): u32 {
  const session = flow6Find(ipvs, server, client, ports, protocol ^ TURN_SERVER) >> 1;
  if (session != 0 || Ipvs.of(ipvs).unmasqueraded == 0) return session;
  return unmasqueraded(ipvs, flow6Find(ipvs, client, server, rotl<u32>(ports, 16), protocol) >> 1);
}

/** The template of a client's network (ip_vs_ct_in_get); protocol 0 where `virtual` is a mark. */
export function templateIn(ipvs: State, client: u32, virtual: u32, port: u32, protocol: u32): u32 {
  return flowFind(ipvs, client, virtual, port, protocol ^ TURN_TEMPLATE) >> 1;
}

export function template6In(ipvs: State, client: v128, virtual: v128, port: u32, protocol: u32): u32 {
  return flow6Find(ipvs, client, virtual, port, protocol ^ TURN_TEMPLATE) >> 1;
}
