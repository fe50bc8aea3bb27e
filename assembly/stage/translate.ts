import { EVENT_TRANSLATE } from "../abi/trace";
import { PROTO_TCP, PROTO_UDP } from "../abi/wire";
import { load16, store16, store32 } from "../bytes";
import { Packet } from "../packet";
import { record } from "../trace";
import { patchChecksum, wordsOf } from "../wire/checksum";
import { Ip4 } from "../wire/ip4";
import { Tcp } from "../wire/tcp";
import { Udp } from "../wire/udp";

/** Patches the transport checksum; UDP's 0 means that there is none, and a sum of 0 is sent as all ones (RFC 768). */
function patchTransport(packet: Packet, removed: u32, added: u32): void {
  if (packet.protocol == PROTO_TCP) {
    const at = Tcp.at(packet.transport).checksumAt;
    store16(at, patchChecksum(load16(at), removed, added));
  } else if (packet.protocol == PROTO_UDP) {
    const at = Udp.at(packet.transport).checksumAt;
    const old = load16(at);
    if (old == 0) return;
    const patched = patchChecksum(old, removed, added);
    store16(at, patched == 0 ? 0xffff : patched);
  }
}

/** Writes the packet's addresses and ports into the frame, with both checksums patched (RFC 1624). */
export function translate(packet: Packet): void {
  const isSame =
    packet.src == packet.frameSrc && packet.dst == packet.frameDst && packet.ports == packet.framePorts;
  if (isSame) return;
  if (TRACE) record(packet, EVENT_TRANSLATE, packet.src, packet.dst, packet.ports, packet.framePorts, 0);
  const removed = wordsOf(packet.frameSrc) + wordsOf(packet.frameDst);
  const added = wordsOf(packet.src) + wordsOf(packet.dst);
  const ip = Ip4.at(packet.ip);
  ip.src = packet.src;
  ip.dst = packet.dst;
  ip.patch(removed, added);
  patchTransport(packet, removed + wordsOf(packet.framePorts), added + wordsOf(packet.ports));
  if (packet.ports != packet.framePorts) store32(packet.transport, packet.ports);
}
