import {
  ROUTE_ADDRESS,
  ROUTE_ENTRY_LEN,
  ROUTE_LENGTH,
  ROUTE_NEXT_HOP,
  ROUTE6_ENTRY_LEN,
  ROUTE6_HIGH,
  ROUTE6_LENGTH,
  ROUTE6_LOW,
  ROUTE6_NEXT_HOP,
} from "../../abi/entry";
import { STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import { Image } from "../../image";
import { spareOctets } from "../../memory/arena";
import { beginTrial, keepTrial, undoTrial } from "../../memory/trial";
import { windowTakes } from "../fib4/window";
import { nodeClear, nodeCopy } from "./build";
import { isPrefix, routeDelete, routeSet, storeDelete, storeSet } from "./change";
import { Fib } from "./fib";
import { NEXT_HOP_MAX, ROUTE_NEEDS } from "./layout";
import { routeExact } from "./lookup";
import { adapt, isLaidOut } from "./rebuild";

/** Many routes at once, all of them or none. */

/** Fewer are changed one by one; and so are fewer than one in so many of the table's. */
const MANY: u32 = 16;
const SHARE: u32 = 8;
/** Octets that one of several routes can take, when what it gives back serves no other. */
const TAKES4: u32 = 3 << 10;
const TAKES6: u32 = 12 << 10;
/** The chunks that cells are cut from may all be new. */
const CHUNKS: u32 = 16 << 10;

/** A row of either family (ROUTE_…, ROUTE6_…): an IPv4 address is the first 32 bits of a key. */
@unmanaged
@final
class Row {
  @inline
  static at(rows: usize, index: u32, is6: u32): usize {
    return rows + index * (is6 != 0 ? ROUTE6_ENTRY_LEN : ROUTE_ENTRY_LEN);
  }

  @inline
  static high(row: usize, is6: u32): u64 {
    return is6 != 0 ? load<u64>(row, ROUTE6_HIGH) : (<u64>load<u32>(row, ROUTE_ADDRESS)) << 32;
  }

  @inline
  static low(row: usize, is6: u32): u64 {
    return is6 != 0 ? load<u64>(row, ROUTE6_LOW) : 0;
  }

  @inline
  static length(row: usize, is6: u32): u32 {
    return is6 != 0 ? load<u32>(row, ROUTE6_LENGTH) : load<u32>(row, ROUTE_LENGTH);
  }

  @inline
  static nextHop(row: usize, is6: u32): u32 {
    return is6 != 0 ? load<u32>(row, ROUTE6_NEXT_HOP) : load<u32>(row, ROUTE_NEXT_HOP);
  }

  static isRoute(row: usize, is6: u32, nextHops: u32): bool {
    const length = Row.length(row, is6);
    const nextHop = Row.nextHop(row, is6);
    if (length > (is6 != 0 ? 128 : 32) || nextHop >= nextHops || nextHop > NEXT_HOP_MAX) return false;
    return isPrefix(Row.high(row, is6), Row.low(row, is6), length);
  }

  static isThere(image: Image, fib: Fib, row: usize): bool {
    const is6 = fib.is6;
    const length = Row.length(row, is6);
    if (length > (is6 != 0 ? 128 : 32)) return false;
    const high = Row.high(row, is6);
    const low = Row.low(row, is6);
    return isPrefix(high, low, length) && routeExact(image, fib.storeAt, high, low, length) != 0;
  }
}

/** Whether changes one by one have room for all of them, and leave the layout. */
function fits(image: Image, fib: Fib, count: u32, after: u32, next: u32, leaf: u32): bool {
  if (!isLaidOut(fib, next, leaf) || !isLaidOut(fib, after, leaf)) return false;
  const takes = <u64>count * (fib.is6 != 0 ? TAKES6 : TAKES4) + windowTakes(image, fib, count);
  return takes + CHUNKS + ROUTE_NEEDS <= spareOctets(image);
}

function isMany(fib: Fib, count: u32): bool {
  return count > MANY && count >= fib.routes / SHARE;
}

/** Changes a copy of the store; false without room. */
function storeAll(image: Image, fib: Fib, rows: usize, count: u32, isRemoval: bool): bool {
  const is6 = fib.is6;
  fib.storeAt = nodeCopy(image, fib.storeAt);
  if (fib.storeAt == 0) return false;
  for (let i: u32 = 0; i < count; i++) {
    if (spareOctets(image) < ROUTE_NEEDS) return false;
    const row = Row.at(rows, i, is6);
    const high = Row.high(row, is6);
    const low = Row.low(row, is6);
    const length = Row.length(row, is6);
    if (isRemoval) storeDelete(image, fib, high, low, length);
    else storeSet(image, fib, high, low, length, Row.nextHop(row, is6) + 1);
  }
  return true;
}

/** Changes a copy of the store, builds what look-ups read of it, and puts both in place; without room nothing changes. */
function renew(image: Image, fib: Fib, rows: usize, count: u32, leaf: u32, isRemoval: bool): u32 {
  const trial = beginTrial(image);
  if (trial == 0) return STATUS_NO_SPACE;
  const old = fib.storeAt;
  if (
    !storeAll(image, fib, rows, count, isRemoval) ||
    adapt(image, fib, fib.routes, leaf, true) != STATUS_OK
  ) {
    undoTrial(image, trial);
    return STATUS_NO_SPACE;
  }
  keepTrial(image, trial);
  nodeClear(image, old);
  return STATUS_OK;
}

/** Adds or replaces routes, of equal prefixes the last; next hops are below `nextHops`. */
export function routesSet(image: Image, fib: Fib, rows: usize, count: u32): u32 {
  const is6 = fib.is6;
  let leaf: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const row = Row.at(rows, i, is6);
    if (!Row.isRoute(row, is6, image.nextHopsRoom)) return STATUS_BAD_ENTRY;
    leaf = max<u32>(leaf, Row.nextHop(row, is6) + 1);
  }
  if (count == 0) return STATUS_OK;
  if (isMany(fib, count) || !fits(image, fib, count, fib.routes + count, fib.routes + 1, leaf))
    return renew(image, fib, rows, count, leaf, false);
  for (let i: u32 = 0; i < count; i++) {
    const row = Row.at(rows, i, is6);
    routeSet(image, fib, Row.high(row, is6), Row.low(row, is6), Row.length(row, is6), Row.nextHop(row, is6));
  }
  return STATUS_OK;
}

/** Removes routes, which must all be there. */
export function routesDelete(image: Image, fib: Fib, rows: usize, count: u32): u32 {
  const is6 = fib.is6;
  for (let i: u32 = 0; i < count; i++)
    if (!Row.isThere(image, fib, Row.at(rows, i, is6))) return STATUS_BAD_ENTRY;
  if (count == 0) return STATUS_OK;
  const after = fib.routes - min<u32>(count, fib.routes);
  if (isMany(fib, count) || !fits(image, fib, count, after, fib.routes, 0))
    return renew(image, fib, rows, count, 0, true);
  for (let i: u32 = 0; i < count; i++) {
    const row = Row.at(rows, i, is6);
    // A route that stands twice is gone by now.
    routeDelete(image, fib, Row.high(row, is6), Row.low(row, is6), Row.length(row, is6));
  }
  return STATUS_OK;
}
