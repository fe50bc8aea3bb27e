import {
  NEXT_HOP_DST_MAC,
  NEXT_HOP_FLAG_DF,
  NEXT_HOP_FLAGS,
  NEXT_HOP_KIND,
  NEXT_HOP_KIND_GENEVE,
  NEXT_HOP_KIND_UNREACHABLE,
  NEXT_HOP_KIND_VXLAN,
  NEXT_HOP_LEAVE,
  NEXT_HOP_MTU,
  NEXT_HOP_OPTIONS,
  NEXT_HOP_OPTIONS_LEN,
  NEXT_HOP_OPTIONS_MAX,
  NEXT_HOP_OUT,
  NEXT_HOP_OUTER_DST,
  NEXT_HOP_OUTER_DST_MAC,
  NEXT_HOP_OUTER_SRC,
  NEXT_HOP_PORT,
  NEXT_HOP_REFUSAL,
  NEXT_HOP_SOURCE,
  NEXT_HOP_SOURCE6,
  NEXT_HOP_VNI,
} from "../../abi/entry";
import { PART_NEXT_HOPS, STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import {
  DROP_BLACKHOLE,
  DROP_NO_ROUTE,
  DROP_NONE,
  DROP_ROUTE_PROHIBITED,
  DROP_ROUTE_UNREACHABLE,
} from "../../abi/verdict";
import {
  ETH_LEN,
  ETH_TYPE,
  ETH_TYPE_IP4,
  ETH_TYPE_TEB,
  GENEVE_FLAG_CRITICAL,
  GENEVE_FLAGS,
  GENEVE_LEN,
  GENEVE_OUTER_LEN,
  GENEVE_TYPE,
  GENEVE_VNI,
  IP4_DST,
  IP4_FLAG_DF,
  IP4_FRAGMENT,
  IP4_LEN,
  IP4_PROTOCOL,
  IP4_SRC,
  IP4_TTL,
  IP4_VERSION_IHL,
  PROTO_UDP,
  UDP_DST,
  UDP_LEN,
  VXLAN_FLAG_VNI,
  VXLAN_OUTER_LEN,
  VXLAN_VNI,
} from "../../abi/wire";
import { store16, store32 } from "../../bytes";
import { Image } from "../../image";
import { vectorReach } from "../../memory/vector";
import { fold, sumPseudo, sumWords } from "../../wire/checksum";
import { judgeOptions, OPTIONS_BAD, OPTIONS_CRITICAL } from "../../wire/geneve";
import {
  HOP_ETHERNET,
  HOP_FLAGS,
  HOP_KIND,
  HOP_LEAF_CELL,
  HOP_LEAVE,
  HOP_LEN,
  HOP_MTU,
  HOP_OUT,
  HOP_OUTER_LEN,
  HOP_OUTER_SUM,
  HOP_PORT_COUNT,
  HOP_PORT_FIRST,
  HOP_REFUSAL,
  HOP_SOURCE,
  HOP_UDP_SUM,
  SOURCE6_LEN,
} from "./layout";
import { nextHopAt } from "./lookup";

/** Linux gives the outer header TTL 64 and leaves DF clear (vxlan and geneve without `ttl` and `df`). */
const OUTER_TTL: u32 = 64;
/** The outer source ports: VXLAN's are ip_local_port_range's (vxlan_xmit_one), Geneve's all but 0 (geneve_xmit_skb). */
const VXLAN_PORT_FIRST: u32 = 32768;
const VXLAN_PORT_COUNT: u32 = 60999 - VXLAN_PORT_FIRST + 1;
const GENEVE_PORT_FIRST: u32 = 1;
const GENEVE_PORT_COUNT: u32 = 65534;
export const NEXT_HOPS_MAX: u32 = 1 << 22;

function fillIp(ip: usize, entry: usize): void {
  const isWhole = (load<u32>(entry, NEXT_HOP_FLAGS) & NEXT_HOP_FLAG_DF) != 0;
  store<u8>(ip, 0x45, IP4_VERSION_IHL);
  store16(ip + IP4_FRAGMENT, isWhole ? IP4_FLAG_DF : 0);
  store<u8>(ip, OUTER_TTL, IP4_TTL);
  store<u8>(ip, PROTO_UDP, IP4_PROTOCOL);
  store32(ip + IP4_SRC, load<u32>(entry, NEXT_HOP_OUTER_SRC));
  store32(ip + IP4_DST, load<u32>(entry, NEXT_HOP_OUTER_DST));
}

function fillVxlan(vxlan: usize, entry: usize): void {
  store<u8>(vxlan, VXLAN_FLAG_VNI);
  store32(vxlan + VXLAN_VNI, load<u32>(entry, NEXT_HOP_VNI) << 8);
}

function fillGeneve(geneve: usize, entry: usize): void {
  const length = load<u32>(entry, NEXT_HOP_OPTIONS_LEN);
  const isCritical = judgeOptions(entry + NEXT_HOP_OPTIONS, length) == OPTIONS_CRITICAL;
  store<u8>(geneve, length >> 2);
  store<u8>(geneve, isCritical ? GENEVE_FLAG_CRITICAL : 0, GENEVE_FLAGS);
  store16(geneve + GENEVE_TYPE, ETH_TYPE_TEB);
  store32(geneve + GENEVE_VNI, load<u32>(entry, NEXT_HOP_VNI) << 8);
  memory.copy(geneve + GENEVE_LEN, entry + NEXT_HOP_OPTIONS, length);
}

function fillTemplate(hop: usize, entry: usize): void {
  const isGeneve = load<u32>(entry, NEXT_HOP_KIND) == NEXT_HOP_KIND_GENEVE;
  const length = isGeneve ? GENEVE_OUTER_LEN + load<u32>(entry, NEXT_HOP_OPTIONS_LEN) : VXLAN_OUTER_LEN;
  const outer = hop + HOP_LEN - length;
  memory.copy(outer, entry + NEXT_HOP_OUTER_DST_MAC, 12);
  store16(outer + ETH_TYPE, ETH_TYPE_IP4);
  const ip = outer + ETH_LEN;
  const udp = ip + IP4_LEN;
  fillIp(ip, entry);
  store16(udp + UDP_DST, load<u32>(entry, NEXT_HOP_PORT));
  if (isGeneve) fillGeneve(udp + UDP_LEN, entry);
  else fillVxlan(udp + UDP_LEN, entry);
  const pseudo = sumPseudo(
    load<u32>(entry, NEXT_HOP_OUTER_SRC),
    load<u32>(entry, NEXT_HOP_OUTER_DST),
    PROTO_UDP,
    0,
  );
  store<u16>(hop, length, HOP_OUTER_LEN);
  store16(hop + HOP_OUTER_SUM, sumWords(ip, IP4_LEN));
  store<u16>(hop, fold(pseudo + sumWords(udp, length - ETH_LEN - IP4_LEN)), HOP_UDP_SUM);
  store<u16>(hop, isGeneve ? GENEVE_PORT_FIRST : VXLAN_PORT_FIRST, HOP_PORT_FIRST);
  store<u16>(hop, isGeneve ? GENEVE_PORT_COUNT : VXLAN_PORT_COUNT, HOP_PORT_COUNT);
}

/** No IP packet but a jumbogram is longer: what a larger MTU says needs no more. */
const MTU_MAX: u32 = 0xffff;

function isRefusal(reason: u32): bool {
  if (reason == DROP_NO_ROUTE || reason == DROP_BLACKHOLE) return true;
  return reason == DROP_ROUTE_UNREACHABLE || reason == DROP_ROUTE_PROHIBITED;
}

/** Geneve's options are whole words that follow one another to their end. */
export function isEntry(entry: usize): bool {
  const kind = load<u32>(entry, NEXT_HOP_KIND);
  const refusal = load<u32>(entry, NEXT_HOP_REFUSAL);
  if (refusal != DROP_NONE && (kind != NEXT_HOP_KIND_UNREACHABLE || !isRefusal(refusal))) return false;
  if (kind != NEXT_HOP_KIND_GENEVE) return kind < NEXT_HOP_KIND_GENEVE;
  const length = load<u32>(entry, NEXT_HOP_OPTIONS_LEN);
  if (length > NEXT_HOP_OPTIONS_MAX || (length & 3) != 0) return false;
  return judgeOptions(entry + NEXT_HOP_OPTIONS, length) != OPTIONS_BAD;
}

export function hasSource6(entry: usize): bool {
  return v128.any_true(v128.load(entry, NEXT_HOP_SOURCE6));
}

/** Makes room for next hop `number`, and for its IPv6 address where `is6`. */
export function hopsReach(image: Image, number: u32, is6: bool): bool {
  if (is6 && !sources6Reach(image, number)) return false;
  return vectorReach(image, offsetof<Image>("nextHopsAt"), number, HOP_LEN, PART_NEXT_HOPS);
}

/** Next hops that came before have no IPv6 address. */
function sources6Reach(image: Image, number: u32): bool {
  const room = image.sources6Room;
  if (!vectorReach(image, offsetof<Image>("sources6At"), number, SOURCE6_LEN, PART_NEXT_HOPS)) return false;
  const added = image.sources6Room - room;
  memory.fill(image.to(image.sources6At) + room * SOURCE6_LEN, 0, added * SOURCE6_LEN);
  return true;
}

/** Sets next hop `number` from an entry (NEXT_HOP_…). */
export function nextHopSet(image: Image, number: u32, entry: usize): u32 {
  if (number >= NEXT_HOPS_MAX || !isEntry(entry)) return STATUS_BAD_ENTRY;
  if (!hopsReach(image, number, hasSource6(entry))) return STATUS_NO_SPACE;
  if (number < image.sources6Room)
    v128.store(image.to(image.sources6At) + number * SOURCE6_LEN, v128.load(entry, NEXT_HOP_SOURCE6));
  const hop = nextHopAt(image, number);
  const leafCell = load<u32>(hop, HOP_LEAF_CELL);
  memory.fill(hop, 0, HOP_LEN);
  store<u32>(hop, leafCell, HOP_LEAF_CELL);
  store<u16>(hop, load<u32>(entry, NEXT_HOP_KIND), HOP_KIND);
  store<u32>(hop, load<u32>(entry, NEXT_HOP_OUT), HOP_OUT);
  store<u16>(hop, min<u32>(load<u32>(entry, NEXT_HOP_MTU), MTU_MAX), HOP_MTU);
  store<u32>(hop, load<u32>(entry, NEXT_HOP_SOURCE), HOP_SOURCE);
  store<u16>(hop, load<u32>(entry, NEXT_HOP_FLAGS), HOP_FLAGS);
  store<u32>(hop, load<u32>(entry, NEXT_HOP_LEAVE), HOP_LEAVE);
  store<u16>(hop, load<u32>(entry, NEXT_HOP_REFUSAL), HOP_REFUSAL);
  memory.copy(hop + HOP_ETHERNET, entry + NEXT_HOP_DST_MAC, 12);
  store16(hop + HOP_ETHERNET + ETH_TYPE, ETH_TYPE_IP4);
  if (load<u16>(hop, HOP_KIND) >= NEXT_HOP_KIND_VXLAN) fillTemplate(hop, entry);
  image.sequence++;
  return STATUS_OK;
}
