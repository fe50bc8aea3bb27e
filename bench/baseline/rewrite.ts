import * as wire from "../../assembly/abi/wire.js";
import { hashTuple } from "./flow.js";
import type { Packet } from "./packet.js";
import { fold, patch, sumWords, wordsOf } from "./wire.js";

/** The first of a tunnel's outer source ports, and how many there are: VXLAN's, and Geneve's. */
export type PortRange = readonly [first: number, count: number];
export const VXLAN_PORTS: PortRange = [32768, 60999 - 32768 + 1];
export const GENEVE_PORTS: PortRange = [1, 65534];

/** Writes the packet's addresses and ports into the frame with both checksums patched (RFC 1624). */
export function translate(view: DataView, packet: Packet): void {
  const { src, dst, ports, frameSrc, frameDst, framePorts, ip, transport } = packet;
  if (src === frameSrc && dst === frameDst && ports === framePorts) return;
  const removed = wordsOf(frameSrc) + wordsOf(frameDst);
  const added = wordsOf(src) + wordsOf(dst);
  view.setInt32(ip + wire.IP4_SRC, src);
  view.setInt32(ip + wire.IP4_DST, dst);
  patch(view, ip + wire.IP4_CHECKSUM, removed, added);
  const isTcp = packet.protocol === wire.PROTO_TCP;
  const checksum = transport + (isTcp ? wire.TCP_CHECKSUM : wire.UDP_CHECKSUM);
  if (isTcp || view.getUint16(checksum) !== 0)
    patch(view, checksum, removed + wordsOf(framePorts), added + wordsOf(ports));
  if (ports !== framePorts) view.setInt32(transport, ports);
}

/** TTL - 1, and its checksum. */
export function decrementTtl(view: DataView, packet: Packet): void {
  const at = packet.ip + wire.IP4_TTL;
  view.setUint8(at, view.getUint8(at) - 1);
  patch(view, packet.ip + wire.IP4_CHECKSUM, 0x100, 0);
}

/** Fills in the outer headers that were copied before the packet's frame. */
export function finishOuter(
  view: DataView,
  packet: Packet,
  outerSum: number,
  id: number,
  [first, count]: PortRange,
  isSummed: boolean,
): void {
  const hash = hashTuple(packet.src, packet.dst, packet.ports, packet.protocol) >>> 0;
  const port = first + Math.floor((hash * count) / 2 ** 32);
  const ip = packet.frame + wire.ETH_LEN;
  const length = packet.length - wire.ETH_LEN;
  const tos = view.getUint8(packet.ip + wire.IP4_TOS) & 3;
  view.setUint8(ip + wire.IP4_TOS, tos);
  view.setUint16(ip + wire.IP4_TOTAL_LENGTH, length);
  view.setUint16(ip + wire.IP4_ID, id);
  view.setUint16(ip + wire.IP4_CHECKSUM, ~fold(outerSum + tos + length + id) & 0xffff);
  finishUdp(view, ip, port, length - wire.IP4_LEN, isSummed);
}

function finishUdp(view: DataView, ip: number, port: number, length: number, isSummed: boolean): void {
  const udp = ip + wire.IP4_LEN;
  view.setUint16(udp + wire.UDP_SRC, port);
  view.setUint16(udp + wire.UDP_LENGTH, length);
  if (!isSummed) return;
  const pseudo = sumWords(view, ip + wire.IP4_SRC, 8) + wire.PROTO_UDP + length;
  const checksum = ~fold(pseudo + sumWords(view, udp, length)) & 0xffff;
  view.setUint16(udp + wire.UDP_CHECKSUM, checksum === 0 ? 0xffff : checksum);
}
