import {
  BATCH_CAPACITY,
  BATCH_HEADER_LEN,
  BATCH_SLOTS,
  BATCH_STRIDE,
  COLUMN_FRAME,
  COLUMN_IN,
  COLUMN_LENGTH,
  ENCAP_HEADROOM,
  INTERFACE_NODE,
} from "../abi/packet";
import { JUDGED_LEN } from "./judge";
import { Lanes } from "./lanes";
import { FLOWS, GIVEN, INS, LENGTHS, SESSIONS, STARTS, TOUCHED } from "./layout";

const CACHE_LINE: i32 = 64;

/** Loads an octet from each of four addresses. */
function touch(addresses: v128): u32 {
  return (
    <u32>load<u8>(Lanes.address0(addresses)) +
    load<u8>(Lanes.address1(addresses)) +
    load<u8>(Lanes.address2(addresses)) +
    load<u8>(Lanes.address3(addresses))
  );
}

/** What packets without a place have; columns are read four entries at a time from any of them on. */
function clear(batch: usize, entry: usize): void {
  v128.store(entry, i32x4.splat(<u32>batch), STARTS);
  v128.store(entry, i32x4.splat(0), FLOWS);
  v128.store(entry, i32x4.splat(0), GIVEN);
  v128.store(entry, i32x4.splat(0), SESSIONS);
}

/**
 * Finds a burst's frames where the host placed them, and loads their first octets one after another and nothing else:
 * their ways from memory overlap then, which a loop that does more would not let them. Bits of the frames that are in
 * their slots, long enough to be judged and not made on the node; the others stand where anything may be read.
 */
export function place(batch: usize, first: u32, count: u32, scratch: usize): u64 {
  const columnLen = load<u32>(batch, BATCH_CAPACITY) << 2;
  const stride = load<u32>(batch, BATCH_STRIDE);
  const lanes = i32x4(0, 1, 2, 3);
  const slot = load<u32>(batch, BATCH_SLOTS) + first * stride;
  let slots = i32x4.add(i32x4.splat(slot), i32x4.mul(lanes, i32x4.splat(stride)));
  let cell = batch + BATCH_HEADER_LEN + (first << 2);
  let bits: u64 = 0;
  let touched: u32 = 0;
  for (let i: u32 = 0; i < count; i += 4) {
    const at = v128.load(cell + COLUMN_FRAME * columnLen);
    const length = v128.load(cell + COLUMN_LENGTH * columnLen);
    const ins = v128.load(cell + COLUMN_IN * columnLen);
    const before = i32x4.sub(at, slots);
    const isInside = v128.and(
      i32x4.le_u(length, i32x4.splat(stride)),
      i32x4.le_u(before, i32x4.sub(i32x4.splat(stride), length)),
    );
    const isRoomy = v128.and(
      i32x4.ge_u(before, i32x4.splat(ENCAP_HEADROOM)),
      i32x4.ge_u(length, i32x4.splat(JUDGED_LEN)),
    );
    const isHere = v128.and(
      i32x4.lt_u(lanes, i32x4.splat(count - i)),
      i32x4.ne(ins, i32x4.splat(INTERFACE_NODE)),
    );
    const fits = v128.and(v128.and(isInside, isRoomy), isHere);
    const starts = i32x4.add(v128.and(at, fits), i32x4.splat(<u32>batch));
    const entry = scratch + (i << 2);
    clear(batch, entry);
    v128.store(entry, starts, STARTS);
    v128.store(entry, length, LENGTHS);
    v128.store(entry, ins, INS);
    const further = i32x4.min_u(i32x4.sub(length, i32x4.splat(1)), i32x4.splat(CACHE_LINE));
    touched += touch(starts) + touch(i32x4.add(starts, v128.and(further, fits)));
    bits |= (<u64>(<u32>i32x4.bitmask(fits))) << i;
    slots = i32x4.add(slots, i32x4.splat(stride << 2));
    cell += 16;
  }
  clear(batch, scratch + (((count + 3) & ~3) << 2));
  store<u32>(scratch, touched, TOUCHED);
  return bits;
}
