import {
  BATCH_CAPACITY,
  BATCH_DONE,
  BATCH_HEADER_LEN,
  BATCH_SLOTS,
  BATCH_STRIDE,
  BATCH_TRACE,
  BATCH_TRACE_CAPACITY,
  BATCH_TRACE_COUNT,
  BATCH_TRACE_LOST,
  BURST_LEN,
  COLUMN_CONNECTION,
  COLUMN_COUNT,
  COLUMN_FRAME,
  COLUMN_IN,
  COLUMN_LENGTH,
  COLUMN_NEXT_HOP,
  COLUMN_OUT,
  COLUMN_VERDICT,
  COLUMN_WALKED,
  INTERFACE_NODE,
} from "../abi/packet";
import { EVENT_VERDICT, TRACE_RECORD_LEN } from "../abi/trace";
import {
  DROP_BAD_SLOT,
  LEAVES_IN_PARTS,
  VERDICT_DROP,
  VERDICT_FORWARD,
  VERDICT_REJECT,
} from "../abi/verdict";
import { isStill } from "../express/follow";
import { handAll, handOne } from "../express/hand";
import { askRules } from "../express/kinds";
import { EXPRESS_LEN } from "../express/layout";
import { receive as receiveBurst } from "../express/receive";
import { resolve } from "../express/resolve";
import { write } from "../express/write";
import { Image } from "../image";
import { tick } from "../ipvs/tick";
import { PACKET_LEN, Packet } from "../packet";
import { lookUp } from "../stage/conntrack";
import { decap, inheritEcn, isForTunnel } from "../stage/decap";
import { gather, isFragment } from "../stage/defrag";
import { parse } from "../stage/parse";
import { State } from "../state";
import { stateFits } from "../table/ipvs/room";
import { HOP_LEAVE } from "../table/nexthop/layout";
import { WALK_STACK_LEN } from "../table/rules/place";
import { record } from "../trace";
import { egress, ingress } from "./forward";
import { keep } from "./keep";
import { refusalOf } from "./refusal";

/** Before the slots stands one burst's descriptors and a stack; slots begin at a multiple of this. */
const SLOT_ALIGNMENT: u32 = 128;
const EXPRESS_AT: u32 = BURST_LEN * PACKET_LEN + WALK_STACK_LEN;
const SCRATCH_LEN: u32 = EXPRESS_AT + EXPRESS_LEN;

function columnsLength(capacity: u32): u32 {
  return COLUMN_COUNT * capacity * 4;
}

export function scratchAt(capacity: u32): u32 {
  return BATCH_HEADER_LEN + columnsLength(capacity);
}

/** The address of a batch's scratch for the express way. */
export function expressAt(batch: usize): usize {
  return batch + scratchAt(load<u32>(batch, BATCH_CAPACITY)) + EXPRESS_AT;
}

/** The address of the stack for walks of rules, behind the descriptors. */
export function stackAt(batch: usize): usize {
  return batch + scratchAt(load<u32>(batch, BATCH_CAPACITY)) + BURST_LEN * PACKET_LEN;
}

function slotsAt(capacity: u32, traces: u32): u32 {
  const end = scratchAt(capacity) + SCRATCH_LEN + traces * TRACE_RECORD_LEN;
  return (end + SLOT_ALIGNMENT - 1) & ~(SLOT_ALIGNMENT - 1);
}

/** Octets of a batch of so many slots of `stride` octets, with room for so many trace records. */
export function batchLength(capacity: u32, stride: u32, traces: u32): u32 {
  return slotsAt(capacity, traces) + capacity * stride;
}

/** Lays an empty batch out at an address with room for batchLength octets. */
export function batchCreate(batch: usize, capacity: u32, stride: u32, traces: u32): void {
  memory.fill(batch, 0, slotsAt(capacity, traces));
  store<u32>(batch, capacity, BATCH_CAPACITY);
  store<u32>(batch, stride, BATCH_STRIDE);
  store<u32>(batch, slotsAt(capacity, traces), BATCH_SLOTS);
  store<u32>(batch, scratchAt(capacity) + SCRATCH_LEN, BATCH_TRACE);
  store<u32>(batch, traces, BATCH_TRACE_CAPACITY);
}

