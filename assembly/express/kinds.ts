import {
  CTSTATE_DNAT,
  CTSTATE_ESTABLISHED,
  CTSTATE_NEW,
  CTSTATE_SNAT,
  HOOK_FORWARD,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
} from "../abi/entry";
import { Image } from "../image";
import { foregoneAt } from "../stage/netfilter";
import { NOT_FOREGONE } from "../table/rules/foregone";
import { KIND_COUNT, KIND_UNTRACKED, KINDS, WALK_STACK } from "./layout";

const KIND_SHIFT: u32 = 4;

/** The kind of an established connection's packets, by its flags. */
export function kindOf(flags: u32): u32 {
  return (flags & (CTSTATE_DNAT | CTSTATE_SNAT)) >> KIND_SHIFT;
}

function ctstateOf(kind: u32): u32 {
  return kind == KIND_UNTRACKED ? CTSTATE_NEW : CTSTATE_ESTABLISHED | (kind << KIND_SHIFT);
}

/** Rules that a forwarded packet walks at its three hooks. */
function walkedBy(image: Image, ctstate: u32, stack: usize): u32 {
  const before = foregoneAt(image, HOOK_PREROUTING, ctstate, stack);
  const midway = foregoneAt(image, HOOK_FORWARD, ctstate, stack);
  const after = foregoneAt(image, HOOK_POSTROUTING, ctstate, stack);
  if (before == NOT_FOREGONE || midway == NOT_FOREGONE || after == NOT_FOREGONE) return NOT_FOREGONE;
  return before + midway + after;
}

/** Asks the rules once for every kind of packet; false where none of them may go the express way. */
export function askRules(image: Image, scratch: usize): bool {
  let any = false;
  for (let kind: u32 = 0; kind < KIND_COUNT; kind++) {
    const walked = walkedBy(image, ctstateOf(kind), scratch + WALK_STACK);
    store<u32>(scratch + (kind << 2), walked, KINDS);
    any = any || walked != NOT_FOREGONE;
  }
  return any;
}
