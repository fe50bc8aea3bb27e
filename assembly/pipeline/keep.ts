import { CTSTATE_ESTABLISHED } from "../abi/entry";
import { VERDICT_FORWARD } from "../abi/verdict";
import { isForegone } from "../express/kinds";
import { agree } from "../express/led";
import { Packet } from "../packet";
import { Connection, FLOW_FLAG_IPVS } from "../table/flow/layout";
import { connectionAt } from "../table/flow/lookup";
import { keepWalk } from "../table/flow/walks";
import { ipvsOf } from "../table/ipvs/layout";

/** Rules only let the packet pass, whatever else it may be than one of its connection. */
function isCommon(packet: Packet): bool {
  if (packet.isAlone != 0 || packet.translated != 0 || packet.masquerade != 0) return false;
  return (packet.ctstate & CTSTATE_ESTABLISHED) != 0 && packet.flow != 0 && packet.family != 6;
}

/** IPVS led the packet where conntrack says. */
function isLedSo(packet: Packet, connection: Connection): bool {
  const session = packet.session;
  return session != 0 && agree(connection, connectionAt(ipvsOf(packet.state), session));
}

/**
 * A packet came in and went the long way: where others of its ctstate do not walk the same rules for sure, others of its
 * connection do, and may go the express way by that (express/walked.ts, whose `scratch` is asked).
 */
export function keep(packet: Packet, scratch: usize): void {
  if (packet.verdict != VERDICT_FORWARD || !isCommon(packet)) return;
  const connection = connectionAt(packet.state, packet.flow >> 1);
  const flags = connection.flags;
  if (isForegone(scratch, flags, packet.flow & 1)) return;
  const isLed = (flags & FLOW_FLAG_IPVS) != 0;
  if (isLed && !isLedSo(packet, connection)) return;
  keepWalk(packet.state, packet.flow, packet.image.sequence, packet.in, isLed, packet.walked);
}
