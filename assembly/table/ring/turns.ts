import { SCHEDULER_CODE_MASK, SCHEDULER_FO, SCHEDULER_MAGLEV, SCHEDULER_SH } from "../../abi/server";
import { DRAW_TURN } from "../../abi/trace";
import { Packet } from "../../packet";
import { replayed } from "../../random";
import { REAL_NONE, RING_COUNT, RING_SCHEDULER } from "./layout";
import { canTake } from "./lookup";

/** Whether what was picked before says what a scheduler picks next. */
function takesTurns(code: u32): bool {
  return code < SCHEDULER_SH || code > SCHEDULER_MAGLEV;
}

/**
 * Which real server it is to be where a run is told its choices (random.ts): of those that its scheduler may come to,
 * whatever connections there are, the told one or the next. fo has but one while none is overloaded; what hashes has no
 * choice.
 */
export function replayTurn(packet: Packet, ring: usize, picked: u32): u32 {
  const code = load<u32>(ring, RING_SCHEDULER) & SCHEDULER_CODE_MASK;
  if (picked == REAL_NONE || !takesTurns(code)) return picked;
  const isSettled = code == SCHEDULER_FO;
  const count = load<u32>(ring, RING_COUNT);
  const told = replayed(packet, DRAW_TURN, isSettled ? 1 : count, isSettled ? 0 : picked);
  // What lblc remembers may take nothing new, and is picked all the same.
  if (isSettled || told == picked) return picked;
  for (let tried: u32 = 0; tried < count; tried++) {
    const position = (told + tried) % count;
    if (canTake(packet.image, packet.state, ring, position)) return position;
  }
  return picked;
}
