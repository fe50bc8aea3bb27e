import { NEXT_HOP_FLAG_BRIDGE } from "../../abi/entry";
import { Image } from "../../image";
import { Packet } from "../../packet";
import { HOP_FLAGS, HOP_LEAF_CELL, HOP_LEN, HOP_OUT, SOURCE6_LEN } from "./layout";

/** The address of a next hop; the number comes from a route, whose next hop was there when it was set. */
export function nextHopAt(image: Image, number: u32): usize {
  return image.to(image.nextHopsAt) + number * HOP_LEN;
}

/** The address of a next hop's field HOP_LEAF_CELL. */
export function nextHopLeafCell(image: Image, number: u32): usize {
  return nextHopAt(image, number) + HOP_LEAF_CELL;
}

/** What MASQUERADE gives to an IPv6 packet that leaves by a next hop: four words; :: where it has no address. */
export function sourceOf6(image: Image, number: u32): v128 {
  if (number >= image.sources6Room) return i32x4.splat(0);
  return v128.load(image.to(image.sources6At) + number * SOURCE6_LEN);
}

/** Switched by the bridge it came in by, and so not routed (br_netfilter); IPVS sends a packet on as a router. */
export function isSwitched(packet: Packet): bool {
  const hop = packet.hopAddress;
  if (packet.isScheduled) return false;
  return load<u32>(hop, HOP_OUT) == packet.in && (<u32>load<u16>(hop, HOP_FLAGS) & NEXT_HOP_FLAG_BRIDGE) != 0;
}
