import { HOOK_OUTPUT } from "../abi/entry";
import {
  SETTING_VS_CONN_REUSE_MODE,
  SETTING_VS_EXPIRE_NODEST_CONN,
  SETTING_VS_NAT_ICMP_SEND,
} from "../abi/setting";
import { LED_ANSWER, LED_KNOWN, LED_NEW } from "../abi/trace";
import { DROP_NO_SERVER, DROP_PORT_UNREACHABLE, DROP_RESCHEDULED, DROP_TRUNCATED } from "../abi/verdict";
import { PROTO_SCTP, PROTO_TCP, TCP_FLAG_RST } from "../abi/wire";
import { beginsAnew, isBalanced, maySchedule } from "../ipvs/begins";
import { expireNow } from "../ipvs/expire";
import { follow } from "../ipvs/follow";
import {
  findIn,
  findOut,
  forsakeConntrack,
  isAvailable,
  isMasqueraded,
  isReusable,
  serverOf,
  virtualOf,
  weightOf,
} from "../ipvs/session";
import { FAULT_CUT, IPVS_DST, IPVS_SEEN, IPVS_SRC, Packet } from "../packet";
import { DIRECTION_ORIGINAL, DIRECTION_REPLY } from "../table/flow/layout";
import { CHUNK_LEN, HEADER_LEN, startsWith } from "../track/sctp-chunks";
import { CHUNK_ABORT } from "../track/sctp-states";
import { isLedError, leadError, returnError } from "./errors";
import { schedule } from "./schedule";
import { settle, transmit, WAY_ON, WAY_OVER } from "./send";
import { isFromServer } from "./servers";
import { hasServices } from "./services";
import { tellLed } from "./tell";

/** IPVS' hooks: ip_vs_out, for what servers answer, and then ip_vs_in, for what clients ask (ip_vs_core.c). */

const PORTS_LEN: u32 = 4;

function isAsked(packet: Packet): bool {
  return (packet.ipvs & IPVS_SEEN) == 0 && hasServices(packet);
}

function hasPorts(packet: Packet): bool {
  return isBalanced(packet) && packet.segment >= PORTS_LEN;
}

/** What a server sends to nobody who asked is refused, if that is wanted; a reset is not (ip_vs_out_hook). */
function isUnasked(packet: Packet): bool {
  if (packet.image.setting(SETTING_VS_NAT_ICMP_SEND) == 0) return false;
  if (packet.protocol == PROTO_TCP && (packet.tcpFlags & TCP_FLAG_RST) != 0) return false;
  return !startsWithAbort(packet) && isFromServer(packet);
}

function startsWithAbort(packet: Packet): bool {
  return packet.protocol == PROTO_SCTP && startsWith(packet, CHUNK_ABORT);
}

/** LOCAL_IN, FORWARD and LOCAL_OUT: an answer gets the virtual server for its source. False has decided. */
export function balanceReply(packet: Packet): bool {
  if (!isAsked(packet)) return true;
  if (isLedError(packet)) return returnError(packet);
  if (!hasPorts(packet)) return true;
  const session = findOut(packet);
  if (session == 0) return !isUnasked(packet) || packet.reject(DROP_PORT_UNREACHABLE);
  if (isMasqueraded(packet.state, session)) {
    if (packet.fault == FAULT_CUT) return packet.drop(DROP_TRUNCATED);
    virtualOf(packet, session);
    packet.ipvs |= IPVS_SRC;
  }
  if (TRACE) tellLed(packet, session, LED_ANSWER);
  follow(packet, session, DIRECTION_REPLY);
  settle(packet, session);
  return true;
}

/** Whether a packet that may begin a connection has one that is over, or whose server is to take nothing more. */
function isOver(packet: Packet, session: u32): bool {
  const image = packet.image;
  if (image.setting(SETTING_VS_EXPIRE_NODEST_CONN) != 0 && weightOf(packet, session) == 0) return true;
  const mode = image.setting(SETTING_VS_CONN_REUSE_MODE);
  return mode != 0 && isReusable(packet, session, mode);
}

/**
 * Ends a connection that another is to follow. Where conntrack has it from before, that goes too, and the packet with
 * it: sent again, it begins anew. False has decided.
 */
function end(packet: Packet, session: u32): bool {
  const isTracked = packet.flow != 0;
  if (!isTracked) forsakeConntrack(packet.state, session);
  expireNow(packet.state, session);
  return !isTracked || packet.drop(DROP_RESCHEDULED);
}

/** Not enough of the transport header is there to tell: ip_vs_in drops such a packet, whatever it is for. */
function isCut(packet: Packet): bool {
  if (packet.fault == FAULT_CUT) return true;
  return packet.protocol == PROTO_SCTP && packet.segment < HEADER_LEN + CHUNK_LEN;
}

/** The packet's live IPVS connection, 0 for none; a verdict where there is one that it cannot have. */
function findLed(packet: Packet): u32 {
  const session = findIn(packet);
  if (session == 0) return 0;
  if (beginsAnew(packet) && isOver(packet, session)) {
    end(packet, session);
    return 0;
  }
  if (isAvailable(packet, session)) return session;
  if (packet.image.setting(SETTING_VS_EXPIRE_NODEST_CONN) != 0) end(packet, session);
  else packet.drop(DROP_NO_SERVER);
  return 0;
}

/** The IPVS connection that a packet begins; 0 for none, perhaps with a verdict. */
function beginSession(packet: Packet): u32 {
  if (isCut(packet)) {
    packet.drop(DROP_TRUNCATED);
    return 0;
  }
  const session = maySchedule(packet) ? schedule(packet, false) : 0;
  if (TRACE && session != 0 && !isMasqueraded(packet.state, session)) tellLed(packet, session, LED_NEW);
  return session;
}

/** The IPVS connection of a packet of a protocol with ports, found or begun; 0 for none, perhaps with a verdict. */
export function takeSession(packet: Packet): u32 {
  const session = hasPorts(packet) ? findLed(packet) : 0;
  if (session == 0) return packet.isUndecided ? beginSession(packet) : 0;
  if (TRACE) tellLed(packet, session, LED_KNOWN);
  return session;
}

/** LOCAL_IN and LOCAL_OUT: a request goes to its server, chosen now or before; WAY_. */
export function balance(packet: Packet): u32 {
  if (!isAsked(packet) || (packet.hook != HOOK_OUTPUT && packet.isForMany)) return WAY_ON;
  if (isLedError(packet)) return leadError(packet);
  if (!isBalanced(packet)) return WAY_ON;
  const session = takeSession(packet);
  if (session == 0) return packet.isUndecided ? WAY_ON : WAY_OVER;
  follow(packet, session, DIRECTION_ORIGINAL);
  return transmit(packet, session, false);
}

/** A packet of an IPVS connection that there is gets what that has for it, where there is neither route nor rule. */
export function leadKnown(packet: Packet): void {
  if (!hasPorts(packet)) return;
  const answered = findOut(packet);
  const session = answered != 0 ? answered : findIn(packet);
  if (session == 0 || !isMasqueraded(packet.state, session)) return;
  if (answered != 0) virtualOf(packet, session);
  else serverOf(packet, session);
  packet.ipvs |= answered != 0 ? IPVS_SRC : IPVS_DST;
  packet.session = session;
  follow(packet, session, answered != 0 ? DIRECTION_REPLY : DIRECTION_ORIGINAL);
}
