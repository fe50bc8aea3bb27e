import { STATUS_BAD_ENTRY } from "../../abi/image";
import { Image } from "../../image";
import { routeDelete, routeSet, routesCreate } from "../routes/change";
import { Fib } from "../routes/fib";

/** In the store an IPv4 address is the first 32 bits of a key. */
function keyOf(address: u32): u64 {
  return (<u64>address) << 32;
}

export function fib4Create(image: Image): bool {
  return routesCreate(image, Fib.of4(image), 0);
}

/** Adds or replaces a route. */
export function fib4Insert(image: Image, address: u32, length: u32, nextHop: u32): u32 {
  if (length > 32) return STATUS_BAD_ENTRY;
  return routeSet(image, Fib.of4(image), keyOf(address), 0, length, nextHop);
}

/** Removes a route; its addresses fall to the next shorter prefix that holds them. Unknown routes: BAD_ENTRY. */
export function fib4Remove(image: Image, address: u32, length: u32): u32 {
  if (length > 32) return STATUS_BAD_ENTRY;
  return routeDelete(image, Fib.of4(image), keyOf(address), 0, length);
}
