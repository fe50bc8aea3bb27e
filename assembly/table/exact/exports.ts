import {
  EXACT_ADDRESS,
  EXACT_ENTRY_LEN,
  EXACT_PROTO_PORT,
  EXACT_TABLES_MAX,
  EXACT_VALUE,
  EXACT6_ADDRESS,
  EXACT6_ENTRY_LEN,
  EXACT6_PROTO_PORT,
  EXACT6_VALUE,
} from "../../abi/entry";
import { PART_EXACT, STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import { EXACT_DIRECTORY_AT, Image } from "../../image";
import { exactCreate, exactRemove, exactReserve, exactSet } from "./build";
import { EXACT_IS6 } from "./layout";
import { exact6Find, exactFind, exactPlace } from "./lookup";

/** The machine's exports about exact-match tables (re-exported by index). A table has keys of one family. */

/** A row of either family (EXACT_…, EXACT6_…). */
@unmanaged
@final
class Row {
  static at(rows: usize, index: u32, is6: bool): usize {
    return rows + index * (is6 ? EXACT6_ENTRY_LEN : EXACT_ENTRY_LEN);
  }

  /** An IPv4 one in each of four lanes. */
  static address(row: usize, is6: bool): v128 {
    return is6 ? v128.load(row, EXACT6_ADDRESS) : i32x4.splat(load<u32>(row, EXACT_ADDRESS));
  }

  static protoPort(row: usize, is6: bool): u32 {
    return is6 ? load<u32>(row, EXACT6_PROTO_PORT) : load<u32>(row, EXACT_PROTO_PORT);
  }

  static value(row: usize, is6: bool): u32 {
    return is6 ? load<u32>(row, EXACT6_VALUE) : load<u32>(row, EXACT_VALUE);
  }
}

/** A table's head; 0 where there is none with such keys. */
function headOf(image: Image, table: u32, is6: bool): u32 {
  if (table >= EXACT_TABLES_MAX) return 0;
  const head = load<u32>(image.to(EXACT_DIRECTORY_AT + table * 4));
  return head != 0 && load<u32>(image.to(head), EXACT_IS6) == u32(is6) ? head : 0;
}

/** Rows whose keys are not in a table. */
function countNew(image: Image, head: u32, rows: usize, count: u32, is6: bool): u32 {
  if (head == 0) return count;
  let added: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const row = Row.at(rows, i, is6);
    if (exactPlace(image, head, Row.address(row, is6), Row.protoPort(row, is6), is6) == 0) added++;
  }
  return added;
}

function areEntries(rows: usize, count: u32, is6: bool): bool {
  for (let i: u32 = 0; i < count; i++) if (Row.value(Row.at(rows, i, is6), is6) == 0) return false;
  return true;
}

function insert(image: Image, table: u32, rows: usize, count: u32, is6: bool): u32 {
  if (table >= EXACT_TABLES_MAX || !areEntries(rows, count, is6)) return STATUS_BAD_ENTRY;
  const directory = image.to(EXACT_DIRECTORY_AT + table * 4);
  let head = headOf(image, table, is6);
  if (head == 0 && load<u32>(directory) != 0) return STATUS_BAD_ENTRY;
  const added = countNew(image, head, rows, count, is6);
  if (head == 0) {
    head = exactCreate(image, is6, added, PART_EXACT);
    if (head == 0) return STATUS_NO_SPACE;
    store<u32>(directory, head);
  } else if (!exactReserve(image, head, added, PART_EXACT)) return STATUS_NO_SPACE;
  for (let i: u32 = 0; i < count; i++) {
    const row = Row.at(rows, i, is6);
    exactSet(image, head, Row.address(row, is6), Row.protoPort(row, is6), Row.value(row, is6), PART_EXACT);
  }
  image.sequence++;
  return STATUS_OK;
}

function remove(image: Image, table: u32, address: v128, protoPort: u32, is6: bool): u32 {
  const head = headOf(image, table, is6);
  if (head == 0 || !exactRemove(image, head, address, protoPort)) return STATUS_BAD_ENTRY;
  image.sequence++;
  return STATUS_OK;
}

/**
 * Sets entries (EXACT_…) of a table, of equal keys the last, all or none: BAD_ENTRY for a value of 0. The table is made
 * when it is not there, and buckets for as many rows as have new keys.
 */
export function exactInsert(address: usize, table: u32, rows: usize, count: u32): u32 {
  return insert(Image.at(address), table, rows, count, false);
}

export function exactDelete(address: usize, table: u32, low: u32, protoPort: u32): u32 {
  return remove(Image.at(address), table, i32x4.splat(low), protoPort, false);
}

/** Looks up `count` keys (address, protocol << 16 | port) of a table; values, 0 for none. */
export function exactFindMany(address: usize, table: u32, keys: usize, count: u32, results: usize): void {
  const image = Image.at(address);
  const head = headOf(image, table, false);
  for (let i: u32 = 0; i < count; i++) {
    const key = keys + (i << 3);
    store<u32>(results + (i << 2), head == 0 ? 0 : exactFind(image, head, load<u32>(key), load<u32>(key, 4)));
  }
}

/** `exactInsert` of a table for IPv6 (EXACT6_…). */
export function exact6Insert(address: usize, table: u32, rows: usize, count: u32): u32 {
  return insert(Image.at(address), table, rows, count, true);
}

/** Removes a row's key. */
export function exact6Delete(address: usize, table: u32, row: usize): u32 {
  return remove(Image.at(address), table, Row.address(row, true), Row.protoPort(row, true), true);
}

/** Looks the keys of `count` rows up; values, 0 for none. */
export function exact6FindMany(address: usize, table: u32, rows: usize, count: u32, results: usize): void {
  const image = Image.at(address);
  const head = headOf(image, table, true);
  for (let i: u32 = 0; i < count; i++) {
    const row = Row.at(rows, i, true);
    const value = head == 0 ? 0 : exact6Find(image, head, Row.address(row, true), Row.protoPort(row, true));
    store<u32>(results + (i << 2), value);
  }
}
