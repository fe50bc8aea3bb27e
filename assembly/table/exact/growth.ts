import { Image } from "../../image";
import { giveBlock, takeUnclearedBlock } from "../../memory/arena";
import {
  BUCKET_LEN,
  EXACT_BUCKETS_AT,
  EXACT_LOG2,
  EXACT_NEXT,
  EXACT_NEXT_AT,
  EXACT_PROGRESS,
} from "./layout";

/**
 * Growth of an exact-match table of either family, a little with every entry that is added, so that no change waits
 * for all of it: twice as many buckets are taken and cleared, then the old ones' entries are put into them one bucket
 * after another, and then they take the old ones' place. Until then look-ups know the old ones alone; what changes in
 * a bucket that was copied changes in both. It is over long before the old ones are full.
 */

const CLEARED_A_STEP: u32 = 32;
const COPIED_A_STEP: u32 = 8;

/** How many new buckets there are, which are cleared first. */
function newBuckets(head: usize): u32 {
  return (<u32>2) << load<u32>(head, EXACT_LOG2);
}

export function isGrowing(head: usize): bool {
  return load<u32>(head, EXACT_NEXT_AT) != 0;
}

/** Takes the new buckets; false, and nothing changed, without room. */
export function beginGrowth(image: Image, head: usize, part: u32): bool {
  const next = takeUnclearedBlock(image, newBuckets(head) * BUCKET_LEN, part);
  if (next == 0) return false;
  store<u32>(head, load<u32>(head, EXACT_LOG2) + 1, EXACT_NEXT + EXACT_LOG2);
  store<u32>(head, next, EXACT_NEXT_AT);
  store<u32>(head, 0, EXACT_PROGRESS);
  return true;
}

/** Clears some of the new buckets; false if all were clear. */
export function clearSome(image: Image, head: usize): bool {
  const cleared = load<u32>(head, EXACT_PROGRESS);
  const count = newBuckets(head);
  if (cleared >= count) return false;
  const some = min(CLEARED_A_STEP, count - cleared);
  memory.fill(image.to(load<u32>(head, EXACT_NEXT_AT)) + cleared * BUCKET_LEN, 0, some * BUCKET_LEN);
  store<u32>(head, cleared + some, EXACT_PROGRESS);
  return true;
}

/** Whether the entries of the old bucket at an index are in the new ones too. */
export function isCopied(head: usize, index: u32): bool {
  return newBuckets(head) + index < load<u32>(head, EXACT_PROGRESS);
}

/** The old buckets to copy next, all new ones being clear: from here … */
export function copyFrom(head: usize): u32 {
  return load<u32>(head, EXACT_PROGRESS) - newBuckets(head);
}

/** … to before here. */
export function copyTo(head: usize): u32 {
  return min(copyFrom(head) + COPIED_A_STEP, newBuckets(head) >> 1);
}

/** Notes that old buckets were copied up to an index; after the last one the new ones take their place. */
export function noteCopied(image: Image, head: usize, index: u32, part: u32): void {
  const count = newBuckets(head);
  if (index < count >> 1) {
    store<u32>(head, count + index, EXACT_PROGRESS);
    return;
  }
  giveBlock(image, load<u32>(head, EXACT_BUCKETS_AT), (count >> 1) * BUCKET_LEN, part);
  store<u32>(head, load<u32>(head, EXACT_NEXT_AT), EXACT_BUCKETS_AT);
  store<u32>(head, load<u32>(head, EXACT_LOG2) + 1, EXACT_LOG2);
  store<u32>(head, 0, EXACT_NEXT_AT);
  store<u32>(head, 0, EXACT_PROGRESS);
}

/** Gives the new buckets back: another way was found. */
export function dropGrowth(image: Image, head: usize, part: u32): void {
  giveBlock(image, load<u32>(head, EXACT_NEXT_AT), newBuckets(head) * BUCKET_LEN, part);
  store<u32>(head, 0, EXACT_NEXT_AT);
  store<u32>(head, 0, EXACT_PROGRESS);
}
