import { ROUTE6_ENTRY_LEN, ROUTE6_HIGH, ROUTE6_LENGTH, ROUTE6_LOW, ROUTE6_NEXT_HOP } from "../../abi/entry";
import { STATUS_BAD_ENTRY, STATUS_OK } from "../../abi/image";
import { Image } from "../../image";
import { routeDelete, routeSet, routesCreate } from "../routes/change";
import { Fib } from "../routes/fib";
import { isRoute, routeStore, routesLoaded } from "../routes/load";

export function fib6Create(image: Image): bool {
  return routesCreate(image, Fib.of6(image), 1);
}

/** Adds or replaces a route. */
export function fib6Insert(image: Image, high: u64, low: u64, length: u32, nextHop: u32): u32 {
  return length > 128 ? STATUS_BAD_ENTRY : routeSet(image, Fib.of6(image), high, low, length, nextHop);
}

/** Removes a route; its addresses fall to the next shorter prefix that holds them. Unknown routes: BAD_ENTRY. */
export function fib6Remove(image: Image, high: u64, low: u64, length: u32): u32 {
  return length > 128 ? STATUS_BAD_ENTRY : routeDelete(image, Fib.of6(image), high, low, length);
}

/** Whether all rows (ROUTE6_…) are routes with next hops below `nextHops`. */
export function fib6AreRoutes(rows: usize, count: u32, nextHops: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * ROUTE6_ENTRY_LEN;
    const nextHop = load<u32>(row, ROUTE6_NEXT_HOP);
    const length = load<u32>(row, ROUTE6_LENGTH);
    if (nextHop >= nextHops) return false;
    if (!isRoute(load<u64>(row, ROUTE6_HIGH), load<u64>(row, ROUTE6_LOW), length, nextHop)) return false;
  }
  return true;
}

/** Loads an empty table with rows that are routes; without room it stays empty. */
export function fib6Load(image: Image, rows: usize, count: u32): u32 {
  const fib = Fib.of6(image);
  let status = STATUS_OK;
  let leaf: u32 = 0;
  for (let i: u32 = 0; i < count && status == STATUS_OK; i++) {
    const row = rows + i * ROUTE6_ENTRY_LEN;
    const nextHop = load<u32>(row, ROUTE6_NEXT_HOP);
    leaf = max<u32>(leaf, nextHop + 1);
    status = routeStore(
      image,
      fib,
      load<u64>(row, ROUTE6_HIGH),
      load<u64>(row, ROUTE6_LOW),
      load<u32>(row, ROUTE6_LENGTH),
      nextHop,
    );
  }
  return routesLoaded(image, fib, status, leaf);
}
