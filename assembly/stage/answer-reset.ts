import {
  ETH_LEN,
  IP4_CHECKSUM,
  IP4_DST,
  IP4_FLAG_DF,
  IP4_FRAGMENT,
  IP4_ID,
  IP4_LEN,
  IP4_SRC,
  IP4_TTL,
  IP6_LEN,
  IP6_PAYLOAD_LENGTH,
  PROTO_TCP,
  TCP_ACK,
  TCP_FLAG_ACK,
  TCP_FLAG_RST,
  TCP_LEN,
  TCP_OFFSET,
  TCP_SEQ,
} from "../abi/wire";
import { store16, store32 } from "../bytes";
import { FAULT_NONE, Packet } from "../packet";
import { fold, sumWords } from "../wire/checksum";
import { pseudoSum } from "../wire/ip";
import { Ip6 } from "../wire/ip6";
import { Tcp } from "../wire/tcp";

/** TCP resets as REJECT --reject-with tcp-reset makes them (nf_send_reset, nf_send_reset6): in the refused packet's place. */

const HOPS: u32 = 64;

/** What is no whole segment gets none, nor does a reset. */
export function isResettable(packet: Packet): bool {
  if (packet.protocol != PROTO_TCP || packet.fault != FAULT_NONE) return false;
  return (packet.tcpFlags & TCP_FLAG_RST) == 0;
}

/** Writes an IP header from the packet's destination to its source; returns how long it is. */
function writeIp(packet: Packet): u32 {
  const ip = packet.ip;
  if (packet.family == 6) {
    store32(ip, 6 << 28);
    store32(ip + IP6_PAYLOAD_LENGTH, (TCP_LEN << 16) | (PROTO_TCP << 8) | HOPS);
    Ip6.at(ip).src = packet.frameDst6;
    Ip6.at(ip).dst = packet.frameSrc6;
    return IP6_LEN;
  }
  store32(ip, (0x45 << 24) | (IP4_LEN + TCP_LEN));
  store16(ip + IP4_ID, 0);
  store16(ip + IP4_FRAGMENT, IP4_FLAG_DF);
  store32(ip + IP4_TTL, (HOPS << 24) | (PROTO_TCP << 16));
  store32(ip + IP4_SRC, packet.frameDst);
  store32(ip + IP4_DST, packet.frameSrc);
  store16(ip + IP4_CHECKSUM, ~sumWords(ip, IP4_LEN));
  return IP4_LEN;
}

/** Writes a reset over the packet, as if its receiver knew of no connection (RFC 9293 §3.5.2). */
export function writeReset(packet: Packet): void {
  const old = Tcp.at(packet.transport);
  const acknowledges = (packet.tcpFlags & TCP_FLAG_ACK) == 0;
  const sequence = acknowledges ? 0 : old.acknowledgement;
  const acknowledgement = acknowledges ? old.endOf(packet.segment) : 0;
  const header = writeIp(packet);
  const tcp = packet.ip + header;
  memory.fill(tcp, 0, TCP_LEN);
  store32(tcp, rotl<u32>(packet.framePorts, 16));
  store32(tcp + TCP_SEQ, sequence);
  store32(tcp + TCP_ACK, acknowledgement);
  const flags = TCP_FLAG_RST | (acknowledges ? TCP_FLAG_ACK : 0);
  store16(tcp + TCP_OFFSET, ((TCP_LEN >> 2) << 12) | flags);
  const sum = pseudoSum(packet.ip, PROTO_TCP, TCP_LEN) + sumWords(tcp, TCP_LEN);
  store16(Tcp.at(tcp).checksumAt, ~fold(sum));
  packet.length = ETH_LEN + header + TCP_LEN;
}
