import { Image } from "../../image";
import { State } from "../../state";
import { serverEdit as editServer, serverSet as setServer } from "./build";
import { serversSet as setServers } from "./build-many";
import { settleServer } from "./position";

/** The machine's exports about virtual servers (re-exported by index). */

/**
 * Replaces a virtual server (SERVER_ROW_…) and its real ones (SERVER_…), in the order of their addition; its scheduler goes on
 * where it was. `size`: slots of one that hashes, 0 for as many as are usual.
 */
export function serverSet(address: usize, row: usize, reals: usize, size: u32): u32 {
  return setServer(Image.at(address), row, reals, size);
}

/** Changes what a row says of a virtual server (SERVER_ROW_…), but none of its real ones. */
export function serverEdit(address: usize, row: usize): u32 {
  return editServer(Image.at(address), row);
}

/** Replaces `count` virtual servers (SERVER_ROW_…) and their real ones, whose rows follow one another, all or none. */
export function serversSet(address: usize, rows: usize, count: u32, reals: usize): u32 {
  return setServers(Image.at(address), rows, count, reals);
}

/**
 * A state takes note of what was changed of a virtual server, as it would with its next connection: after each of several
 * changes, what its scheduler goes on with is what a kernel's does.
 */
export function serverSettle(address: usize, state: usize, number: u32): void {
  settleServer(Image.at(address), State.at(state), number);
}
