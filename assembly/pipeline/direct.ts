import { BATCH_CAPACITY, BURST_LEN, COLUMN_CONNECTION, COLUMN_VERDICT } from "../abi/packet";
import { SETTING_VS_CONN_REUSE_MODE, SETTING_VS_EXPIRE_NODEST_CONN } from "../abi/setting";
import {
  DROP_FLOW_TABLE_FULL,
  DROP_NO_CONNECTION,
  DROP_NO_DESTINATION,
  VERDICT_FORWARD,
} from "../abi/verdict";
import { Image } from "../image";
import { begin, isSession, SCHEDULE_FULL, SCHEDULE_REFUSED, SCHEDULE_SPARED } from "../ipvs/begin";
import { beginsAnew, isBalanced, maySchedule } from "../ipvs/begins";
import { expireNow, release } from "../ipvs/expire";
import { follow } from "../ipvs/follow";
import {
  findIn,
  findOut,
  isAvailable,
  isControlling,
  isMasqueraded,
  isReusable,
  serverOf,
  virtualOf,
  weightOf,
} from "../ipvs/session";
import { tick } from "../ipvs/tick";
import { Packet } from "../packet";
import { findService } from "../stage/ipvs";
import { parse } from "../stage/parse";
import { translate } from "../stage/translate";
import { State } from "../state";
import { DIRECTION_ORIGINAL, DIRECTION_REPLY } from "../table/flow/layout";
import { cell, enter, receive, scratchAt } from "./run";

/** A packet that would begin a connection finds one that is over. */
function isOver(packet: Packet, session: u32): bool {
  const image = packet.image;
  if (!beginsAnew(packet)) return false;
  if (image.setting(SETTING_VS_EXPIRE_NODEST_CONN) != 0 && weightOf(packet, session) == 0) return true;
  const mode = image.setting(SETTING_VS_CONN_REUSE_MODE);
  return mode != 0 && isReusable(packet, session, mode);
}

/** The packet's session, which is there or is opened; 0: it was decided, or is nobody's. */
function take(packet: Packet): u32 {
  let session = findIn(packet);
  if (session != 0 && isOver(packet, session)) {
    if (!isControlling(packet.state, session)) expireNow(packet.state, session);
    session = 0;
  }
  if (session != 0 && !isAvailable(packet, session)) {
    if (packet.image.setting(SETTING_VS_EXPIRE_NODEST_CONN) == 0) {
      packet.drop(DROP_NO_DESTINATION);
      return 0;
    }
    expireNow(packet.state, session);
    session = 0;
  }
  if (session != 0) return session;
  const service = maySchedule(packet) ? findService(packet) : 0;
  if (service == 0) return 0;
  const begun = begin(packet, service);
  if (isSession(begun)) return begun;
  if (begun == SCHEDULE_REFUSED) packet.reject(DROP_NO_DESTINATION);
  else if (begun == SCHEDULE_FULL || begun == SCHEDULE_SPARED) packet.drop(DROP_FLOW_TABLE_FULL);
  return 0;
}

/** An answer of a real server gets the virtual address, a request its real server. */
function direct(packet: Packet): void {
  if (!isBalanced(packet)) {
    packet.punt(DROP_NO_CONNECTION);
    return;
  }
  const answered = findOut(packet);
  const session = answered != 0 ? answered : take(packet);
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
