import { BATCH_CAPACITY, BURST_LEN, COLUMN_VERDICT } from "../abi/packet";
import { SCHEDULER_MAGLEV } from "../abi/server";
import { DROP_NO_DESTINATION, VERDICT_FORWARD, VERDICT_REJECT } from "../abi/verdict";
import { GIVEN, TUPLES } from "../express/layout";
import { receiveSegments } from "../express/receive";
import { planTranslations, writeTranslation } from "../express/translate";
import { hashEnds } from "../hash";
import { Image } from "../image";
import { Packet } from "../packet";
import { balance } from "../stage/balance";
import { parse } from "../stage/parse";
import { translate } from "../stage/translate";
import { State } from "../state";
import {
  REAL_ADDRESS,
  REAL_LEN,
  REAL_NONE,
  REAL_PORT,
  RING_COUNT,
  RING_SCHEDULER,
  RING_SIZE,
} from "../table/ring/layout";
import { realOf, ringAt, slotOfHash, slotReal, slotsOf } from "../table/ring/lookup";
import { cell, enter, expressAt, receive, scratchAt } from "./run";

/** What the verdict column says of a plain packet. */
const REFUSED: u32 = VERDICT_REJECT | (DROP_NO_DESTINATION << 8);

/** A packet that is not plain, through the stages; what the verdict column says. */
function balanceOther(image: Image, state: State, batch: usize, index: u32, ring: usize): u32 {
  const packet = Packet.at(batch + scratchAt(load<u32>(batch, BATCH_CAPACITY)));
  if (receive(packet, image, state, batch, index) && parse(packet) && balance(packet, ring)) {
    translate(packet);
    packet.decide(VERDICT_FORWARD, 0);
  }
  return packet.verdict | (packet.reason << 8);
}

/** Chooses the destinations of a burst's segments (bits), and lays out what they get (express/layout's GIVEN). */
function choose(image: Image, ring: usize, scratch: usize, segments: u64): u64 {
  const size = load<u32>(ring, RING_SIZE);
  const slots = slotsOf(image, ring);
  const reals = realOf(image, ring, 0);
  const realCount = load<u32>(ring, RING_COUNT);
  let chosen: u64 = 0;
  for (let rest = segments; rest != 0; rest &= rest - 1) {
    const i = <u32>ctz<u64>(rest);
    const tuple = scratch + TUPLES + (i << 4);
    const slot = slotOfHash(hashEnds(load<u64>(tuple), load<u64>(tuple, 8)), size);
    const real = slotReal(slots, reals, realCount, slot);
    if (real == REAL_NONE) continue;
    const server = reals + real * REAL_LEN;
    // What it gets stands where its tuple was.
    store<u32>(tuple, load<u32>(tuple), 4);
    store<u32>(tuple, load<u32>(server, REAL_ADDRESS));
    store<u32>(tuple, (load<u32>(server, REAL_PORT) << 16) | (load<u32>(tuple, 8) >> 16), 8);
    store<u32>(scratch + (i << 2), <u32>tuple, GIVEN);
    chosen |= (<u64>1) << i;
  }
  return chosen;
}

function balanceBurst(image: Image, state: State, batch: usize, first: u32, count: u32, ring: usize): void {
  const scratch = expressAt(batch);
  const segments = receiveSegments(batch, first, count, scratch);
  const chosen = choose(image, ring, scratch, segments);
  if (chosen != 0) planTranslations(scratch, count);
  const verdicts = cell(batch, COLUMN_VERDICT, first);
  for (let i: u32 = 0; i < count; i++) {
    let verdict = REFUSED;
    if (((chosen >> i) & 1) != 0) {
      writeTranslation(image, state, scratch, i);
      verdict = VERDICT_FORWARD;
    } else if (((segments >> i) & 1) == 0) verdict = balanceOther(image, state, batch, first + i, ring);
    store<u32>(verdicts + (i << 2), verdict);
  }
}

/** Balances the first packets of a batch over a ring's slots; false where it is none of SCHEDULER_MAGLEV's. */
export function balanceBatch(image: Image, state: State, number: u32, batch: usize, count: u32): bool {
  if (number >= image.serversRoom) return false;
  const ring = ringAt(image, number);
  if (load<u32>(ring, RING_SCHEDULER) != SCHEDULER_MAGLEV) return false;
  const total = min<u32>(count, load<u32>(batch, BATCH_CAPACITY));
  for (let first: u32 = 0; first < total; first += BURST_LEN) {
    if (!enter(image, state)) return false;
    balanceBurst(image, state, batch, first, min<u32>(BURST_LEN, total - first), ring);
    state.setBusy(false);
  }
  return true;
}
