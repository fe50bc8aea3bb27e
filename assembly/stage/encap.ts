import {
  NEXT_HOP_FLAG_NO_UDP_CHECKSUM,
  NEXT_HOP_FLAG_ON_LINK,
  NEXT_HOP_KIND_GENEVE,
  TUNNEL_GENEVE,
  TUNNEL_VXLAN,
} from "../abi/entry";
import { ENCAP_HEADROOM } from "../abi/packet";
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
  UDP_LEN,
  UDP_LENGTH,
  UDP_SRC,
  VXLAN_VNI,
} from "../abi/wire";
import { load16, load32, store16, store32 } from "../bytes";
import { IPVS_DIRECT, Packet } from "../packet";
import {
  HOP_ETHERNET,
  HOP_FLAGS,
  HOP_KIND,
  HOP_OUTER_LEN,
  HOP_OUTER_SUM,
  HOP_PORT_COUNT,
  HOP_PORT_FIRST,
  HOP_TEMPLATE,
  HOP_UDP_SUM,
} from "../table/nexthop/layout";
import { record } from "../trace";
import { fold, sumWords } from "../wire/checksum";
import { ECN_CE, ECN_ECT0, ECN_MASK } from "../wire/ecn";
import { tosOf } from "../wire/ip";
import { nextId } from "../wire/ip4";

/** Copies a hop's template to where the frame begins: ENCAP_HEADROOM octets, of which the last are the headers. */
export function copyTemplate(frame: usize, hop: usize, outer: u32): void {
  const to = frame - ENCAP_HEADROOM;
  const from = hop + HOP_TEMPLATE;
  if (outer > ENCAP_HEADROOM - 16) v128.store(to, v128.load(from));
  v128.store(to, v128.load(from, 16), 16);
  v128.store(to, v128.load(from, 32), 32);
  v128.store(to, v128.load(from, 48), 48);
  v128.store(to, v128.load(from, 64), 64);
}

/** The inner ECN field, but ECT(0) for CE (RFC 3168 §9.1.1's full functionality; Linux' INET_ECN_encapsulate). */
function outerEcn(tos: u32): u32 {
  const ecn = tos & ECN_MASK;
  return ecn == ECN_CE ? ECN_ECT0 : ecn;
}

/** The outer UDP checksum, over a frame of so many octets. */
export function outerChecksum(frame: usize, hop: usize, length: u32, udpLength: u32, port: u32): u32 {
  // The length stands in the pseudo-header too.
  const sum = <u64>load<u16>(hop, HOP_UDP_SUM) + 2 * udpLength + port + sumWords(frame, length);
  const checksum = ~fold(sum) & 0xffff;
  return checksum == 0 ? 0xffff : checksum;
}

/**
 * Puts a tunnel's outer headers before a frame of `length` octets (RFC 7348 §5, RFC 8926 §3), as Linux' vxlan_xmit_one
 * and geneve_xmit_skb do, and returns how many octets they are. `frame` and `hop` are addresses, with ENCAP_HEADROOM
 * octets free before the frame; `tos` is the inner packet's, `id` the outer one's identification; a flow's `hash`
 * chooses its source port, so that underlay paths can be balanced by it.
 */
export function putOuter(frame: usize, hop: usize, length: u32, tos: u32, id: u32, hash: u32): u32 {
  const outer: u32 = load<u16>(hop, HOP_OUTER_LEN);
  copyTemplate(frame, hop, outer);
  const ip = frame - outer + ETH_LEN;
  const udp = ip + IP4_LEN;
  const ecn = outerEcn(tos);
  const total = length + outer - ETH_LEN;
  const udpLength = total - IP4_LEN;
  const port = load<u16>(hop, HOP_PORT_FIRST) + <u32>((<u64>hash * load<u16>(hop, HOP_PORT_COUNT)) >> 32);
  store<u8>(ip, ecn, IP4_TOS);
  store16(ip + IP4_TOTAL_LENGTH, total);
  store16(ip + IP4_ID, id);
  store16(
    ip + IP4_CHECKSUM,
    ~fold(<u64>bswap<u16>(load<u16>(hop, HOP_OUTER_SUM)) + ecn + total + id) & 0xffff,
  );
  store16(udp + UDP_SRC, port);
  const hasSum = (<u32>load<u16>(hop, HOP_FLAGS) & NEXT_HOP_FLAG_NO_UDP_CHECKSUM) == 0;
  const checksum = hasSum ? outerChecksum(frame, hop, length, udpLength, port) : 0;
  store32(udp + UDP_LENGTH, (udpLength << 16) | checksum);
  return outer;
}

/** What stands before the IPv4 address, or the last word of an IPv6 one, in the MAC of a host that is not known otherwise. */
const ON_LINK_MAC: u32 = 0x0242;

/** A frame's own Ethernet header: both MAC addresses of the next hop. */
export function address(frame: usize, hop: usize, flags: u32, dst: u32): void {
  store<u64>(frame, load<u64>(hop, HOP_ETHERNET));
  store<u32>(frame, load<u32>(hop, HOP_ETHERNET + 8), 8);
  if ((flags & NEXT_HOP_FLAG_ON_LINK) == 0) return;
  store16(frame, ON_LINK_MAC);
  store32(frame + 2, dst);
}

export function readdress(packet: Packet): void {
  const hop = packet.hopAddress;
  const dst = (packet.ipvs & IPVS_DIRECT) != 0 ? packet.via : packet.dst;
  address(packet.frame, hop, load<u16>(hop, HOP_FLAGS), dst);
}

function tell(packet: Packet): void {
  const ip = packet.frame + ETH_LEN;
  const udp = ip + IP4_LEN;
  const isGeneve = load<u16>(packet.hopAddress, HOP_KIND) == NEXT_HOP_KIND_GENEVE;
  const vni = load32(udp + UDP_LEN + VXLAN_VNI) >> 8;
  const kind = isGeneve ? TUNNEL_GENEVE : TUNNEL_VXLAN;
  record(
    packet,
    EVENT_ENCAP,
    vni | (kind << 24),
    load32(ip + IP4_SRC),
    load32(ip + IP4_DST),
    load16(udp + UDP_SRC),
    packet.length,
  );
}

/** Puts the outer headers of the packet's next hop before its frame. */
export function encap(packet: Packet): bool {
  if (packet.frame - packet.slot < ENCAP_HEADROOM) return packet.drop(DROP_NO_HEADROOM);
  const id = nextId(packet.state.outerId);
  packet.state.outerId = id;
  const outer = putOuter(
    packet.frame,
    packet.hopAddress,
    packet.length,
    tosOf(packet.ip),
    id,
    packet.tupleHash,
  );
  packet.frame -= outer;
  packet.length += outer;
  if (TRACE) tell(packet);
  return true;
}