export function cell(batch: usize, column: u32, index: u32): usize {
  return batch + BATCH_HEADER_LEN + (column * load<u32>(batch, BATCH_CAPACITY) + index) * 4;
}

/** Sets a descriptor up; the frame must lie in its slot. */
export function receive(packet: Packet, image: Image, state: State, batch: usize, index: u32): bool {
  packet.clear();
  const stride = load<u32>(batch, BATCH_STRIDE);
  const slot = load<u32>(batch, BATCH_SLOTS) + index * stride;
  const frame = load<u32>(cell(batch, COLUMN_FRAME, index));
  const length = load<u32>(cell(batch, COLUMN_LENGTH, index));
  packet.image = image;
  packet.state = state;
  packet.batch = <u32>batch;
  packet.index = index;
  packet.slot = <u32>batch + slot;
  packet.frame = <u32>batch + frame;
  packet.length = length;
  packet.in = load<u32>(cell(batch, COLUMN_IN, index));
  const fits = frame >= slot && length <= stride && frame - slot <= stride - length;
  return fits || packet.drop(DROP_BAD_SLOT);
}

/** Parses, and takes one tunnel header off; a fragment is left for its turn. */
function open(packet: Packet): void {
  if (!parse(packet) || packet.in == INTERFACE_NODE || !isForTunnel(packet) || !decap(packet)) return;
  if (parse(packet) || isFragment(packet)) inheritEcn(packet);
}

/** A fragment at its turn: put together with those that came before it, in a tunnel's packet or outside. */
function complete(packet: Packet, batch: usize): void {
  const isInside = packet.in != load<u32>(cell(batch, COLUMN_IN, packet.index));
  if (!isInside && gather(packet)) open(packet);
  if (isFragment(packet) && gather(packet)) parse(packet);
  if (packet.isUndecided) lookUp(packet);
}

/** What COLUMN_VERDICT says of a packet. */
function wordOf(packet: Packet): u32 {
  const word = packet.verdict | (packet.reason << 8);
  if (packet.verdict == VERDICT_FORWARD) return packet.parts != 0 ? word | LEAVES_IN_PARTS : word;
  const isRefused = packet.verdict == VERDICT_DROP || packet.verdict == VERDICT_REJECT;
  return isRefused ? word | (refusalOf(packet) << 16) : word;
}

/** Writes what became of a packet into its columns. */
export function hand(packet: Packet, batch: usize): void {
  const index = packet.index;
  const out =
    packet.verdict == VERDICT_FORWARD ? load<u32>(packet.hopAddress, HOP_LEAVE) : packet.undecidedIn;
  store<u32>(cell(batch, COLUMN_FRAME, index), packet.frame - <u32>batch);
  store<u32>(cell(batch, COLUMN_LENGTH, index), packet.length);
  store<u32>(cell(batch, COLUMN_IN, index), packet.in);
  store<u32>(cell(batch, COLUMN_VERDICT, index), wordOf(packet));
  store<u32>(cell(batch, COLUMN_OUT, index), out);
  store<u32>(cell(batch, COLUMN_NEXT_HOP, index), packet.hop);
  store<u32>(cell(batch, COLUMN_WALKED, index), packet.walked);
  store<u32>(cell(batch, COLUMN_CONNECTION, index), packet.flow >> 1);
  if (TRACE)
    record(packet, EVENT_VERDICT, packet.verdict | (packet.reason << 8), out, packet.hop, packet.length, 0);
}

/**
 * A burst: what is plain and known goes the express way, whose look-ups are made for all packets together; the others
 * go through parsing and the connection table together. From there on it is packet by packet in their order, since each
 * may open the connection that the next one belongs to.
 */
