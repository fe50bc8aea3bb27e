import { BATCH_CAPACITY, BURST_LEN, COLUMN_CONNECTION, COLUMN_VERDICT } from "../abi/packet";
import { DROP_NO_CONNECTION, VERDICT_FORWARD } from "../abi/verdict";
import { leadKnown } from "../director/hooks";
import { isStill } from "../express/follow";
import { askNothing } from "../express/kinds";
import { FLOWS } from "../express/layout";
import { receive as receiveBurst } from "../express/receive";
import { findConnections } from "../express/resolve";
import { planTranslations, writeTranslation } from "../express/translate";
import { Image } from "../image";
import { Packet } from "../packet";
import { lookUp, redirect, resource, track } from "../stage/conntrack";
import { parse } from "../stage/parse";
import { translate } from "../stage/translate";
import { State } from "../state";
import { connectionAt } from "../table/flow/lookup";
import { keepLed } from "./keep";
import { cell, enter, expressAt, receive, scratchAt } from "./run";

/** A packet of a connection gets what that has for it; any other stays as it is. */
function give(packet: Packet): void {
  lookUp(packet);
  if (!track(packet)) return;
  if (packet.flow == 0) {
    packet.punt(DROP_NO_CONNECTION);
    return;
  }
  redirect(packet);
  leadKnown(packet);
  resource(packet);
  if (packet.family != 6) keepLed(packet, connectionAt(packet.state, packet.flow >> 1));
  translate(packet);
  packet.decide(VERDICT_FORWARD, 0);
}

/** A packet through the stages, for the columns. */
function translateOther(image: Image, state: State, batch: usize, index: u32): void {
  const packet = Packet.at(batch + scratchAt(load<u32>(batch, BATCH_CAPACITY)));
  if (receive(packet, image, state, batch, index) && parse(packet)) give(packet);
  store<u32>(cell(batch, COLUMN_VERDICT, index), packet.verdict | (packet.reason << 8));
  store<u32>(cell(batch, COLUMN_CONNECTION, index), packet.flow >> 1);
}

function translateBurst(image: Image, state: State, batch: usize, first: u32, count: u32): void {
  const scratch = expressAt(batch);
  const fits = receiveBurst(image, batch, first, count, scratch, false);
  const steady = findConnections(image, state, scratch, count, fits);
  if (steady != 0) planTranslations(scratch, count);
  const verdicts = cell(batch, COLUMN_VERDICT, first);
  const connections = cell(batch, COLUMN_CONNECTION, first);
  let changed = false;
  for (let i: u32 = 0; i < count; i++) {
    if (((steady >> i) & 1) != 0 && (!changed || isStill(image, state, scratch, i))) {
      writeTranslation(image, state, scratch, i);
      store<u32>(verdicts + (i << 2), VERDICT_FORWARD);
      store<u32>(connections + (i << 2), load<u32>(scratch + (i << 2), FLOWS) >> 1);
    } else {
      translateOther(image, state, batch, first + i);
      changed = true;
    }
  }
}

/** Translates packets 0 … count - 1 of a batch as their connections say; no rule, no route. False where the image moved. */
export function translateBatch(image: Image, state: State, batch: usize, count: u32, now: u64): bool {
  state.now = max<u64>(state.now, now);
  askNothing(expressAt(batch));
  const total = min<u32>(count, load<u32>(batch, BATCH_CAPACITY));
  for (let first: u32 = 0; first < total; first += BURST_LEN) {
    if (!enter(image, state)) return false;
    translateBurst(image, state, batch, first, min<u32>(BURST_LEN, total - first));
    state.setBusy(false);
  }
  return true;
}
