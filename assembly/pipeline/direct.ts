import { BATCH_CAPACITY, BURST_LEN, COLUMN_CONNECTION, COLUMN_VERDICT } from "../abi/packet";
import { DROP_NO_CONNECTION, VERDICT_FORWARD } from "../abi/verdict";
import { takeSession } from "../director/hooks";
import { Image } from "../image";
import { isBalanced } from "../ipvs/begins";
import { release } from "../ipvs/expire";
import { follow } from "../ipvs/follow";
import { findOut, isMasqueraded, serverOf, virtualOf } from "../ipvs/session";
import { tick } from "../ipvs/tick";
import { Packet } from "../packet";
import { parse } from "../stage/parse";
import { translate } from "../stage/translate";
import { State } from "../state";
import { DIRECTION_ORIGINAL, DIRECTION_REPLY } from "../table/flow/layout";
import { cell, enter, receive, scratchAt } from "./run";

/** An answer of a real server gets the virtual address, a request its real server. */
function direct(packet: Packet): void {
  if (!isBalanced(packet)) {
    packet.punt(DROP_NO_CONNECTION);
    return;
  }
  const answered = findOut(packet);
  const session = answered != 0 ? answered : takeSession(packet);
  if (session == 0) {
    if (packet.isUndecided) packet.punt(DROP_NO_CONNECTION);
    return;
  }
  follow(packet, session, answered != 0 ? DIRECTION_REPLY : DIRECTION_ORIGINAL);
  if (isMasqueraded(packet.state, session)) {
    if (answered != 0) virtualOf(packet, session);
    else serverOf(packet, session);
    translate(packet);
  }
  packet.flow = session << 1;
  release(packet.image, packet.state, session);
  packet.decide(VERDICT_FORWARD, 0);
}

function directBurst(image: Image, state: State, batch: usize, first: u32, count: u32): void {
  const packet = Packet.at(batch + scratchAt(load<u32>(batch, BATCH_CAPACITY)));
  tick(image, state);
  for (let i: u32 = 0; i < count; i++) {
    const index = first + i;
    if (receive(packet, image, state, batch, index) && parse(packet)) direct(packet);
    store<u32>(cell(batch, COLUMN_VERDICT, index), packet.verdict | (packet.reason << 8));
    store<u32>(cell(batch, COLUMN_CONNECTION, index), packet.flow >> 1);
  }
}

/** Runs packets 0 … count - 1 of a batch through IPVS alone; false where the image moved. */
export function directBatch(image: Image, state: State, batch: usize, count: u32, now: u64): bool {
  state.now = max<u64>(state.now, now);
  const total = min<u32>(count, load<u32>(batch, BATCH_CAPACITY));
  for (let first: u32 = 0; first < total; first += BURST_LEN) {
    if (!enter(image, state)) return false;
    directBurst(image, state, batch, first, min<u32>(BURST_LEN, total - first));
    state.setBusy(false);
  }
  return true;
}
