import { SESSION_FLAG_TEMPLATE } from "../abi/session";
import { SETTING_VS_EXPIRE_QUIESCENT_TEMPLATE } from "../abi/setting";
import { Packet } from "../packet";
import { State } from "../state";
import { connectionAt } from "../table/flow/lookup";
import { ipvsOf } from "../table/ipvs/layout";
import { template6In, templateIn } from "../table/ipvs/lookup";
import { destinationAt } from "../table/ring/destinations";
import { RING_MARK, RING_NETMASK, RING_PERSISTENCE, RING_PORT } from "../table/ring/layout";
import { hasDestination, numberOf } from "./destination";
import { dismiss, openFor } from "./open";

/** Templates: where a client's next connections to a persistent virtual server go (ip_vs_sched_persist). */

export const PORT_FTP: u32 = 21;
const FIRST: u8 = 0;
const LAST: u8 = 3;

/** The first `length` bits of an address's four words. */
function prefixOf(address: v128, length: u32): v128 {
  let word = i32x4.splat(0);
  word = v128.replace_lane<u32>(word, 0, maskOf(length, 0));
  word = v128.replace_lane<u32>(word, 1, maskOf(length, 32));
  word = v128.replace_lane<u32>(word, 2, maskOf(length, 64));
  word = v128.replace_lane<u32>(word, 3, maskOf(length, 96));
  return v128.and(address, word);
}

/** Those of a prefix's bits that are in the word that begins at a bit. */
function maskOf(length: u32, from: u32): u32 {
  if (length <= from) return 0;
  return length >= from + 32 ? u32.MAX_VALUE : ~(u32.MAX_VALUE >> (length - from));
}

/** Which clients are one with the packet's, as an address. */
function clientOf(packet: Packet, ring: usize): v128 {
  const netmask = load<u32>(ring, RING_NETMASK);
  if (packet.family == 6) return prefixOf(packet.src6, netmask);
  return v128.replace_lane<u32>(i32x4.splat(0), LAST, packet.src & netmask);
}

/** The virtual server's own port is called, and not FTP's. */
export function isToOwnPort(packet: Packet, ring: usize): bool {
  const port = load<u32>(ring, RING_PORT);
  return packet.dstPort == port && port != PORT_FTP;
}

/** It is kept for all ports that have a mark. */
function isOfMark(packet: Packet, ring: usize): bool {
  return load<u32>(ring, RING_MARK) != 0 && packet.dstPort != load<u32>(ring, RING_PORT);
}

/** A mark stands where an IPv4 address would (union nf_inet_addr): in the first word of an IPv6 one. */
function virtualOf(packet: Packet, ring: usize): v128 {
  if (!isOfMark(packet, ring)) return packet.dst6;
  const mark = load<u32>(ring, RING_MARK);
  if (packet.family == 6) return v128.replace_lane<u32>(i32x4.splat(0), FIRST, mark);
  return v128.replace_lane<u32>(i32x4.splat(0), LAST, mark);
}

function protocolOf(packet: Packet, ring: usize): u32 {
  return isOfMark(packet, ring) ? 0 : packet.protocol;
}

/** Whether a template's destination takes connections; else it is renamed. */
function check(packet: Packet, ipvs: State, template: u32): bool {
  const image = packet.image;
  const connection = connectionAt(ipvs, template);
  if (hasDestination(image, ipvs, connection)) {
    const weight = destinationAt(image, numberOf(image, ipvs, connection)).weight;
    if (weight != 0 || image.setting(SETTING_VS_EXPIRE_QUIESCENT_TEMPLATE) == 0) return true;
  }
  dismiss(ipvs, template);
  return false;
}

/** The template for the packet, if its destination takes connections; else 0. */
export function findTemplate(packet: Packet, ring: usize): u32 {
  const ipvs = ipvsOf(packet.state);
  const client = clientOf(packet, ring);
  const virtual = virtualOf(packet, ring);
  const port = isToOwnPort(packet, ring) ? packet.dstPort : 0;
  const protocol = protocolOf(packet, ring);
  const template =
    packet.family == 6
      ? template6In(ipvs, client, virtual, port, protocol)
      : templateIn(
          ipvs,
          v128.extract_lane<u32>(client, LAST),
          v128.extract_lane<u32>(virtual, LAST),
          port,
          protocol,
        );
  return template != 0 && check(packet, ipvs, template) ? template : 0;
}

/** Opens the template for the packet, of a destination; 0 where the table is full. */
export function openTemplate(packet: Packet, ring: usize, number: u32): u32 {
  const isOwn = isToOwnPort(packet, ring);
  return openFor(
    packet.image,
    ipvsOf(packet.state),
    packet.family == 6,
    protocolOf(packet, ring),
    clientOf(packet, ring),
    virtualOf(packet, ring),
    isOwn ? packet.dstPort : 0,
    number,
    isOwn ? destinationAt(packet.image, number).port : 0,
    SESSION_FLAG_TEMPLATE,
    <u64>load<u32>(ring, RING_PERSISTENCE) * 1000,
  );
}
