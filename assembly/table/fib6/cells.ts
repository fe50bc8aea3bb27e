import { PART_ALL, PART_FIB6 } from "../../abi/image";
import { Image } from "../../image";
import { account, takeBlock } from "../../memory/arena";
import { Fib } from "../routes/fib";

/**
 * Memory for blocks of words, which nothing else ever gets: what a reader in another thread finds where a block has
 * been are words (zero, and the link of a free one, are leaves too), so that it can follow them without a doubt.
 */
const SMALL: u32 = 64;
const LARGE: u32 = 256;
const CHUNK: u32 = 4096;

/** Octets of the cell for so many. */
export function cell6Octets(octets: u32): u32 {
  return octets <= SMALL ? SMALL : LARGE;
}

function listOf(fib: Fib, octets: u32): usize {
  return changetype<usize>(fib) + (octets <= SMALL ? offsetof<Fib>("free64") : offsetof<Fib>("free256"));
}

/** Puts a cell on the list of free ones. A link is the offset of a cell: as a word, a leaf. */
function giveBack(image: Image, list: usize, cell: u32): void {
  store<u32>(image.to(cell), load<u32>(list));
  store<u32>(list, cell);
}

/** Starts a new chunk; what is left of the old one becomes small cells. */
function renewChunk(image: Image, fib: Fib): bool {
  const chunk = takeBlock(image, CHUNK, PART_ALL);
  if (chunk == 0) return false;
  account(image, PART_ALL, 0 - CHUNK);
  for (; fib.chunkAt < fib.chunkEnd; fib.chunkAt += SMALL) giveBack(image, listOf(fib, SMALL), fib.chunkAt);
  fib.chunkAt = chunk;
  fib.chunkEnd = chunk + CHUNK;
  return true;
}

/** The offset of a cell for a block of so many octets; 0 without room. */
export function takeCell6(image: Image, octets: u32): u32 {
  const fib = Fib.of6(image);
  const length = cell6Octets(octets);
  const list = listOf(fib, octets);
  let cell = load<u32>(list);
  if (cell != 0) {
    store<u32>(list, load<u32>(image.to(cell)));
  } else {
    if (length > fib.chunkEnd - fib.chunkAt && !renewChunk(image, fib)) return 0;
    cell = fib.chunkAt;
    fib.chunkAt = cell + length;
  }
  account(image, PART_FIB6, length);
  return cell;
}

export function giveCell6(image: Image, cell: u32, octets: u32): void {
  giveBack(image, listOf(Fib.of6(image), octets), cell);
  account(image, PART_FIB6, 0 - cell6Octets(octets));
}
