import { TCP_ESTABLISHED } from "../abi/connection";
import { PROTO_GRE, PROTO_ICMP, PROTO_ICMP6, PROTO_SCTP, PROTO_TCP, PROTO_UDP } from "../abi/wire";
import { Packet } from "../packet";
import {
  Connection,
  DIRECTION_ORIGINAL,
  DIRECTION_REPLY,
  FLOW_FLAG_ASSURED,
  FLOW_STATE_ESTABLISHED,
  FLOW_STATE_NEW,
  FLOW_STATE_REPLIED,
  PROGRESS_STATE,
} from "../table/flow/layout";
import { advanceGeneric, advanceGre } from "./generic";
import { advanceIcmp, icmpBegins, isIcmp } from "./icmp";
import { OUTCOME_ACCEPTED } from "./outcome";
import { advanceSctp, beginSctp, isSctpSound, sctpBegins } from "./sctp";
import { advanceTcp, beginTcp, isTcpSound, tcpBegins } from "./tcp";
import { advanceUdp, beginUdp } from "./udp";
import { hasWindows } from "./window-record";

/** What each protocol says of packets and connections. */

function isAnyIcmp(packet: Packet): bool {
  return packet.protocol == PROTO_ICMP || packet.protocol == PROTO_ICMP6;
}

/** Whether a packet can be of any connection: its header is not absurd. Its checksum is another question. */
export function isSound(packet: Packet): bool {
  if (packet.protocol == PROTO_TCP) return isTcpSound(packet);
  if (packet.protocol == PROTO_SCTP) return isSctpSound(packet);
  return !isAnyIcmp(packet) || isIcmp(packet);
}

/** Whether a sound packet of no connection may begin one. */
export function begins(packet: Packet): bool {
  if (packet.protocol == PROTO_TCP) return tcpBegins(packet);
  if (packet.protocol == PROTO_SCTP) return sctpBegins(packet);
  return !isAnyIcmp(packet) || icmpBegins(packet);
}

function move(packet: Packet, connection: Connection, direction: u32, isFirst: bool): u32 {
  const protocol = packet.protocol;
  if (protocol == PROTO_TCP) return advanceTcp(packet, connection, direction);
  if (protocol == PROTO_SCTP) return advanceSctp(packet, connection, direction, isFirst);
  if (protocol == PROTO_UDP) advanceUdp(packet.image, connection, packet.state.now);
  else if (isAnyIcmp(packet)) advanceIcmp(packet, connection);
  else if (protocol == PROTO_GRE) advanceGre(packet, connection);
  else advanceGeneric(packet, connection);
  return OUTCOME_ACCEPTED;
}

/** Whether segments and datagrams without a flag of note move nothing but a connection's timer from now on. */
function isSteady(packet: Packet, connection: Connection): bool {
  if (packet.protocol == PROTO_UDP) return true;
  if (packet.protocol != PROTO_TCP || hasWindows(packet)) return false;
  const established = (connection.progress & PROGRESS_STATE) == TCP_ESTABLISHED;
  return established && (connection.flags & FLOW_FLAG_ASSURED) != 0;
}

/** Moves a connection on by a sound packet that has its tuple; OUTCOME_. */
export function advance(packet: Packet, connection: Connection, direction: u32): u32 {
  const outcome = move(packet, connection, direction, false);
  if (outcome != OUTCOME_ACCEPTED) return outcome;
  if (connection.state != FLOW_STATE_NEW || direction == DIRECTION_REPLY)
    connection.state = isSteady(packet, connection) ? FLOW_STATE_ESTABLISHED : FLOW_STATE_REPLIED;
  return outcome;
}

/** Begins a committed connection with its first packet. */
export function begin(packet: Packet, connection: Connection): void {
  if (packet.protocol == PROTO_TCP) beginTcp(packet);
  else if (packet.protocol == PROTO_UDP) beginUdp(connection, packet.state.now);
  else if (packet.protocol == PROTO_SCTP) beginSctp(packet, connection);
  move(packet, connection, DIRECTION_ORIGINAL, true);
}
