import { PROTO_UDP } from "../abi/wire";
import { Packet } from "../packet";
import { draw } from "../random";
import { flowClose } from "../table/flow/build";
import { connectionAt } from "../table/flow/lookup";
import { TUNNEL_NONE } from "../table/tunnel/layout";
import { tunnelKind } from "../table/tunnel/lookup";
import { isIcmp } from "./icmp";
import { findReply, protocolHasPorts } from "./tuple";

/** Tries of the kernel: this many from one random start, then half from another, down to the fewest (nf_nat_core.c). */
const TRIES: u32 = 128;
const TRIES_MIN: u32 = 8;

/** The port, or the identifier of an ICMP query, by which replies find back. */
function portOf(packet: Packet): u32 {
  return isIcmp(packet) ? packet.query >> 16 : packet.srcPort;
}

function setPort(packet: Packet, port: u32): void {
  if (isIcmp(packet)) packet.query = (packet.query & 0xffff) | (port << 16);
  else packet.ports = (packet.ports & 0xffff) | (port << 16);
}

/**
 * Whether no live connection has the reply tuple that the packet, as it is to leave, would give. A tunnel's own port is
 * never given to masqueraded UDP: replies to it would be decapsulated before the connection table is asked.
 */
function isFree(packet: Packet): bool {
  const state = packet.state;
  if (packet.masquerade != 0 && packet.protocol == PROTO_UDP && packet.family != 6) {
    if (tunnelKind(packet.image, packet.srcPort) != TUNNEL_NONE) return false;
  }
  const flow = findReply(packet);
  if (flow == 0) return true;
  if (connectionAt(state, flow >> 1).expires > state.now) return false;
  flowClose(state, flow >> 1);
  return true;
}

/** The first port that is tried: of those that a rule allows, or of the old one's class; an identifier may be any. */
function firstOf(packet: Packet): u32 {
  if (packet.sourcePorts != 0) return packet.sourcePorts & 0xffff;
  if (isIcmp(packet)) return 0;
  const port = packet.srcPort;
  return port < 512 ? 1 : port < 1024 ? 600 : 1024;
}

function lastOf(packet: Packet): u32 {
  if (packet.sourcePorts != 0) return packet.sourcePorts >> 16;
  if (isIcmp(packet)) return 65535;
  const port = packet.srcPort;
  return port < 512 ? 511 : port < 1024 ? 1023 : 65535;
}

/** Looks for a port of a range whose reply tuple is unique. Where all are looked at, once is enough. */
function search(packet: Packet, first: u32, size: u32): bool {
  let tries = min<u32>(size, TRIES);
  while (true) {
    const start = draw(packet.state) >> 16;
    for (let i: u32 = 0; i < tries; i++) {
      setPort(packet, first + (((start + i) & 0xffff) % size));
      if (isFree(packet)) return true;
    }
    if (tries >= size || tries < 2 * TRIES_MIN) return false;
    tries >>= 1;
  }
}

/**
 * Gives the packet a source port that makes its reply tuple unique; false when the kernel would give up, and drop the
 * packet when it finds another with that tuple (get_unique_tuple, __nf_conntrack_confirm).
 */
export function choosePort(packet: Packet): bool {
  if (!protocolHasPorts(packet.protocol) && !isIcmp(packet)) return isFree(packet);
  const first = firstOf(packet);
  const size = lastOf(packet) - first + 1;
  const isAllowed = packet.sourcePorts == 0 || portOf(packet) - first < size;
  if (packet.masquerade != 2 && isAllowed && isFree(packet)) return true;
  return search(packet, first, size);
}
