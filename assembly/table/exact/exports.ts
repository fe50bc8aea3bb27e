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
import { exact6Remove, exact6Set } from "../exact6/build";
import { exact6Find } from "../exact6/lookup";
import { exactCreate, exactRemove, exactSet } from "./build";
import { EXACT_KEY, EXACT_KEY_IP4, EXACT_KEY_IP6 } from "./layout";
import { exactFind } from "./lookup";

/** The machine's exports about exact-match tables (re-exported by index). A table has keys of one family. */

/** A table's head; 0 where there is none with such keys. */
function headOf(image: Image, table: u32, key: u32): u32 {
  if (table >= EXACT_TABLES_MAX) return 0;
  const head = load<u32>(image.to(EXACT_DIRECTORY_AT + table * 4));
  return head != 0 && load<u32>(image.to(head), EXACT_KEY) == key ? head : 0;
}

/** Makes a table unless it is there; STATUS_BAD_ENTRY where its number is too high or its keys are others. */
function reach(image: Image, table: u32, key: u32): u32 {
  if (table >= EXACT_TABLES_MAX) return STATUS_BAD_ENTRY;
  const directory = image.to(EXACT_DIRECTORY_AT + table * 4);
  if (load<u32>(directory) == 0) store<u32>(directory, exactCreate(image, key, PART_EXACT));
  if (load<u32>(directory) == 0) return STATUS_NO_SPACE;
  return headOf(image, table, key) == 0 ? STATUS_BAD_ENTRY : STATUS_OK;
}

/** Sets entries (EXACT_…) of a table, which is made when it is not there; `done` as in routesInsert. */
export function exactInsert(address: usize, table: u32, rows: usize, count: u32, done: usize): u32 {
  const image = Image.at(address);
  const status = reach(image, table, EXACT_KEY_IP4);
  if (status != STATUS_OK) return status;
  const head = headOf(image, table, EXACT_KEY_IP4);
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * EXACT_ENTRY_LEN;
    const value = load<u32>(row, EXACT_VALUE);
    if (value == 0) return STATUS_BAD_ENTRY;
    const low = load<u32>(row, EXACT_ADDRESS);
    const protoPort = load<u32>(row, EXACT_PROTO_PORT);
    if (!exactSet(image, head, low, protoPort, value, PART_EXACT)) return STATUS_NO_SPACE;
    if (done != 0) store<u32>(done, i + 1);
  }
  image.sequence++;
  return STATUS_OK;
}

export function exactDelete(address: usize, table: u32, low: u32, protoPort: u32): u32 {
  const image = Image.at(address);
  const head = headOf(image, table, EXACT_KEY_IP4);
  if (head == 0 || !exactRemove(image, head, low, protoPort)) return STATUS_BAD_ENTRY;
  image.sequence++;
  return STATUS_OK;
}

/** Looks up `count` keys (address, protocol << 16 | port) of a table; values, 0 for none. */
export function exactFindMany(address: usize, table: u32, keys: usize, count: u32, results: usize): void {
  const image = Image.at(address);
  const head = headOf(image, table, EXACT_KEY_IP4);
  for (let i: u32 = 0; i < count; i++) {
    const key = keys + (i << 3);
    store<u32>(results + (i << 2), head == 0 ? 0 : exactFind(image, head, load<u32>(key), load<u32>(key, 4)));
  }
}

/** `exactInsert` of a table for IPv6 (EXACT6_…). */
export function exact6Insert(address: usize, table: u32, rows: usize, count: u32, done: usize): u32 {
  const image = Image.at(address);
  const status = reach(image, table, EXACT_KEY_IP6);
  if (status != STATUS_OK) return status;
  const head = headOf(image, table, EXACT_KEY_IP6);
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * EXACT6_ENTRY_LEN;
    const value = load<u32>(row, EXACT6_VALUE);
    if (value == 0) return STATUS_BAD_ENTRY;
    const protoPort = load<u32>(row, EXACT6_PROTO_PORT);
    if (!exact6Set(image, head, v128.load(row, EXACT6_ADDRESS), protoPort, value, PART_EXACT))
      return STATUS_NO_SPACE;
    if (done != 0) store<u32>(done, i + 1);
  }
  image.sequence++;
  return STATUS_OK;
}

/** Removes a row's key. */
export function exact6Delete(address: usize, table: u32, row: usize): u32 {
  const image = Image.at(address);
  const head = headOf(image, table, EXACT_KEY_IP6);
  const protoPort = load<u32>(row, EXACT6_PROTO_PORT);
  if (head == 0 || !exact6Remove(image, head, v128.load(row, EXACT6_ADDRESS), protoPort))
    return STATUS_BAD_ENTRY;
  image.sequence++;
  return STATUS_OK;
}

/** Looks the keys of `count` rows up; values, 0 for none. */
export function exact6FindMany(address: usize, table: u32, rows: usize, count: u32, results: usize): void {
  const image = Image.at(address);
  const head = headOf(image, table, EXACT_KEY_IP6);
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * EXACT6_ENTRY_LEN;
    const key = v128.load(row, EXACT6_ADDRESS);
    const value = head == 0 ? 0 : exact6Find(image, head, key, load<u32>(row, EXACT6_PROTO_PORT));
    store<u32>(results + (i << 2), value);
  }
}
