import { CTSTATE_RELATED, HOOK_OUTPUT } from "../abi/entry";
import { IMAGE_FLAG_VERIFY } from "../abi/image";
import { INTERFACE_NODE } from "../abi/packet";
import { SETTING_VS_SCHEDULE_ICMP } from "../abi/setting";
import { DROP_BAD_CHECKSUM, DROP_TRUNCATED } from "../abi/verdict";
import { followError } from "../ipvs/follow";
import { findIn, findOut, isMasqueraded, virtualOf } from "../ipvs/session";
import { FAULT_CUT, IPVS_SRC, Packet } from "../packet";
import { DIRECTION_ORIGINAL, DIRECTION_REPLY } from "../table/flow/layout";
import { connectionAt } from "../table/flow/lookup";
import { errorHasDst } from "../track/error";
import { isIcmp, isTold } from "../track/icmp";
import { takeAnswering } from "../track/quote";
import { takeDst } from "../track/tuple";
import { isTransportIntact } from "../wire/transport";
import { schedule } from "./schedule";
import { settle, transmit, WAY_ON, WAY_OVER } from "./send";
import { hasServices } from "./services";

/**
 * ICMP errors about packets of IPVS' connections (ip_vs_out_icmp, ip_vs_in_icmp). What they quote is rewritten as they leave
 * (track/error.ts).
 */

/** An error of a kind that IPVS looks into; whatever has no whole header it takes for one. */
export function isLedError(packet: Packet): bool {
  return isIcmp(packet) && (packet.fault == FAULT_CUT || isTold(packet));
}

/** The descriptor gets the tuple that answers the quoted packet, as conntrack has turned that back by now. */
function take(packet: Packet): bool {
  const isRelated = packet.flow != 0 && (packet.ctstate & CTSTATE_RELATED) != 0;
  if (!takeAnswering(packet)) return false;
  if (!isRelated) return true;
  const connection = connectionAt(packet.state, packet.flow >> 1);
  const direction = packet.flow & 1;
  if (errorHasDst(connection, direction)) takeDst(packet, connection, direction ^ 1, false);
  return true;
}

/** The connection that the quoted packet belongs to, which it may have to begin: then there may be a verdict instead. */
function findAbout(packet: Packet, direction: u32): u32 {
  const src = packet.src6;
  const dst = packet.dst6;
  const protocol = packet.protocol;
  let session: u32 = 0;
  if (take(packet)) {
    session = direction == DIRECTION_REPLY ? findOut(packet) : findIn(packet);
    const isNews = session == 0 && direction == DIRECTION_ORIGINAL;
    if (isNews && packet.image.setting(SETTING_VS_SCHEDULE_ICMP) != 0) session = schedule(packet, true);
  }
  packet.src6 = src;
  packet.dst6 = dst;
  packet.protocol = protocol;
  packet.ports = 0;
  return session;
}

function isIntact(packet: Packet): bool {
  if ((packet.image.flags & IMAGE_FLAG_VERIFY) == 0 || packet.in == INTERFACE_NODE) return true;
  return isTransportIntact(packet.ip, packet.transport, packet.segment, packet.protocol);
}

/** An error from a server's side about what it was sent: it comes from the virtual server. False has decided. */
export function returnError(packet: Packet): bool {
  if (packet.fault == FAULT_CUT) return packet.drop(DROP_TRUNCATED);
  const session = findAbout(packet, DIRECTION_REPLY);
  if (session == 0) return true;
  if (isMasqueraded(packet.state, session)) {
    if (!isIntact(packet)) return packet.drop(DROP_BAD_CHECKSUM);
    virtualOf(packet, session);
    packet.ports = 0;
    packet.ipvs |= IPVS_SRC;
  }
  followError(packet, session, DIRECTION_REPLY);
  settle(packet, session);
  return true;
}

/** One from a client's side about what it was answered: it goes to the server; WAY_. */
export function leadError(packet: Packet): u32 {
  if (packet.fault == FAULT_CUT) {
    packet.drop(DROP_TRUNCATED);
    return WAY_OVER;
  }
  const session = findAbout(packet, DIRECTION_ORIGINAL);
  if (session == 0) return packet.isUndecided ? WAY_ON : WAY_OVER;
  // Of IPv6 IPVS does not ask (ip_vs_in_icmp_v6).
  if (packet.family != 6 && !isIntact(packet)) {
    packet.drop(DROP_BAD_CHECKSUM);
    return WAY_OVER;
  }
  // What the node itself sends to a server of IPv6 that is not NAT'ed is left alone, and not counted (ip_vs_in_icmp_v6).
  if (packet.family == 6 && packet.hook == HOOK_OUTPUT && !isMasqueraded(packet.state, session))
    return WAY_ON;
  followError(packet, session, DIRECTION_ORIGINAL);
  return transmit(packet, session, true);
}

/** FORWARD: what goes past the node may be about a packet to one of its virtual servers, too; WAY_. */
export function leadPassing(packet: Packet): u32 {
  return hasServices(packet) && isLedError(packet) ? leadError(packet) : WAY_ON;
}
