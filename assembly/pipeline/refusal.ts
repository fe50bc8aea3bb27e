import {
  CTSTATE_DNAT,
  CTSTATE_ESTABLISHED,
  CTSTATE_NEW,
  CTSTATE_RELATED,
  CTSTATE_SNAT,
  NEXT_HOP_KIND_LOCAL,
} from "../abi/entry";
import {
  DROP_NO_NEIGHBOUR,
  DROP_NO_ROUTE,
  REFUSED_AGED,
  REFUSED_DST,
  REFUSED_LED,
  REFUSED_LOCAL,
  REFUSED_OVERHEAD_SHIFT,
  REFUSED_SRC,
  REFUSED_TRACKED,
} from "../abi/verdict";
import { tunnelOverhead } from "../director/wrap";
import { IPVS_DST, IPVS_TUNNEL, Packet } from "../packet";
import { connectionAt } from "../table/flow/lookup";
import { errorHasDst, errorHasSrc } from "../track/error";
import { natOf } from "../track/tuple";

/** Whether it was on its way to the node itself; what IPVS took is until it has left. */
function isToNode(packet: Packet): bool {
  if (packet.reason == DROP_NO_ROUTE || packet.reason == DROP_NO_NEIGHBOUR) return false;
  return packet.hopKind == NEXT_HOP_KIND_LOCAL || packet.isScheduled;
}

/** Which ends its connection gives it, or would have given it. */
function translatedEnds(packet: Packet): u32 {
  const nat = natOf(packet);
  let hasDst: bool = (nat & CTSTATE_DNAT) != 0;
  let hasSrc: bool = (nat & CTSTATE_SNAT) != 0;
  if (packet.flow != 0) {
    const connection = connectionAt(packet.state, packet.flow >> 1);
    // Of an error about it, which goes the other way, they are the other ends.
    const back = (packet.flow & 1) ^ 1;
    hasDst = errorHasSrc(connection, back);
    hasSrc = errorHasDst(connection, back);
  }
  return (hasDst ? REFUSED_DST : 0) | (hasSrc ? REFUSED_SRC : 0);
}

/** What IPVS was to put before it. */
function overheadOf(packet: Packet): u32 {
  if ((packet.ipvs & IPVS_TUNNEL) == 0) return 0;
  return tunnelOverhead(packet, packet.session) << REFUSED_OVERHEAD_SHIFT;
}

/** REFUSED_ bits of a packet that was dropped or refused. */
export function refusalOf(packet: Packet): u32 {
  const aged = (packet.aged != 0 ? REFUSED_AGED : 0) | overheadOf(packet);
  const local = isToNode(packet) ? REFUSED_LOCAL : 0;
  const led = (packet.ipvs & IPVS_DST) != 0 ? REFUSED_LED : 0;
  if ((packet.ctstate & (CTSTATE_NEW | CTSTATE_ESTABLISHED | CTSTATE_RELATED)) == 0)
    return aged | local | led;
  return aged | local | led | REFUSED_TRACKED | translatedEnds(packet);
}
