import { EXACT_SERVICES, EXACT_SERVICES6 } from "../abi/entry";
import { PROTO_TCP } from "../abi/wire";
import { halves } from "../bytes";
import { EXACT_DIRECTORY_AT } from "../image";
import { Packet } from "../packet";
import { exact6Find, exactFind } from "../table/exact/lookup";

/** IPVS' virtual servers: which of them a packet is for. */

const PORT_FTP: u32 = 21;
/** Active FTP's data connections go to here. */
const PORT_FTP_DATA: u32 = 20;
/** Below it, programs need a right to listen (ip_unprivileged_port_start). */
const PORT_UNPRIVILEGED: u32 = 1024;

/** The table of virtual servers of a packet's family, 0 where there never was one. */
function tableOf(packet: Packet): u32 {
  const table = packet.family == 6 ? EXACT_SERVICES6 : EXACT_SERVICES;
  return load<u32>(packet.image.to(EXACT_DIRECTORY_AT + table * 4));
}

/** Whether IPVS looks at packets of the packet's family at all. */
export function hasServices(packet: Packet): bool {
  return tableOf(packet) != 0;
}

function findPort(packet: Packet, head: u32, port: u32): u32 {
  const key = (packet.protocol << 16) | port;
  if (packet.family == 6) return exact6Find(packet.image, head, halves(packet.dst6), key);
  return exactFind(packet.image, head, packet.dst, key);
}

function findMark(packet: Packet, head: u32): u32 {
  if (packet.mark == 0) return 0;
  const mark = i32x4.replace_lane(i32x4.splat(0), 3, packet.mark);
  if (packet.family == 6) return exact6Find(packet.image, head, halves(mark), 0);
  return exactFind(packet.image, head, packet.mark, 0);
}

/** Passive FTP's data connections go to any port that no right is needed for. */
function isFtpData(packet: Packet): bool {
  if (packet.protocol != PROTO_TCP) return false;
  return packet.dstPort == PORT_FTP_DATA || packet.dstPort >= PORT_UNPRIVILEGED;
}

/**
 * The number of the packet's virtual server plus one, 0 where there is none: by its mark, then by where it goes to, then
 * FTP's and the one of all ports there (ip_vs_service_find).
 */
export function findService(packet: Packet): u32 {
  const head = tableOf(packet);
  if (head == 0) return 0;
  packet.walked++;
  let service = findMark(packet, head);
  if (service == 0) service = findPort(packet, head, packet.dstPort);
  if (service == 0 && isFtpData(packet)) service = findPort(packet, head, PORT_FTP);
  return service == 0 ? findPort(packet, head, 0) : service;
}
