import { BATCH_CAPACITY, BURST_LEN, COLUMN_CONNECTION, COLUMN_VERDICT } from "../abi/packet";
import { DROP_NO_CONNECTION, VERDICT_FORWARD } from "../abi/verdict";
import { takeSession } from "../director/hooks";
import { scheduleAt } from "../director/schedule";
import { receiveSegments } from "../express/receive";
import { planTranslations, writeTranslation } from "../express/translate";
import { Image } from "../image";
import { isBalanced } from "../ipvs/begins";
import { release } from "../ipvs/expire";
import { follow } from "../ipvs/follow";
import { findOut, isMasqueraded, serverOf, virtualOf } from "../ipvs/session";
import { tick } from "../ipvs/tick";
import { SERVICES } from "../opening/layout";
import { countOpened, isPicked, open, pickedOf, UNTOUCHED } from "../opening/open";
import { planOpenings } from "../opening/plan";
import { PACKET_LEN, Packet } from "../packet";
import { parse } from "../stage/parse";
import { translate } from "../stage/translate";
import { State } from "../state";
import { DIRECTION_ORIGINAL, DIRECTION_REPLY } from "../table/flow/layout";
import { ipvsOf } from "../table/ipvs/layout";
import { cell, enter, expressAt, receive, scratchAt } from "./run";

/** An answer of a real server gets the virtual address, a request its real server. */
function direct(packet: Packet): void {
  if (!isBalanced(packet)) {
    packet.punt(DROP_NO_CONNECTION);
    return;
  }
  const answered = findOut(packet);
  if (answered != 0) lead(packet, answered, DIRECTION_REPLY);
  else lead(packet, takeSession(packet), DIRECTION_ORIGINAL);
}

/** Sends a packet of a session on its way; 0: there is none, and perhaps a verdict. */
function lead(packet: Packet, session: u32, direction: u32): void {
  if (session == 0) {
    if (packet.isUndecided) packet.punt(DROP_NO_CONNECTION);
    return;
  }
  follow(packet, session, direction);
  if (isMasqueraded(packet.state, session)) {
    if (direction == DIRECTION_REPLY) virtualOf(packet, session);
    else serverOf(packet, session);
    translate(packet);
  }
  packet.flow = session << 1;
  release(packet.image, packet.state, session);
  packet.decide(VERDICT_FORWARD, 0);
}

/** A packet through the stages, for the columns; where `picked` says so, to the destination that its scheduler has picked. */
function directOne(
  packet: Packet,
  image: Image,
  state: State,
  batch: usize,
  index: u32,
  service: u32,
  picked: u32,
): void {
  if (receive(packet, image, state, batch, index) && parse(packet)) {
    if (isPicked(picked)) lead(packet, scheduleAt(packet, service, pickedOf(picked)), DIRECTION_ORIGINAL);
    else direct(packet);
  }
  store<u32>(cell(batch, COLUMN_VERDICT, index), packet.verdict | (packet.reason << 8));
  store<u32>(cell(batch, COLUMN_CONNECTION, index), packet.flow >> 1);
}

/** Writes the frames of packets (bits) whose sessions were opened. */
function writeOpened(image: Image, state: State, scratch: usize, plan: usize, count: u32, opened: u64): void {
  countOpened(ipvsOf(state), plan);
  planTranslations(scratch, count);
  for (let rest = opened; rest != 0; rest &= rest - 1)
    writeTranslation(image, state, scratch, <u32>ctz<u64>(rest));
}

/**
 * A burst: what may begin a plain connection is looked ahead at, all packets together; what each does is settled in their order, since
 * every one may change what the next meets.
 */
function directBurst(image: Image, state: State, batch: usize, first: u32, count: u32): void {
  const packet = Packet.at(batch + scratchAt(load<u32>(batch, BATCH_CAPACITY)));
  const plan = changetype<usize>(packet) + PACKET_LEN;
  const scratch = expressAt(batch);
  tick(image, state);
  let planned: u64 = 0;
  if (!TRACE) {
    const segments = receiveSegments(batch, first, count, scratch);
    planned = planOpenings(image, state, scratch, plan, count, segments);
  }
  const verdicts = cell(batch, COLUMN_VERDICT, first);
  const connections = cell(batch, COLUMN_CONNECTION, first);
  let opened: u64 = 0;
  clearFor(packet, image, state);
  for (let i: u32 = 0; i < count; i++) {
    let answer = UNTOUCHED;
    if (((planned >> i) & 1) != 0) {
      answer = open(packet, ipvsOf(state), scratch, plan, i);
      if (answer != UNTOUCHED && !isPicked(answer)) {
        store<u32>(verdicts + (i << 2), VERDICT_FORWARD);
        store<u32>(connections + (i << 2), answer);
        opened |= (<u64>1) << i;
        continue;
      }
    }
    directOne(packet, image, state, batch, first + i, load<u32>(plan + (i << 2), SERVICES), answer);
    clearFor(packet, image, state);
  }
  if (opened != 0) writeOpened(image, state, scratch, plan, count, opened);
}

/** A descriptor of which schedulers ask. */
function clearFor(packet: Packet, image: Image, state: State): void {
  packet.clear();
  packet.family = 4;
  packet.image = image;
  packet.state = state;
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
