import { SETTING_VS_DROP_PACKET, SETTING_VS_SLOPPY_SCTP, SETTING_VS_SLOPPY_TCP } from "../abi/setting";
import { PROTO_SCTP, PROTO_TCP, PROTO_UDP, TCP_FLAG_RST, TCP_FLAG_SYN, TCP_LEN } from "../abi/wire";
import { Image } from "../image";
import { Packet } from "../packet";
import { Ipvs, ipvsOf } from "../table/ipvs/layout";
import { CHUNK_LEN, HEADER_LEN, kindOf } from "../track/sctp-chunks";
import { CHUNK_ABORT, CHUNK_INIT } from "../track/sctp-states";

/** drop_packet is always on; 1 and 2 ask for memory. Then one in so many is dropped (am_droprate). */
const ALWAYS: u32 = 3;
const DROP_RATE: u32 = 10;

/** IPVS knows the packet's protocol (ip_vs_proto_data_get). */
export function isBalanced(packet: Packet): bool {
  return packet.protocol == PROTO_TCP || packet.protocol == PROTO_UDP || packet.protocol == PROTO_SCTP;
}

function chunkOf(packet: Packet): u32 {
  return kindOf(packet.transport + HEADER_LEN);
}

/** It may find its connection in a state that is over (is_new_conn): a SYN or an INIT. */
export function beginsAnew(packet: Packet): bool {
  if (packet.protocol == PROTO_TCP) return packet.segment >= TCP_LEN && (packet.tcpFlags & TCP_FLAG_SYN) != 0;
  if (packet.protocol != PROTO_SCTP || packet.segment < HEADER_LEN + CHUNK_LEN) return false;
  return chunkOf(packet) == CHUNK_INIT;
}

/** A virtual server is looked for to take it (tcp_conn_schedule and its like); what is cut short of that is dropped. */
export function maySchedule(packet: Packet): bool {
  const image = packet.image;
  if (packet.protocol == PROTO_TCP) {
    if ((packet.tcpFlags & TCP_FLAG_RST) != 0) return false;
    return (packet.tcpFlags & TCP_FLAG_SYN) != 0 || image.setting(SETTING_VS_SLOPPY_TCP) != 0;
  }
  if (packet.protocol != PROTO_SCTP) return packet.protocol == PROTO_UDP;
  if (packet.segment < HEADER_LEN + CHUNK_LEN) return true;
  const chunk = chunkOf(packet);
  return chunk != CHUNK_ABORT && (chunk == CHUNK_INIT || image.setting(SETTING_VS_SLOPPY_SCTP) != 0);
}

/** drop_packet is on. */
export function isSparing(image: Image): bool {
  return image.setting(SETTING_VS_DROP_PACKET) == ALWAYS;
}

/** One of those that drop_packet drops (ip_vs_todrop). */
export function isSpared(packet: Packet): bool {
  if (!isSparing(packet.image)) return false;
  const own = Ipvs.of(ipvsOf(packet.state));
  if (own.spare > 1) {
    own.spare--;
    return false;
  }
  own.spare = DROP_RATE;
  return true;
}
