import {
  CTSTATE_ESTABLISHED,
  CTSTATE_NEW,
  CTSTATE_RELATED,
  HOOK_FORWARD,
  HOOK_OUTPUT,
  NEXT_HOP_KIND_LOCAL,
} from "../abi/entry";
import { INTERFACE_NODE } from "../abi/packet";
import {
  DROP_FRAGMENTATION_NEEDED,
  DROP_NO_NEIGHBOUR,
  DROP_NO_ROUTE,
  REFUSED_AGED,
  REFUSED_DST,
  REFUSED_LOCAL,
  REFUSED_SRC,
  REFUSED_TRACKED,
  VERDICT_REJECT,
} from "../abi/verdict";
import { Packet } from "../packet";
import { isScheduled, isSwitched } from "../stage/leave";
import { connectionAt } from "../table/flow/lookup";
import { errorHasDst, errorHasSrc } from "../track/error";
import { dstStays, srcStays } from "../track/tuple";

/** Whether a router had taken one off the TTL: before FORWARD's rules, and before IPVS looks at the way's MTU. */
function isAged(packet: Packet): bool {
  const cameIn = packet.in != INTERFACE_NODE;
  if (packet.verdict == VERDICT_REJECT) {
    if (packet.hook == HOOK_OUTPUT) return cameIn;
    return packet.hook == HOOK_FORWARD && !isSwitched(packet);
  }
  if (packet.reason == DROP_NO_NEIGHBOUR) return isScheduled(packet) || (cameIn && !isSwitched(packet));
  return packet.reason == DROP_FRAGMENTATION_NEEDED && isScheduled(packet);
}

/** Whether it was on its way to the node itself; what IPVS took is until it has left. */
function isToNode(packet: Packet): bool {
  if (packet.reason == DROP_NO_ROUTE || packet.reason == DROP_NO_NEIGHBOUR) return false;
  return packet.hopKind == NEXT_HOP_KIND_LOCAL || isScheduled(packet);
}

/** Which ends its connection gives it, or would have given it. */
function translatedEnds(packet: Packet): u32 {
  let hasDst: bool = !dstStays(packet);
  let hasSrc: bool = !srcStays(packet);
  if (packet.flow != 0) {
    const connection = connectionAt(packet.state, packet.flow >> 1);
    // Of an error about it, which goes the other way, they are the other ends.
    const back = (packet.flow & 1) ^ 1;
    hasDst = errorHasSrc(connection, back);
    hasSrc = errorHasDst(connection, back);
  }
  return (hasDst ? REFUSED_DST : 0) | (hasSrc ? REFUSED_SRC : 0);
}

/** REFUSED_ bits of a packet that was dropped or refused. */
export function refusalOf(packet: Packet): u32 {
  const aged = isAged(packet) ? REFUSED_AGED : 0;
  const local = isToNode(packet) ? REFUSED_LOCAL : 0;
  if ((packet.ctstate & (CTSTATE_NEW | CTSTATE_ESTABLISHED | CTSTATE_RELATED)) == 0) return aged | local;
  return aged | local | REFUSED_TRACKED | translatedEnds(packet);
}
