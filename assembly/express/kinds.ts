import { CTSTATE_ESTABLISHED, HOOK_FORWARD, HOOK_POSTROUTING, HOOK_PREROUTING } from "../abi/entry";
import { Image } from "../image";
import { foregoneAt } from "../stage/netfilter";
import { DIRECTION_ORIGINAL, FLOW_FLAG_IPVS } from "../table/flow/layout";
import { NOT_FOREGONE } from "../table/rules/foregone";
import { KIND_BALANCED, KINDS, WALK_STACK } from "./layout";

/** Where a connection's flags say whether its destination and its source are translated, which is its packets' kind. */
export const KIND_SHIFT: u32 = 4;
/** Kinds of connections but for who balances them. */
export const KIND_MASK: u32 = 3;

/** Rules that a packet walks on its way past the node. */
function walkedBy(image: Image, kind: u32, stack: usize): u32 {
  const ctstate = CTSTATE_ESTABLISHED | (kind << KIND_SHIFT);
  const before = foregoneAt(image, HOOK_PREROUTING, ctstate, stack);
  const midway = foregoneAt(image, HOOK_FORWARD, ctstate, stack);
  const after = foregoneAt(image, HOOK_POSTROUTING, ctstate, stack);
  const isOpen = before == NOT_FOREGONE || midway == NOT_FOREGONE || after == NOT_FOREGONE;
  return isOpen ? NOT_FOREGONE : before + midway + after;
}

/**
 * Asks the rules once for every kind of packet. IPVS leads what has come in to the node: which of its packets have, only the
 * route says.
 */
export function askRules(image: Image, scratch: usize): void {
  for (let kind: u32 = 0; kind < KIND_BALANCED; kind++)
    store<u32>(scratch + (kind << 2), walkedBy(image, kind, scratch + WALK_STACK), KINDS);
  store<u32>(scratch + (KIND_BALANCED << 2), NOT_FOREGONE, KINDS);
}

/** Whether the rules that a connection's packets of a direction walk are known from their kind. */
export function isForegone(scratch: usize, flags: u32, direction: u32): bool {
  const isBalanced = (flags & FLOW_FLAG_IPVS) != 0 && direction == DIRECTION_ORIGINAL;
  const kind = isBalanced ? KIND_BALANCED : (flags >> KIND_SHIFT) & KIND_MASK;
  return load<u32>(scratch + (kind << 2), KINDS) != NOT_FOREGONE;
}

/** No rule is asked: every kind of packet may go the express way. */
export function askNothing(scratch: usize): void {
  for (let kind: u32 = 0; kind <= KIND_BALANCED; kind++) store<u32>(scratch + (kind << 2), 0, KINDS);
}
