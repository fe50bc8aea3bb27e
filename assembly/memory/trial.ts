import { PART_ALL } from "../abi/image";
import { FREE_LISTS_AT, IMAGE_HEAD_LEN, Image, SCRATCH_AT } from "../image";
import { account, giveBlock, spareOctets } from "./arena";
import { giveChunks, hideChunks } from "./cells";

/**
 * A trial: until it ends, whatever is taken is memory that was never used, so that who changes nothing else of the
 * image can have it all undone. A copy of the head stands where the trial's memory begins.
 */

/** Begins a trial: the offset of the head's copy, 0 without room. */
export function beginTrial(image: Image): u32 {
  if (spareOctets(image) < IMAGE_HEAD_LEN) return 0;
  const copy = image.top;
  memory.copy(image.to(copy), changetype<usize>(image), IMAGE_HEAD_LEN);
  image.top += IMAGE_HEAD_LEN;
  memory.fill(image.to(FREE_LISTS_AT), 0, SCRATCH_AT - FREE_LISTS_AT);
  hideChunks(image);
  return copy;
}

/** Ends a trial as though it had never begun. */
export function undoTrial(image: Image, copy: u32): void {
  memory.copy(changetype<usize>(image), image.to(copy), IMAGE_HEAD_LEN);
}

/** Ends a trial whose memory is in use now; what was free before it is free again. */
export function keepTrial(image: Image, copy: u32): void {
  for (let list = FREE_LISTS_AT; list < SCRATCH_AT; list += 4) {
    const before = load<u32>(image.to(copy + list));
    if (before == 0) continue;
    let last = before;
    for (let next = last; next != 0; next = load<u32>(image.to(next))) last = next;
    store<u32>(image.to(last), load<u32>(image.to(list)));
    store<u32>(image.to(list), before);
  }
  giveChunks(image, image.to(copy));
  memory.fill(image.to(copy), 0, IMAGE_HEAD_LEN);
  account(image, PART_ALL, IMAGE_HEAD_LEN);
  giveBlock(image, copy, IMAGE_HEAD_LEN, PART_ALL);
}
