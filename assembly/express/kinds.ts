import {
  CTSTATE_ESTABLISHED,
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
} from "../abi/entry";
import { Image } from "../image";
import { foregoneAt } from "../stage/netfilter";
import { DIRECTION_ORIGINAL, FLOW_FLAG_IPVS } from "../table/flow/layout";
import { NOT_FOREGONE } from "../table/rules/foregone";
import { KIND_BALANCED, KIND_COUNT, KINDS, WALK_STACK } from "./layout";

/** Where a connection's flags say whether its destination and its source are translated, which is its packets' kind. */
export const KIND_SHIFT: u32 = 4;
/** Kinds of connections but for who balances them. */
export const KIND_MASK: u32 = 3;

function ctstateOf(kind: u32): u32 {
  return CTSTATE_ESTABLISHED | ((kind & (KIND_BALANCED - 1)) << KIND_SHIFT);
}

/** A sum of rules, where neither is NOT_FOREGONE. */
function plus(a: u32, b: u32): u32 {
  return a == NOT_FOREGONE || b == NOT_FOREGONE ? NOT_FOREGONE : a + b;
}

/** Rules that a packet walks on its way past the node, or in to IPVS and out again. */
function walkedBy(image: Image, kind: u32, stack: usize): u32 {
  const ctstate = ctstateOf(kind);
  const before = foregoneAt(image, HOOK_PREROUTING, ctstate, stack);
  const after = foregoneAt(image, HOOK_POSTROUTING, ctstate, stack);
  const midway =
    kind < KIND_BALANCED
      ? foregoneAt(image, HOOK_FORWARD, ctstate, stack)
      : plus(foregoneAt(image, HOOK_INPUT, ctstate, stack), foregoneAt(image, HOOK_OUTPUT, ctstate, stack));
  return plus(before, plus(midway, after));
}

/** Asks the rules once for every kind of packet. */
export function askRules(image: Image, scratch: usize): void {
  for (let kind: u32 = 0; kind < KIND_COUNT; kind++)
    store<u32>(scratch + (kind << 2), walkedBy(image, kind, scratch + WALK_STACK), KINDS);
}

/** Whether the rules that a connection's packets of a direction walk are known from their kind. */
export function isForegone(scratch: usize, flags: u32, direction: u32): bool {
  const isBalanced = (flags & FLOW_FLAG_IPVS) != 0 && direction == DIRECTION_ORIGINAL;
  const kind = ((flags >> KIND_SHIFT) & KIND_MASK) + (isBalanced ? KIND_BALANCED : 0);
  return load<u32>(scratch + (kind << 2), KINDS) != NOT_FOREGONE;
}

/** No rule is asked: every kind of packet may go the express way. */
export function askNothing(scratch: usize): void {
  for (let kind: u32 = 0; kind < KIND_COUNT; kind++) store<u32>(scratch + (kind << 2), 0, KINDS);
}
