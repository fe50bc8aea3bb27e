import { SCHEDULER_MAGLEV } from "../abi/entry";
import {
  BATCH_CAPACITY,
  BATCH_SLOTS,
  BATCH_STRIDE,
  COLUMN_FRAME,
  COLUMN_LENGTH,
  COLUMN_VERDICT,
} from "../abi/packet";
import { DROP_NO_DESTINATION, VERDICT_FORWARD, VERDICT_REJECT } from "../abi/verdict";
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
import { PlainFrame } from "../wire/plain";
import { cell, receive, scratchAt } from "./run";

/** What the verdict column says of a plain packet. */
const REFUSED: u32 = VERDICT_REJECT | (DROP_NO_DESTINATION << 8);

/** The lower half of a u64. */
const PORTS: u64 = 0xffffffff;

/** A packet that is not plain, through the stages; what the verdict column says. */
function balanceOther(image: Image, state: State, batch: usize, index: u32, ring: usize): u32 {
  const packet = Packet.at(batch + scratchAt(load<u32>(batch, BATCH_CAPACITY)));
  if (receive(packet, image, state, batch, index) && parse(packet) && balance(packet, ring)) {
    translate(packet);
    packet.decide(VERDICT_FORWARD, 0);
  }
  return packet.verdict | (packet.reason << 8);
}

/** Balances the first packets of a batch over a ring's slots; false where it is none of SCHEDULER_MAGLEV's. */
export function balanceBatch(image: Image, state: State, number: u32, batch: usize, count: u32): bool {
  if (number >= image.serversRoom) return false;
  const ring = ringAt(image, number);
  if (load<u32>(ring, RING_SCHEDULER) != SCHEDULER_MAGLEV) return false;
  const size = load<u32>(ring, RING_SIZE);
  const slots = slotsOf(image, ring);
  const reals = realOf(image, ring, 0);
  const realCount = load<u32>(ring, RING_COUNT);
  const frames = cell(batch, COLUMN_FRAME, 0);
  const lengths = cell(batch, COLUMN_LENGTH, 0);
  const verdicts = cell(batch, COLUMN_VERDICT, 0);
  const stride = load<u32>(batch, BATCH_STRIDE);
  const last = min<u32>(count, load<u32>(batch, BATCH_CAPACITY));
  let from = load<u32>(batch, BATCH_SLOTS);
  for (let i: u32 = 0; i < last; i++, from += stride) {
    const at = load<u32>(frames + (i << 2));
    const length = load<u32>(lengths + (i << 2));
    const frame = PlainFrame.at(batch + at);
    let verdict = VERDICT_FORWARD;
    if (at < from || length > stride || at - from > stride - length || !frame.isPlain(length)) {
      verdict = balanceOther(image, state, batch, i, ring);
    } else {
      const ends = frame.ends;
      const rest = (i64x2.extract_lane(ends, 1) & PORTS) | ((<u64>frame.protocol) << 32);
      const slot = slotOfHash(hashEnds(i64x2.extract_lane(ends, 0), rest), size);
      const real = slotReal(slots, reals, realCount, slot);
      const server = reals + real * REAL_LEN;
      if (real == REAL_NONE) verdict = REFUSED;
      else frame.redirect(load<u32>(server, REAL_ADDRESS), load<u32>(server, REAL_PORT));
    }
    store<u32>(verdicts + (i << 2), verdict);
  }
  return true;
}
