import {
  SERVER_ENTRY_LEN,
  SERVER_ROW_LEN,
  SERVER_ROW_NUMBER,
  SERVER_ROW_REALS,
  SERVER_ROW_SCHEDULER,
} from "../../abi/entry";
import { STATUS_OK } from "../../abi/image";
import { Image } from "../../image";
import { serverSet as setServer } from "./build";

/** The machine's exports about virtual servers (re-exported by index). */

/** Replaces the real servers (SERVER_…) of a virtual one; its scheduler goes on where it was. */
export function serverSet(
  address: usize,
  number: u32,
  scheduler: u32,
  rows: usize,
  count: u32,
  size: u32,
): u32 {
  return setServer(Image.at(address), number, scheduler, rows, count, size);
}

/** Replaces the real servers of `count` virtual ones (SERVER_ROW_…), whose rows follow one another. */
export function serversSet(address: usize, rows: usize, count: u32, reals: usize): u32 {
  let real = reals;
  for (let i: u32 = 0; i < count; i++) {
    const row = rows + i * SERVER_ROW_LEN;
    const own = load<u32>(row, SERVER_ROW_REALS);
    const number = load<u32>(row, SERVER_ROW_NUMBER);
    const scheduler = load<u32>(row, SERVER_ROW_SCHEDULER);
    const status = setServer(Image.at(address), number, scheduler, real, own, 0);
    if (status != STATUS_OK) return status;
    real += own * SERVER_ENTRY_LEN;
  }
  return STATUS_OK;
}
