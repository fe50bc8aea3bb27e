import {
  PARTS_COUNT,
  PARTS_FLAG_DF,
  PARTS_FLAG_OPTIONS,
  PARTS_FLAGS,
  PARTS_HEADER,
  PARTS_ID,
  PARTS_IP,
  PARTS_LENGTHS,
} from "../../assembly/abi/packet.js";
import type { Parts } from "../packet/fragment.js";

/** What a batch says at an octet of the fragments that a packet leaves in. */
export function partsAt(batch: DataView, at: number): Parts {
  const u16 = (field: number) => batch.getUint16(at + field, true);
  const flags = u16(PARTS_FLAGS);
  return {
    id: batch.getUint32(at + PARTS_ID, true),
    ipAt: u16(PARTS_IP),
    header: u16(PARTS_HEADER),
    keepsDf: (flags & PARTS_FLAG_DF) !== 0,
    keepsOptions: (flags & PARTS_FLAG_OPTIONS) !== 0,
    lengths: Array.from({ length: u16(PARTS_COUNT) }, (_, index) => u16(PARTS_LENGTHS + 2 * index)),
  };
}
