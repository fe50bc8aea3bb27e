import { Image } from "../image";
import { State } from "../state";
import {
  isWayKept,
  WALK_SEQUENCE,
  WALK_WAYS,
  WAY_IN_MAX,
  WAY_IN_SHIFT,
  WAY_RULES,
  wayOf,
} from "../table/flow/walks";
import { Lanes } from "./lanes";
import { FLOWS, INS, WALKED } from "./layout";

/**
 * Packets whose ctstate does not say what rules make of them: what they made of the last one of the same direction is
 * known.
 */

/** Of four packets, whose connections' walks stand at addresses (lanes), those of which that is so; writes how many rules they walk. */
export function walkedBefore(image: Image, entry: usize, walks: v128): v128 {
  const direction = v128.and(v128.load(entry, FLOWS), i32x4.splat(1));
  const ways = Lanes.gatherAt(i32x4.add(walks, i32x4.shl(direction, 2)), WALK_WAYS);
  const ins = v128.load(entry, INS);
  const own = i32x4.shl(i32x4.add(ins, i32x4.splat(1)), WAY_IN_SHIFT);
  const rules = v128.and(ways, i32x4.splat(WAY_RULES));
  const isNow = i32x4.eq(Lanes.gatherAt(walks, WALK_SEQUENCE), i32x4.splat(image.sequence));
  const isSame = i32x4.eq(v128.xor(ways, rules), own);
  const isKnown = v128.and(v128.and(isNow, isSame), i32x4.le_u(ins, i32x4.splat(WAY_IN_MAX)));
  v128.store(entry, v128.bitselect(rules, v128.load(entry, WALKED), isKnown), WALKED);
  return isKnown;
}

/** Whether that is still so of a packet. */
export function isStillWalked(image: Image, state: State, entry: usize): bool {
  const way = wayOf(load<u32>(entry, INS), load<u32>(entry, WALKED));
  return isWayKept(state, load<u32>(entry, FLOWS), image.sequence, way);
}
