import { findOut } from "../ipvs/session";
import { Packet } from "../packet";
import { FLOW_FLAG_IPVS } from "../table/flow/layout";
import { connectionAt, flowFind } from "../table/flow/lookup";
import { ipvsOf } from "../table/ipvs/layout";
import { hasServices } from "./services";

/**
 * Which of conntrack's connections have packets that IPVS may have a say about: the express way leaves them alone. Beside
 * those of its own connections they are any whose packets look like a server's answers. IPv6 never goes that way.
 */

function claim(packet: Packet, flow: u32): void {
  if (flow != 0) connectionAt(packet.state, flow >> 1).flags |= FLOW_FLAG_IPVS;
}

/** IPVS has led the packet. */
export function claimOwn(packet: Packet): void {
  claim(packet, packet.flow);
}

/** The session that an answer to the packet would be of, as it passes the node. */
function findAnswered(packet: Packet): u32 {
  const src = packet.src;
  const dst = packet.dst;
  const ports = packet.ports;
  packet.src = dst;
  packet.dst = packet.frameSrc;
  packet.ports = (ports << 16) | (packet.framePorts >> 16);
  const session = findOut(packet);
  packet.src = src;
  packet.dst = dst;
  packet.ports = ports;
  return session;
}

/** The packet's connection was opened: what answers it may be what an IPVS connection's server says. */
export function claimOpened(packet: Packet): void {
  if (packet.family == 6 || !hasServices(packet)) return;
  if (packet.session != 0 || findAnswered(packet) != 0) claim(packet, packet.flow);
}

/** An IPVS connection was begun: conntrack may know one, straight to the server, with the same answers. */
export function claimBegun(packet: Packet, session: u32): void {
  if (packet.family == 6) return;
  const state = packet.state;
  const begun = connectionAt(ipvsOf(state), session);
  const ports = begun.replyPorts;
  const back = rotl<u32>(ports, 16);
  const protocol = begun.protocol;
  const src = begun.replySrc;
  const dst = begun.replyDst;
  claim(packet, flowFind(state, src, dst, ports, protocol));
  claim(packet, flowFind(state, dst, src, back, protocol));
}
