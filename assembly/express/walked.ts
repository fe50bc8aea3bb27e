import { Image } from "../image";
import { State } from "../state";
import {
  isWalkKept,
  WALK_SEQUENCE,
  WALK_SHIFT,
  WALK_WAY,
  WAY_IN_MAX,
  WAY_IN_SHIFT,
  WAY_LED,
  WAY_RULES,
  walksAt,
} from "../table/flow/walks";
import { Lanes } from "./lanes";
import { FLOWS, INS, SESSIONS, WALKED } from "./layout";

/**
 * Packets whose ctstate does not say what rules make of them: what they made of the last one of the same direction is
 * known.
 */

/** Of four packets, those of which that is so (lanes), some of connections that IPVS leads; writes how many rules they walk. */
export function walkedBefore(image: Image, state: State, entry: usize, led: v128): v128 {
  const flows = v128.load(entry, FLOWS);
  const walks = i32x4.add(i32x4.shl(flows, WALK_SHIFT), i32x4.splat(<u32>walksAt(state)));
  const ways = Lanes.gatherAt(walks, WALK_WAY);
  const ins = v128.load(entry, INS);
  const own = i32x4.shl(i32x4.add(ins, i32x4.splat(1)), WAY_IN_SHIFT);
  const way = v128.or(own, v128.and(led, i32x4.splat(WAY_LED)));
  const rules = v128.and(ways, i32x4.splat(WAY_RULES));
  const isNow = i32x4.eq(Lanes.gatherAt(walks, WALK_SEQUENCE), i32x4.splat(image.sequence));
  const isSame = i32x4.eq(v128.xor(ways, rules), way);
  const isKnown = v128.and(v128.and(isNow, isSame), i32x4.le_u(ins, i32x4.splat(WAY_IN_MAX)));
  v128.store(entry, v128.bitselect(rules, v128.load(entry, WALKED), isKnown), WALKED);
  return isKnown;
}

/** Whether that is still so of a packet. */
export function isStillWalked(image: Image, state: State, entry: usize): bool {
  const isLed = load<u32>(entry, SESSIONS) != 0;
  const rules = load<u32>(entry, WALKED);
  return isWalkKept(state, load<u32>(entry, FLOWS), image.sequence, load<u32>(entry, INS), isLed, rules);
}
