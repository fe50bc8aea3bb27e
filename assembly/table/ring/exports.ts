import { Image } from "../../image";
import { serverSet as setServer, serversSet as setServers } from "./build";

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

/** Replaces the real servers of `count` virtual ones (SERVER_ROW_…), whose rows follow one another, all or none. */
export function serversSet(address: usize, rows: usize, count: u32, reals: usize): u32 {
  return setServers(Image.at(address), rows, count, reals);
}
