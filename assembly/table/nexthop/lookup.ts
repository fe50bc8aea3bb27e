import { Image } from "../../image";
import { HOP_LEAF_CELL, HOP_LEN, SOURCE6_LEN } from "./layout";

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
