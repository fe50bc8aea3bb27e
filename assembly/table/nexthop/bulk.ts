import { NEXT_HOP_ENTRY_LEN } from "../../abi/entry";
import { STATUS_BAD_ENTRY, STATUS_NO_SPACE, STATUS_OK } from "../../abi/image";
import { Image } from "../../image";
import { hasSource6, hopsReach, isEntry, NEXT_HOPS_MAX, nextHopSet } from "./build";

/** Sets next hops 0 … count - 1 from entries one behind another, all or none. */
export function nextHopsSet(image: Image, entries: usize, count: u32): u32 {
  if (count > NEXT_HOPS_MAX) return STATUS_BAD_ENTRY;
  let is6: bool = false;
  for (let i: u32 = 0; i < count; i++) {
    const entry = entries + i * NEXT_HOP_ENTRY_LEN;
    if (!isEntry(entry)) return STATUS_BAD_ENTRY;
    is6 = is6 || hasSource6(entry);
  }
  if (count != 0 && !hopsReach(image, count - 1, is6)) return STATUS_NO_SPACE;
  for (let number: u32 = 0; number < count; number++)
    nextHopSet(image, number, entries + number * NEXT_HOP_ENTRY_LEN);
  return STATUS_OK;
}
