import { Image } from "../../image";
import { fib4IsNode } from "./layout";

/** The leaf of the longest prefix that holds the address; 0 where there is none. */
export function fib4Lookup(image: Image, address: u32): u32 {
  let entry = load<u32>(image.to(image.fibRootAt) + ((address >> 16) << 2));
  if (fib4IsNode(entry)) {
    entry = load<u32>(image.to(entry) + (((address >> 8) & 255) << 2));
    if (fib4IsNode(entry)) entry = load<u32>(image.to(entry) + ((address & 255) << 2));
  }
  return entry;
}
