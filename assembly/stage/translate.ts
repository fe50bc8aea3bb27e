import { CTSTATE_DNAT, CTSTATE_SNAT } from "../abi/entry";
import { EVENT_TRANSLATE } from "../abi/trace";
import { PROTO_SCTP, PROTO_UDP } from "../abi/wire";
import { load16, load32, store16, store32 } from "../bytes";
import { IPVS_DST, IPVS_SRC, Packet } from "../packet";
import { connectionAt } from "../table/flow/lookup";
import { recordEnds } from "../trace";
import { isTurned, translateError } from "../track/error";
import { protocolHasPorts } from "../track/tuple";
import { fold, sumWords, wordsOf, wordsOf6 } from "../wire/checksum";
import { Icmp } from "../wire/icmp";
import { pseudoSum } from "../wire/ip";
import { Ip4 } from "../wire/ip4";
import { Ip6 } from "../wire/ip6";
import { Sctp } from "../wire/sctp";
import { patchTransport } from "../wire/transport";
import { Udp } from "../wire/udp";

const PORTS_LEN: u32 = 4;

/** The sum of the words that the addresses in the frame have, and of those that they get. */
function oldEnds(packet: Packet): u32 {
  if (packet.family == 6) return wordsOf6(Ip6.at(packet.ip).src) + wordsOf6(Ip6.at(packet.ip).dst);
  return wordsOf(Ip4.at(packet.ip).src) + wordsOf(Ip4.at(packet.ip).dst);
}

function newEnds(packet: Packet): u32 {
  if (packet.family == 6) return wordsOf6(packet.src6) + wordsOf6(packet.dst6);
  return wordsOf(packet.src) + wordsOf(packet.dst);
}

/** The ports that stand in the frame: conntrack may have looked at others last. */
function oldPorts(packet: Packet): u32 {
  return protocolHasPorts(packet.protocol) && packet.segment >= PORTS_LEN ? load32(packet.transport) : 0;
}

function isSame(packet: Packet, ports: u32): bool {
  if (packet.ports != ports || packet.query != packet.frameQuery) return false;
  if (packet.family != 6) {
    const ip = Ip4.at(packet.ip);
    return packet.src == ip.src && packet.dst == ip.dst;
  }
  const ip = Ip6.at(packet.ip);
  return !v128.any_true(v128.or(v128.xor(packet.src6, ip.src), v128.xor(packet.dst6, ip.dst)));
}

/** Writes the packet's addresses; IPv4's have a checksum of their own. */
function writeEnds(packet: Packet, removed: u32, added: u32): void {
  if (packet.family == 6) {
    const ip = Ip6.at(packet.ip);
    ip.src = packet.src6;
    ip.dst = packet.dst6;
    return;
  }
  const ip = Ip4.at(packet.ip);
  ip.src = packet.src;
  ip.dst = packet.dst;
  ip.patch(removed, added);
}

/** IPVS leaves SCTP's checksum where it leaves the ports; so nothing is to be done if conntrack rewrites nothing (sctp_dnat_handler). */
function keepsSeal(packet: Packet, ports: u32): bool {
  if (packet.ports != ports || !isBalanced(packet)) return false;
  if (packet.flow == 0) return true;
  return (connectionAt(packet.state, packet.flow >> 1).flags & (CTSTATE_DNAT | CTSTATE_SNAT)) == 0;
}

function isBalanced(packet: Packet): bool {
  return (packet.ipvs & (IPVS_DST | IPVS_SRC)) != 0;
}

/**
 * Writes the packet's addresses and ports into the frame, with its checksums: sums are patched (RFC 1624), SCTP's CRC is
 * computed anew, as Linux does whatever it was (sctp_manip_pkt).
 */
export function translate(packet: Packet): void {
  const quotes = isTurned(packet);
  const ports = oldPorts(packet);
  if (isSame(packet, ports) && !quotes) return;
  if (TRACE) tell(packet, ports);
  const removed = oldEnds(packet) + wordsOf(ports);
  const added = newEnds(packet);
  writeEnds(packet, removed - wordsOf(ports), added);
  patchTransport(packet.transport, packet.protocol, removed, added + wordsOf(packet.ports));
  if (packet.ports != ports) store32(packet.transport, packet.ports);
  if (packet.protocol == PROTO_UDP && isBalanced(packet)) sealDatagram(packet);
  if (packet.query != packet.frameQuery) Icmp.at(packet.transport).id = packet.query >> 16;
  if (packet.protocol == PROTO_SCTP && !keepsSeal(packet, ports))
    Sctp.at(packet.transport).seal(packet.segment);
  if (quotes) translateError(packet);
}

/** IPVS gives a datagram that has no checksum one (udp_dnat_handler, udp_snat_handler). */
function sealDatagram(packet: Packet): void {
  const at = Udp.at(packet.transport).checksumAt;
  if (load16(at) != 0) return;
  const sum = ~fold(
    pseudoSum(packet.ip, PROTO_UDP, packet.segment) + sumWords(packet.transport, packet.segment),
  );
  store16(at, (sum & 0xffff) == 0 ? 0xffff : sum);
}

function tell(packet: Packet, ports: u32): void {
  recordEnds(
    packet,
    EVENT_TRANSLATE,
    packet.src,
    packet.dst,
    packet.ports,
    ports,
    0,
    packet.src6,
    packet.dst6,
  );
}
