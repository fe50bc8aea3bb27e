import { Image } from "../../image";
import { HOP_LEN } from "./layout";

/** The address of a next hop; the number comes from a route, whose next hop was there when it was set. */
export function nextHopAt(image: Image, number: u32): usize {
  return image.to(image.nextHopsAt) + number * HOP_LEN;
}
