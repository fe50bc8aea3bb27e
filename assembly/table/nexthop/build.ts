import {
  NEXT_HOP_DST_MAC,
  NEXT_HOP_FLAGS,
  NEXT_HOP_KIND,
  NEXT_HOP_KIND_VXLAN,
  NEXT_HOP_LEAVE,
  NEXT_HOP_MTU,
  NEXT_HOP_OUT,
  NEXT_HOP_OUTER_DST,
  NEXT_HOP_OUTER_DST_MAC,
  NEXT_HOP_OUTER_SRC,
  NEXT_HOP_PORT,
  NEXT_HOP_SOURCE,
  NEXT_HOP_VNI,
} from "../../abi/entry";
import { PART_NEXT_HOPS, STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import {
  ETH_LEN,
  ETH_TYPE,
  ETH_TYPE_IP4,
  IP4_DST,
  IP4_LEN,
  IP4_PROTOCOL,
  IP4_SRC,
  IP4_TTL,
  IP4_VERSION_IHL,
  PROTO_UDP,
  UDP_DST,
  UDP_LEN,
  VXLAN_FLAG_VNI,
  VXLAN_VNI,
} from "../../abi/wire";
import { store16, store32 } from "../../bytes";
import { Image } from "../../image";
import { vectorReach } from "../../memory/vector";
import { sumWords } from "../../wire/checksum";
import {
  HOP_ETHERNET,
  HOP_FLAGS,
  HOP_KIND,
  HOP_LEAF_CELL,
  HOP_LEAVE,
  HOP_LEN,
  HOP_MTU,
  HOP_OUT,
  HOP_OUTER_SUM,
  HOP_SOURCE,
  HOP_TEMPLATE,
  HOP_VNI,
} from "./layout";
import { nextHopAt } from "./lookup";

/** Linux gives the outer header TTL 64 and leaves DF clear (vxlan without `ttl` and `df`). */
const OUTER_TTL: u32 = 64;
const NEXT_HOPS_MAX: u32 = 1 << 22;

function fillTemplate(hop: usize, entry: usize): void {
  const outer = hop + HOP_TEMPLATE;
  memory.copy(outer, entry + NEXT_HOP_OUTER_DST_MAC, 12);
  store16(outer + ETH_TYPE, ETH_TYPE_IP4);
  const ip = outer + ETH_LEN;
  store<u8>(ip, 0x45, IP4_VERSION_IHL);
  store<u8>(ip, OUTER_TTL, IP4_TTL);
  store<u8>(ip, PROTO_UDP, IP4_PROTOCOL);
  store32(ip + IP4_SRC, load<u32>(entry, NEXT_HOP_OUTER_SRC));
  store32(ip + IP4_DST, load<u32>(entry, NEXT_HOP_OUTER_DST));
  store<u32>(hop, sumWords(ip, IP4_LEN), HOP_OUTER_SUM);
  const udp = ip + IP4_LEN;
  store16(udp + UDP_DST, load<u32>(entry, NEXT_HOP_PORT));
  store<u8>(udp + UDP_LEN, VXLAN_FLAG_VNI);
  store32(udp + UDP_LEN + VXLAN_VNI, load<u32>(entry, NEXT_HOP_VNI) << 8);
}

/** Sets next hop `number` from an entry (NEXT_HOP_…). */
export function nextHopSet(image: Image, number: u32, entry: usize): u32 {
  if (number >= NEXT_HOPS_MAX || load<u32>(entry, NEXT_HOP_KIND) > NEXT_HOP_KIND_VXLAN)
    return STATUS_BAD_ENTRY;
  if (!vectorReach(image, offsetof<Image>("nextHopsAt"), number, HOP_LEN, PART_NEXT_HOPS))
    return STATUS_NO_SPACE;
  const hop = nextHopAt(image, number);
  const leafCell = load<u32>(hop, HOP_LEAF_CELL);
  memory.fill(hop, 0, HOP_LEN);
  store<u32>(hop, leafCell, HOP_LEAF_CELL);
  store<u32>(hop, load<u32>(entry, NEXT_HOP_KIND), HOP_KIND);
  store<u32>(hop, load<u32>(entry, NEXT_HOP_OUT), HOP_OUT);
  store<u32>(hop, load<u32>(entry, NEXT_HOP_MTU), HOP_MTU);
  store<u32>(hop, load<u32>(entry, NEXT_HOP_SOURCE), HOP_SOURCE);
  store<u32>(hop, load<u32>(entry, NEXT_HOP_FLAGS), HOP_FLAGS);
  store<u32>(hop, load<u32>(entry, NEXT_HOP_VNI), HOP_VNI);
  store<u32>(hop, load<u32>(entry, NEXT_HOP_LEAVE), HOP_LEAVE);
  memory.copy(hop + HOP_ETHERNET, entry + NEXT_HOP_DST_MAC, 12);
  store16(hop + HOP_ETHERNET + ETH_TYPE, ETH_TYPE_IP4);
  if (load<u32>(hop, HOP_KIND) == NEXT_HOP_KIND_VXLAN) fillTemplate(hop, entry);
  image.sequence++;
  return STATUS_OK;
}
