import { PART_ALL } from "../abi/image";
import { FREE_CELLS_AT, Image } from "../image";
import { account, takeBlock } from "./arena";

/**
 * Small blocks: sizes in steps of 8 octets up to 64, then four sizes a doubling up to 2048, cut from larger blocks.
 * Unlike blocks they are not zeroed. They lie at multiples of 8, and of 32 or 64 if their size is one: the low bits of
 * their offsets can then say something else, and few cross a cache line. Each size has a list of cells given back.
 */
const LINEAR_MAX: u32 = 64;
export const CELL_MAX: u32 = 2048;
/** Cells are cut from blocks of this size: one at a time for multiples of 64, one for those of 32, one for the rest. */
export const CHUNK: u32 = 4096;

function classOf(octets: u32): u32 {
  if (octets <= LINEAR_MAX) return (octets + 7) >> 3;
  const last = octets - 1;
  const log2 = 31 - <u32>clz<u32>(last);
  return 5 + ((log2 - 6) << 2) + (last >> (log2 - 2));
}

/** Octets of the cell that holds so many (1 … CELL_MAX). */
export function cellOctets(octets: u32): u32 {
  if (octets <= LINEAR_MAX) return (octets + 7) & ~7;
  const step = (<u32>1) << (29 - <u32>clz<u32>(octets - 1));
  return (octets + step - 1) & ~(step - 1);
}

function giveBack(image: Image, cell: u32, octets: u32): void {
  const list = image.to(FREE_CELLS_AT + classOf(octets) * 4);
  store<u32>(image.to(cell), load<u32>(list));
  store<u32>(list, cell);
}

/** What cells of a size lie at multiples of. */
export function cellAlignment(octets: u32): u32 {
  return (octets & 63) == 0 ? 64 : (octets & 31) == 0 ? 32 : 8;
}

function chunkField(alignment: u32): usize {
  if (alignment == 64) return offsetof<Image>("chunk64At");
  return alignment == 32 ? offsetof<Image>("chunk32At") : offsetof<Image>("chunk8At");
}

/** The next piece of a chunk's rest: of a size whose cells lie as this chunk's do. */
function pieceOf(rest: u32, alignment: u32): u32 {
  if (alignment != 8) return alignment;
  const octets = min<u32>(LINEAR_MAX - 8, rest);
  return octets == 32 ? 24 : octets;
}

/** What is left of a chunk becomes free cells. */
function giveRest(image: Image, chunk: usize, alignment: u32): void {
  let rest = load<u32>(chunk, 4) - load<u32>(chunk);
  while (rest != 0) {
    const octets = pieceOf(rest, alignment);
    rest -= octets;
    giveBack(image, load<u32>(chunk) + rest, octets);
  }
}

/** The image has no chunks to cut cells from. */
export function hideChunks(image: Image): void {
  for (let alignment: u32 = 8; alignment <= 64; alignment += alignment == 8 ? 24 : 32)
    store<u64>(changetype<usize>(image) + chunkField(alignment), 0);
}

/** What is left of the chunks of a head, a copy of the image's, becomes free cells. */
export function giveChunks(image: Image, head: usize): void {
  for (let alignment: u32 = 8; alignment <= 64; alignment += alignment == 8 ? 24 : 32)
    giveRest(image, head + chunkField(alignment), alignment);
}

/** Starts a new chunk; what is left of the old one becomes free cells. */
function renewChunk(image: Image, chunk: usize, alignment: u32): bool {
  const block = takeBlock(image, CHUNK, PART_ALL);
  if (block == 0) return false;
  account(image, PART_ALL, 0 - CHUNK);
  giveRest(image, chunk, alignment);
  store<u32>(chunk, block);
  store<u32>(chunk, block + CHUNK, 4);
  return true;
}

/** The offset of a cell for so many octets, counted under a PART_; 0 if the image has no room. */
export function takeCell(image: Image, octets: u32, part: u32): u32 {
  const list = image.to(FREE_CELLS_AT + classOf(octets) * 4);
  const length = cellOctets(octets);
  let cell = load<u32>(list);
  if (cell != 0) {
    store<u32>(list, load<u32>(image.to(cell)));
  } else {
    const alignment = cellAlignment(length);
    const chunk = changetype<usize>(image) + chunkField(alignment);
    if (length > load<u32>(chunk, 4) - load<u32>(chunk) && !renewChunk(image, chunk, alignment)) return 0;
    cell = load<u32>(chunk);
    store<u32>(chunk, cell + length);
  }
  account(image, part, length);
  return cell;
}

/** Gives back a cell that was taken for so many octets. */
export function giveCell(image: Image, cell: u32, octets: u32, part: u32): void {
  giveBack(image, cell, octets);
  account(image, part, 0 - cellOctets(octets));
}
