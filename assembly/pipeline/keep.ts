import { CTSTATE_ESTABLISHED } from "../abi/entry";
import { VERDICT_FORWARD } from "../abi/verdict";
import { isForegone } from "../express/kinds";
import { agree } from "../express/led";
import { Packet } from "../packet";
import { Connection, FLOW_FLAG_IPVS } from "../table/flow/layout";
import { connectionAt } from "../table/flow/lookup";
import { keepSession, keepWay, wayOf } from "../table/flow/walks";
import { ipvsOf } from "../table/ipvs/layout";

/** What is known of a packet that went the long way, for those of its connection that come behind it (express/walked.ts, express/led.ts). */

/** Notes what led a packet, if anything, where that is as conntrack has it; false where it is not. */
export function keepLed(packet: Packet, connection: Connection): bool {
  if ((connection.flags & FLOW_FLAG_IPVS) == 0) return true;
  const session = packet.session;
  if (session == 0 || !agree(connection, connectionAt(ipvsOf(packet.state), session))) return false;
  keepSession(packet.state, packet.flow >> 1, session);
  return true;
}

/** Rules only let it pass, and asked nothing that is its own alone. */
function isLikeOthers(packet: Packet): bool {
  return packet.isAlone == 0 && packet.translated == 0 && packet.masquerade == 0;
}

/** The packet came in by an interface; `scratch` is the express way's, whose kinds are asked. */
export function keep(packet: Packet, scratch: usize): void {
  const isOfOne = (packet.ctstate & CTSTATE_ESTABLISHED) != 0 && packet.flow != 0 && packet.family != 6;
  if (!isOfOne || packet.verdict != VERDICT_FORWARD) return;
  const connection = connectionAt(packet.state, packet.flow >> 1);
  if (!keepLed(packet, connection) || isForegone(scratch, connection.flags, packet.flow & 1)) return;
  const way = wayOf(packet.in, packet.walked);
  if (way != 0 && isLikeOthers(packet)) keepWay(packet.state, packet.flow, packet.image.sequence, way);
}
