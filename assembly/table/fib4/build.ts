import { ROUTE_ADDRESS, ROUTE_ENTRY_LEN, ROUTE_LENGTH, ROUTE_NEXT_HOP } from "../../abi/entry";
import { STATUS_BAD_ENTRY, STATUS_OK } from "../../abi/image";
import { Image } from "../../image";
import { routeDelete, routeSet, routesCreate } from "../routes/change";
import { Fib } from "../routes/fib";
import { isRoute, routeStore, routesLoaded } from "../routes/load";

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

/** Whether all rows (ROUTE_…) are routes with next hops below `nextHops`. */
export function fib4AreRoutes(rows: usize, count: u32, nextHops: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * ROUTE_ENTRY_LEN;
    const length = load<u32>(row, ROUTE_LENGTH);
    const nextHop = load<u32>(row, ROUTE_NEXT_HOP);
    if (length > 32 || nextHop >= nextHops) return false;
    if (!isRoute(keyOf(load<u32>(row, ROUTE_ADDRESS)), 0, length, nextHop)) return false;
  }
  return true;
}

/** Loads an empty table with rows that are routes; without room it stays empty. */
export function fib4Load(image: Image, rows: usize, count: u32): u32 {
  const fib = Fib.of4(image);
  let status = STATUS_OK;
  let leaf: u32 = 0;
  for (let i: u32 = 0; i < count && status == STATUS_OK; i++) {
    const row = rows + i * ROUTE_ENTRY_LEN;
    const nextHop = load<u32>(row, ROUTE_NEXT_HOP);
    leaf = max<u32>(leaf, nextHop + 1);
    status = routeStore(
      image,
      fib,
      keyOf(load<u32>(row, ROUTE_ADDRESS)),
      0,
      load<u32>(row, ROUTE_LENGTH),
      nextHop,
    );
  }
  return routesLoaded(image, fib, status, leaf);
}
