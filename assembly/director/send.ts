import { HOOK_FORWARD, NEXT_HOP_KIND_LOCAL } from "../abi/entry";
import { INTERFACE_NODE } from "../abi/packet";
import { FORWARD_LOCAL, FORWARD_MASQUERADE, FORWARD_TUNNEL } from "../abi/server";
import { SESSION_FLAG_ONE_PACKET } from "../abi/session";
import { DROP_HOST_UNREACHABLE, DROP_MARTIAN, DROP_NONE, DROP_TRUNCATED } from "../abi/verdict";
import { forwardOf, hasConntrack, serverOf } from "../ipvs/session";
import {
  FAULT_CUT,
  IPVS_APART,
  IPVS_BEHIND_DNAT,
  IPVS_DIRECT,
  IPVS_DST,
  IPVS_SEEN,
  IPVS_SENT,
  IPVS_TUNNEL,
  Packet,
} from "../packet";
import { untrack } from "../stage/conntrack";
import { checkLengthWith, checkTtl } from "../stage/leave";
import { findRoute } from "../stage/route";
import { connectionAt } from "../table/flow/lookup";
import { ipvsOf } from "../table/ipvs/layout";
import { dstStays } from "../track/tuple";
import { isLoopback } from "../wire/scope6";
import { claimOwn } from "./claims";
import { tunnelOverhead } from "./wrap";

/** How IPVS sends a packet to its real server (ip_vs_xmit.c). */

/** What becomes of a packet where IPVS looks at it: it goes on there, is sent on, or something is decided. */
export const WAY_ON: u32 = 0;
export const WAY_SENT: u32 = 1;
export const WAY_OVER: u32 = 2;

const LOOPBACK_NET: u32 = 127;

/** IPVS is done with a packet of one of its connections, which conntrack follows, or is made to forget. */
export function settle(packet: Packet, session: u32): void {
  packet.ipvs |= IPVS_SEEN;
  packet.session = session;
  claimOwn(packet);
  if (!hasConntrack(packet.state, session)) untrack(packet);
}

function isOfLoopback(packet: Packet, high: v128, last: u32): bool {
  if (packet.family != 6) return last >> 24 == LOOPBACK_NET;
  return isLoopback(v128.replace_lane<u32>(high, 3, last));
}

/** What never leaves the node: of IPv6, what the node itself has from ::1. */
function isFromLoopback(packet: Packet): bool {
  if (packet.family == 6 && packet.in != INTERFACE_NODE) return false;
  return isOfLoopback(packet, packet.srcHigh, packet.src);
}

/**
 * Whether the packet's way to its server, which `isHere` or elsewhere, keeps to its side of the node's border: NAT alone
 * leads what was on its way out to the node itself (crosses_local_route_boundary), and nothing from the world to 127/8.
 */
function keepsToSide(packet: Packet, isHere: bool, wasHere: bool, isNat: bool): bool {
  if (!isHere) return !isFromLoopback(packet);
  if (!isNat) return wasHere;
  return packet.in == INTERFACE_NODE || !isOfLoopback(packet, packet.dstHigh, packet.dst);
}

/** One hop more is behind it, and it fits the way; what there is to say about an ICMP error IPVS keeps to itself. */
function mayLeave(packet: Packet, overhead: u32, isError: bool): bool {
  packet.ipvs |= IPVS_SENT;
  if (!checkTtl(packet)) return false;
  packet.aged++;
  return (isError && packet.family != 6) || checkLengthWith(packet, overhead);
}

/**
 * The descriptor has the server's address for its destination: whether the packet may go there. Where that is the node
 * itself it keeps the route that it has.
 */
function findWay(packet: Packet, session: u32, forward: u32, isError: bool): u32 {
  const hop = packet.hop;
  const hopAddress = packet.hopAddress;
  const hopKind = packet.hopKind;
  const wasHere = hopKind == NEXT_HOP_KIND_LOCAL;
  if (findRoute(packet) != DROP_NONE) return fail(packet, DROP_HOST_UNREACHABLE);
  const isHere = packet.hopKind == NEXT_HOP_KIND_LOCAL;
  // An error that goes past the node is not led to it.
  if (isHere && packet.hook == HOOK_FORWARD) return fail(packet, DROP_MARTIAN);
  const isNat = forward == FORWARD_MASQUERADE;
  if (!keepsToSide(packet, isHere, wasHere, isNat)) return fail(packet, DROP_MARTIAN);
  if (isHere) {
    packet.hop = hop;
    packet.hopAddress = hopAddress;
    packet.hopKind = hopKind;
    return WAY_ON;
  }
  const overhead = forward == FORWARD_TUNNEL ? tunnelOverhead(packet, session) : 0;
  return mayLeave(packet, overhead, isError) ? WAY_SENT : WAY_OVER;
}

function fail(packet: Packet, reason: u32): u32 {
  packet.drop(reason);
  return WAY_OVER;
}

/** A transport header that is not all there is not written to (tcp_dnat_handler). */
function isUntranslatable(packet: Packet, isError: bool): bool {
  return !isError && packet.fault == FAULT_CUT;
}

function isOnePacket(packet: Packet, session: u32): bool {
  return (connectionAt(ipvsOf(packet.state), session).flags & SESSION_FLAG_ONE_PACKET) != 0;
}

/** conntrack learns of the server, unless nobody is to answer (ip_vs_update_conntrack). */
function giveDestination(packet: Packet, session: u32, hadDst: bool): void {
  packet.ipvs |= IPVS_DST;
  if (hadDst) packet.ipvs |= IPVS_BEHIND_DNAT;
  if (isOnePacket(packet, session)) packet.ipvs |= IPVS_APART;
}

/**
 * Sends a packet of an IPVS connection to its server, of an ICMP error the packet itself, and not yet what it quotes.
 * What is not NAT'ed keeps its destination.
 */
export function transmit(packet: Packet, session: u32, isError: bool): u32 {
  const forward = forwardOf(packet.state, session);
  if (forward == FORWARD_LOCAL) {
    settle(packet, session);
    return WAY_ON;
  }
  const dst = packet.dst;
  const dstHigh = packet.dstHigh;
  const ports = packet.ports;
  const hadDst: bool = !dstStays(packet);
  serverOf(packet, session);
  if (isError) packet.ports = ports;
  let way = findWay(packet, session, forward, isError);
  if (way != WAY_OVER && forward == FORWARD_MASQUERADE && isUntranslatable(packet, isError))
    way = fail(packet, DROP_TRUNCATED);
  const isGiven = forward == FORWARD_MASQUERADE && way != WAY_OVER;
  if (isGiven) giveDestination(packet, session, hadDst);
  else {
    packet.via = packet.dst;
    packet.dst = dst;
    packet.dstHigh = dstHigh;
    packet.ports = ports;
    if (way != WAY_ON) packet.ipvs |= forward == FORWARD_TUNNEL ? IPVS_TUNNEL : IPVS_DIRECT;
  }
  settle(packet, session);
  return way;
}
