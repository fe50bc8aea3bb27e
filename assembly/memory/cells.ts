import { PART_ALL } from "../abi/image";
import { FREE_CELLS_AT, Image } from "../image";
import { account, takeBlock } from "./arena";

/**
 * Small blocks: sizes in steps of 8 octets up to 64, then four sizes a doubling up to 2048, cut from larger blocks.
 * Unlike blocks they are not zeroed. They lie at multiples of 8, and of 32 if their size is one: the low five bits of
 * their offsets can then say something else. Each size has a list of cells given back.
 */
const LINEAR_MAX: u32 = 64;
export const CELL_MAX: u32 = 2048;
/** Cells are cut from blocks of this size: one at a time for multiples of 32, another one for the rest. */
const CHUNK: u32 = 4096;

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

/** Starts a new chunk; what is left of the old one becomes free cells. */
function renewChunk(image: Image, chunk: usize, is32: bool): bool {
  const block = takeBlock(image, CHUNK, PART_ALL);
  if (block == 0) return false;
  account(image, PART_ALL, 0 - CHUNK);
  let rest = load<u32>(chunk, 4) - load<u32>(chunk);
  while (rest != 0) {
    let octets = min<u32>(LINEAR_MAX, rest);
    if (!is32 && (octets & 31) == 0) octets -= 8;
    rest -= octets;
    giveBack(image, load<u32>(chunk) + rest, octets);
  }
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
    const is32 = (length & 31) == 0;
    const field = is32 ? offsetof<Image>("chunk32At") : offsetof<Image>("chunk8At");
    const chunk = changetype<usize>(image) + field;
    if (length > load<u32>(chunk, 4) - load<u32>(chunk) && !renewChunk(image, chunk, is32)) return 0;
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
