import { IMAGE_TAIL, PART_ALL } from "../abi/image";
import { FREE_LISTS_AT, Image } from "../image";

/**
 * Blocks of an image: powers of two of at least 64 octets, each class with a list of blocks given back (linked
 * through their first word). A block's contents are all zero when taken, unless it is asked for uncleared.
 */
const CLASS_MIN: u32 = 6;

function classOf(octets: u32): u32 {
  return octets <= 1 << CLASS_MIN ? CLASS_MIN : 32 - <u32>clz<u32>(octets - 1);
}

/** Octets of the block that holds so many. */
export function blockOctets(octets: u32): u64 {
  return (<u64>1) << classOf(octets);
}

/** Counts octets (two's complement: also fewer) of live blocks under a PART_, or under PART_ALL alone. */
export function account(image: Image, part: u32, octets: u32): void {
  const counters = changetype<usize>(image) + offsetof<Image>("octets0");
  store<u32>(counters + PART_ALL * 4, load<u32>(counters + PART_ALL * 4) + octets);
  if (part != PART_ALL) store<u32>(counters + part * 4, load<u32>(counters + part * 4) + octets);
}

export function octetsOf(image: Image, part: u32): u32 {
  return load<u32>(changetype<usize>(image) + offsetof<Image>("octets0") + part * 4);
}

/** Octets that can still be taken beside the blocks given back. */
export function spareOctets(image: Image): u32 {
  return image.capacity - IMAGE_TAIL - image.top;
}

/** Octets of fresh memory that a block for so many takes: none where one was given back. */
export function blockTakes(image: Image, octets: u32): u32 {
  const size = classOf(octets);
  return load<u32>(image.to(FREE_LISTS_AT + size * 4)) != 0 ? 0 : (<u32>1) << size;
}

/** The offset of a block for so many octets, counted under a PART_, with anything in it; 0 if the image has no room. */
export function takeUnclearedBlock(image: Image, octets: u32, part: u32): u32 {
  if (octets > 1 << 30) return 0;
  const size = classOf(octets);
  const length: u32 = 1 << size;
  const list = image.to(FREE_LISTS_AT + size * 4);
  let block = load<u32>(list);
  if (block != 0) {
    store<u32>(list, load<u32>(image.to(block)));
  } else {
    if (length > spareOctets(image)) return 0;
    block = image.top;
    image.top += length;
  }
  account(image, part, length);
  return block;
}

/** The offset of a zeroed block, as above. */
export function takeBlock(image: Image, octets: u32, part: u32): u32 {
  const block = takeUnclearedBlock(image, octets, part);
  if (block != 0) memory.fill(image.to(block), 0, (<usize>1) << classOf(octets));
  return block;
}

/** Gives back a block that was taken for so many octets. */
export function giveBlock(image: Image, block: u32, octets: u32, part: u32): void {
  const size = classOf(octets);
  const list = image.to(FREE_LISTS_AT + size * 4);
  store<u32>(image.to(block), load<u32>(list));
  store<u32>(list, block);
  account(image, part, 0 - ((<u32>1) << size));
}
