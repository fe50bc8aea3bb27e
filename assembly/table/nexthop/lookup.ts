import { Image } from "../../image";
import { HOP_LEAF_CELL, HOP_LEN } from "./layout";

/** The address of a next hop; the number comes from a route, whose next hop was there when it was set. */
export function nextHopAt(image: Image, number: u32): usize {
  return image.to(image.nextHopsAt) + number * HOP_LEN;
}

/** The address of a next hop's field HOP_LEAF_CELL. */
export function nextHopLeafCell(image: Image, number: u32): usize {
  return nextHopAt(image, number) + HOP_LEAF_CELL;
}
