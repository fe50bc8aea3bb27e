import { CTSTATE_RELATED } from "../abi/entry";
import { EVENT_TRANSLATE } from "../abi/trace";
import { PROTO_SCTP, PROTO_UDP } from "../abi/wire";
import { load16, store16, store32 } from "../bytes";
import { Packet } from "../packet";
import { recordEnds } from "../trace";
import { translateError } from "../track/error";
import { fold, sumWords, wordsOf, wordsOf6 } from "../wire/checksum";
import { Icmp } from "../wire/icmp";
import { pseudoSum } from "../wire/ip";
import { Ip4 } from "../wire/ip4";
import { Ip6 } from "../wire/ip6";
import { Sctp } from "../wire/sctp";
import { patchTransport } from "../wire/transport";
import { Udp } from "../wire/udp";

/** The sum of the words that the addresses in the frame have, and of those that they get. */
function oldEnds(packet: Packet): u32 {
  if (packet.family == 6) return wordsOf6(packet.frameSrc6) + wordsOf6(packet.frameDst6);
  return wordsOf(packet.frameSrc) + wordsOf(packet.frameDst);
}

function newEnds(packet: Packet): u32 {
  if (packet.family == 6) return wordsOf6(packet.src6) + wordsOf6(packet.dst6);
  return wordsOf(packet.src) + wordsOf(packet.dst);
}

function isSame(packet: Packet): bool {
  if (packet.src != packet.frameSrc || packet.dst != packet.frameDst) return false;
  if (packet.ports != packet.framePorts || packet.query != packet.frameQuery) return false;
  const src = v128.xor(packet.srcHigh, packet.frameSrcHigh);
  return !v128.any_true(v128.or(src, v128.xor(packet.dstHigh, packet.frameDstHigh)));
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

/**
 * Writes the packet's addresses and ports into the frame, with its checksums: sums are patched (RFC 1624), SCTP's CRC is
 * computed anew, as Linux does whatever it was (sctp_manip_pkt).
 */
export function translate(packet: Packet): void {
  const related = (packet.ctstate & CTSTATE_RELATED) != 0;
  if (isSame(packet) && !related) return;
  if (TRACE) tell(packet);
  const removed = oldEnds(packet);
  const added = newEnds(packet);
  writeEnds(packet, removed, added);
  const oldPorts = wordsOf(packet.framePorts);
  patchTransport(packet.transport, packet.protocol, removed + oldPorts, added + wordsOf(packet.ports));
  if (packet.ports != packet.framePorts) store32(packet.transport, packet.ports);
  if (packet.flowFlags != 0 && packet.protocol == PROTO_UDP) sealDatagram(packet);
  if (packet.query != packet.frameQuery) Icmp.at(packet.transport).id = packet.query >> 16;
  if (packet.protocol == PROTO_SCTP) Sctp.at(packet.transport).seal(packet.segment);
  if (related && packet.flow != 0) translateError(packet);
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

function tell(packet: Packet): void {
  recordEnds(
    packet,
    EVENT_TRANSLATE,
    packet.src,
    packet.dst,
    packet.ports,
    packet.framePorts,
    0,
    packet.src6,
    packet.dst6,
  );
}
