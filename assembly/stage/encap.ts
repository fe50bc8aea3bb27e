import { NEXT_HOP_FLAG_NO_UDP_CHECKSUM, NEXT_HOP_FLAG_ON_LINK } from "../abi/entry";
import { EVENT_ENCAP } from "../abi/trace";
import { DROP_NO_HEADROOM } from "../abi/verdict";
import {
  ETH_LEN,
  IP4_CHECKSUM,
  IP4_DST,
  IP4_ID,
  IP4_LEN,
  IP4_SRC,
  IP4_TOS,
  IP4_TOTAL_LENGTH,
  PROTO_UDP,
  UDP_CHECKSUM,
  UDP_LENGTH,
  UDP_SRC,
  VXLAN_OUTER_LEN,
} from "../abi/wire";
import { load32, store16, store32 } from "../bytes";
import { hashTuple } from "../hash";
import { Packet } from "../packet";
import { State } from "../state";
import { HOP_ETHERNET, HOP_FLAGS, HOP_OUTER_SUM, HOP_TEMPLATE, HOP_VNI } from "../table/nexthop/layout";
import { record } from "../trace";
import { fold, sumPseudo, sumWords } from "../wire/checksum";
import { ECN_CE, ECN_ECT0, ECN_MASK } from "../wire/ecn";
import { Ip4 } from "../wire/ip4";

/** Linux' ip_local_port_range, from which udp_flow_src_port takes the outer source port. */
const PORT_FIRST: u32 = 32768;
const PORT_COUNT: u64 = 60999 - 32768 + 1;

/** The outer source port: one per inner flow, so that underlay paths can be balanced by it (RFC 7348 §5). */
function flowPort(hash: u32): u32 {
  return PORT_FIRST + <u32>((<u64>hash * PORT_COUNT) >> 32);
}

/** Copies the 50 octets of the outer headers; the template is 64 octets long, the headroom larger. */
function copyTemplate(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to + 16, v128.load(from + 16));
  v128.store(to + 32, v128.load(from + 32));
  store<u16>(to + 48, load<u16>(from + 48));
}

/** The inner ECN field, but ECT(0) for CE (RFC 3168 §9.1.1's full functionality; Linux' INET_ECN_encapsulate). */
function outerEcn(tos: u32): u32 {
  const ecn = tos & ECN_MASK;
  return ecn == ECN_CE ? ECN_ECT0 : ecn;
}

/** Linux never sends identification 0 here (ip_select_ident counts, and the tunnel's frames are not atomic). */
function nextId(state: State): u32 {
  state.outerId = state.outerId >= 0xffff ? 1 : state.outerId + 1;
  return state.outerId;
}

/** Fills in what differs from packet to packet in the outer IPv4 header. */
function finishIp(hop: usize, ip: usize, length: u32, innerTos: u32, id: u32): void {
  const tos = outerEcn(innerTos);
  store<u8>(ip, tos, IP4_TOS);
  store16(ip + IP4_TOTAL_LENGTH, length);
  store16(ip + IP4_ID, id);
  const sum = <u64>load<u32>(hop, HOP_OUTER_SUM) + tos + length + id;
  store16(ip + IP4_CHECKSUM, ~fold(sum) & 0xffff);
}

function finishUdp(hop: usize, ip: usize, port: u32, length: u32): void {
  const udp = ip + IP4_LEN;
  store16(udp + UDP_SRC, port);
  store16(udp + UDP_LENGTH, length);
  if ((load<u32>(hop, HOP_FLAGS) & NEXT_HOP_FLAG_NO_UDP_CHECKSUM) != 0) return;
  const pseudo = sumPseudo(load32(ip + IP4_SRC), load32(ip + IP4_DST), PROTO_UDP, length);
  const checksum = ~fold(pseudo + sumWords(udp, length)) & 0xffff;
  store16(udp + UDP_CHECKSUM, checksum == 0 ? 0xffff : checksum);
}

/** What stands before the IPv4 address in the MAC of a host that is not known otherwise. */
const ON_LINK_MAC: u32 = 0x0242;

/** A frame's own Ethernet header: both MAC addresses of the next hop. */
export function address(frame: usize, hop: usize, dst: u32): void {
  store<u64>(frame, load<u64>(hop, HOP_ETHERNET));
  store<u32>(frame, load<u32>(hop, HOP_ETHERNET + 8), 8);
  if ((load<u32>(hop, HOP_FLAGS) & NEXT_HOP_FLAG_ON_LINK) == 0) return;
  store16(frame, ON_LINK_MAC);
  store32(frame + 2, dst);
}

export function readdress(packet: Packet): void {
  address(packet.frame, packet.hopAddress, packet.dst);
}

/**
 * Puts VXLAN's outer headers before a frame (RFC 7348 §5), as Linux' vxlan_xmit_one does, in the VXLAN_OUTER_LEN octets
 * that stand there; `hash` is that of the inner tuple.
 */
export function prepend(state: State, hop: usize, frame: usize, length: u32, hash: u32): void {
  const outer = frame - VXLAN_OUTER_LEN;
  const ip = outer + ETH_LEN;
  const ipLength = length + VXLAN_OUTER_LEN - ETH_LEN;
  copyTemplate(outer, hop + HOP_TEMPLATE);
  finishIp(hop, ip, ipLength, Ip4.at(frame + ETH_LEN).tos, nextId(state));
  finishUdp(hop, ip, flowPort(hash), ipLength - IP4_LEN);
}

/** Encapsulates a packet that is forwarded by a tunnel. */
export function encap(packet: Packet): bool {
  if (packet.frame - packet.slot < VXLAN_OUTER_LEN) return packet.drop(DROP_NO_HEADROOM);
  const hash = hashTuple(packet.src, packet.dst, packet.ports, packet.protocol);
  prepend(packet.state, packet.hopAddress, packet.frame, packet.length, hash);
  packet.frame -= VXLAN_OUTER_LEN;
  packet.length += VXLAN_OUTER_LEN;
  if (TRACE) {
    const ip = packet.frame + ETH_LEN;
    const vni = load<u32>(packet.hopAddress, HOP_VNI);
    record(
      packet,
      EVENT_ENCAP,
      vni,
      load32(ip + IP4_SRC),
      load32(ip + IP4_DST),
      flowPort(hash),
      packet.length,
    );
  }
  return true;
}