function runBurst(image: Image, state: State, batch: usize, first: u32, count: u32): void {
  const packets = batch + scratchAt(load<u32>(batch, BATCH_CAPACITY));
  const stack = packets + BURST_LEN * PACKET_LEN;
  const scratch = packets + EXPRESS_AT;
  let express: u64 = 0;
  if (!TRACE) {
    const fits = receiveBurst(image, batch, first, count, scratch, true);
    if (fits != 0) express = resolve(image, state, batch, scratch, count, fits);
  }
  if (express == ~(<u64>0) >> (BURST_LEN - count)) {
    write(image, state, scratch, 0, count);
    handAll(batch, first, scratch, count);
    return;
  }
  prepare(image, state, batch, first, count, packets, express);
  let changed = false;
  for (let i: u32 = 0; i < count; i++) {
    const packet = Packet.at(packets + i * PACKET_LEN);
    if (((express >> i) & 1) != 0) {
      if (!changed || isStill(image, state, scratch, i)) {
        write(image, state, scratch, i, i + 1);
        handOne(batch, first, scratch, i);
        continue;
      }
      prepareOne(packet, image, state, batch, first + i);
      if (packet.isUndecided) lookUp(packet);
    }
    if (isFragment(packet)) complete(packet, batch);
    if (packet.isUndecided) {
      if (packet.in == INTERFACE_NODE) egress(packet, stack);
      else {
        ingress(packet, stack);
        keep(packet, scratch);
      }
    }
    changed = true;
    hand(packet, batch);
  }
}

function prepareOne(packet: Packet, image: Image, state: State, batch: usize, index: u32): void {
  if (receive(packet, image, state, batch, index)) open(packet);
}

/** Parses the packets that go the long way, and looks their connections up. */
function prepare(
  image: Image,
  state: State,
  batch: usize,
  first: u32,
  count: u32,
  packets: usize,
  express: u64,
): void {
  for (let i: u32 = 0; i < count; i++) {
    if (((express >> i) & 1) == 0)
      prepareOne(Packet.at(packets + i * PACKET_LEN), image, state, batch, first + i);
  }
  for (let i: u32 = 0; i < count; i++) {
    const packet = Packet.at(packets + i * PACKET_LEN);
    if (((express >> i) & 1) == 0 && packet.isUndecided) lookUp(packet);
  }
}

/**
 * A burst sees one image: while a writer changes it, bursts wait, and a change waits for those on their way. Each says
 * what it is about to do before it looks what the other does. False, and no burst, where the image is no more.
 */
export function enter(image: Image, state: State): bool {
  state.setBusy(true);
  while (image.isPaused && image.isValid) {
    state.setBusy(false);
    while (image.isPaused && image.isValid) {}
    state.setBusy(true);
  }
  if (image.isValid) return true;
  state.setBusy(false);
  return false;
}

/**
 * Runs packets from … count - 1 of a batch through the node; count above the batch's capacity is cut to it. Those below
 * BATCH_DONE are judged then: all, unless the image moved or outgrew the state.
 */
export function runBatch(image: Image, state: State, batch: usize, from: u32, count: u32, now: u64): bool {
  state.now = max<u64>(state.now, now);
  store<u32>(batch, 0, BATCH_TRACE_COUNT);
  store<u32>(batch, 0, BATCH_TRACE_LOST);
  const total = min<u32>(count, load<u32>(batch, BATCH_CAPACITY));
  const scratch = expressAt(batch);
  let asked = image.sequence - 1;
  let first = from;
  while (first < total && enter(image, state)) {
    if (asked != image.sequence) {
      asked = image.sequence;
      if (!stateFits(image, state)) {
        state.setBusy(false);
        break;
      }
      askRules(image, scratch);
    }
    tick(image, state);
    const burst = min<u32>(BURST_LEN, total - first);
    runBurst(image, state, batch, first, burst);
    state.setBusy(false);
    first += burst;
  }
  store<u32>(batch, first, BATCH_DONE);
  return first >= total;
}
