import { NEXT_HOP_ENTRY_LEN } from "../../abi/entry";
import { STATUS_BAD_ENTRY, STATUS_OK } from "../../abi/image";
import { Image } from "../../image";
import { isEntry, NEXT_HOPS_MAX, nextHopSet } from "./build";

/** Sets next hops 0 … count - 1 from entries one behind another, all or none. */
export function nextHopsSet(image: Image, entries: usize, count: u32): u32 {
  if (count > NEXT_HOPS_MAX) return STATUS_BAD_ENTRY;
  for (let i: u32 = 0; i < count; i++)
    if (!isEntry(entries + i * NEXT_HOP_ENTRY_LEN)) return STATUS_BAD_ENTRY;
  // The last first: the directory grows once, or not at all.
  for (let number = count; number > 0; number--) {
    const status = nextHopSet(image, number - 1, entries + (number - 1) * NEXT_HOP_ENTRY_LEN);
    if (status != STATUS_OK) return status;
  }
  return STATUS_OK;
}
