import { INTERFACE_NODE } from "../abi/packet";
import { EVENT_PARSE } from "../abi/trace";
import {
  DROP_BAD_CHECKSUM,
  DROP_BAD_HEADER,
  DROP_FRAGMENT,
  DROP_MARTIAN,
  DROP_MULTICAST,
  DROP_NOT_IP4,
  DROP_PROTOCOL,
  DROP_TRUNCATED,
  DROP_VLAN,
} from "../abi/verdict";
import {
  ETH_LEN,
  ETH_TYPE_IP4,
  ETH_TYPE_QINQ,
  ETH_TYPE_VLAN,
  ICMP_LEN,
  IP4_LEN,
  PROTO_ICMP,
  PROTO_SCTP,
  PROTO_TCP,
  PROTO_UDP,
} from "../abi/wire";
import { load32 } from "../bytes";
import { Packet } from "../packet";
import { record } from "../trace";
import { Ethernet } from "../wire/ethernet";
import { Ip4 } from "../wire/ip4";
import { Tcp } from "../wire/tcp";
import { Udp } from "../wire/udp";

/** The transport header is whole. */
function transportFits(packet: Packet, room: u32): bool {
  if (packet.protocol == PROTO_TCP) return Tcp.at(packet.transport).isValid(room);
  if (packet.protocol == PROTO_UDP) return Udp.at(packet.transport).isValid(room);
  return packet.protocol != PROTO_ICMP || room >= ICMP_LEN;
}

const FIRST_MULTICAST: u32 = 0xe0000000;

/** "This network" or loopback (RFC 1122 §3.2.1.3). */
function isNowhere(address: u32): bool {
  return address >> 24 == 0 || address >> 24 == 127;
}

function isMartian(packet: Packet): bool {
  return isNowhere(packet.src) || packet.src >= FIRST_MULTICAST || isNowhere(packet.dst);
}

function whyNotIp4(packet: Packet): u32 {
  const type = Ethernet.at(packet.frame).type;
  return type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ ? DROP_VLAN : DROP_NOT_IP4;
}

/** Validates the frame once, from its Ethernet header to its ports, and reads what later stages ask for. */
export function parse(packet: Packet): bool {
  if (packet.length < ETH_LEN) return packet.drop(DROP_TRUNCATED);
  if (Ethernet.at(packet.frame).type != ETH_TYPE_IP4) return packet.punt(whyNotIp4(packet));
  const room = packet.length - ETH_LEN;
  if (room < IP4_LEN) return packet.drop(DROP_TRUNCATED);
  packet.ip = packet.frame + ETH_LEN;
  const ip = Ip4.at(packet.ip);
  if (!ip.isValid(room)) return packet.drop(ip.totalLength > room ? DROP_TRUNCATED : DROP_BAD_HEADER);
  if (!ip.isIntact) return packet.drop(DROP_BAD_CHECKSUM);
  packet.src = packet.frameSrc = ip.src;
  packet.dst = packet.frameDst = ip.dst;
  packet.protocol = ip.protocol;
  packet.ports = packet.framePorts = 0;
  if (packet.in != INTERFACE_NODE && isMartian(packet)) return packet.drop(DROP_MARTIAN);
  if (packet.dst >= FIRST_MULTICAST) return packet.punt(DROP_MULTICAST);
  if (ip.isFragment) return packet.punt(DROP_FRAGMENT);
  if (packet.protocol == PROTO_SCTP) return packet.punt(DROP_PROTOCOL);
  packet.transport = packet.ip + ip.headerLength;
  if (!transportFits(packet, ip.totalLength - ip.headerLength)) return packet.drop(DROP_TRUNCATED);
  packet.tcpFlags = 0;
  if (packet.protocol == PROTO_TCP || packet.protocol == PROTO_UDP) {
    packet.ports = packet.framePorts = load32(packet.transport);
    if (packet.protocol == PROTO_TCP) packet.tcpFlags = Tcp.at(packet.transport).flags;
  }
  if (TRACE)
    record(packet, EVENT_PARSE, packet.src, packet.dst, packet.ports, packet.protocol, packet.length);
  return true;
}
