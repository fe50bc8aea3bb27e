import { CTSTATE_DNAT, CTSTATE_RELATED, CTSTATE_SNAT, NEXT_HOP_KIND_LOCAL } from "../abi/entry";
import {
  BATCH_CAPACITY,
  BATCH_TRACE_COUNT,
  BATCH_TRACE_LOST,
  COLUMN_FRAME,
  COLUMN_IN,
  COLUMN_LENGTH,
  COLUMN_NEXT_HOP,
  COLUMN_VERDICT,
  INTERFACE_NODE,
} from "../abi/packet";
import {
  DROP_FRAGMENTATION_NEEDED,
  DROP_NO_HEADROOM,
  DROP_NO_NEIGHBOUR,
  DROP_NONE,
  DROP_TCP_RESET,
  REFUSED_AGED,
  REFUSED_DST,
  REFUSED_LED,
  REFUSED_LOCAL,
  REFUSED_OVERHEAD_SHIFT,
  REFUSED_SRC,
  REFUSED_TRACKED,
  VERDICT_DROP,
  VERDICT_REJECT,
} from "../abi/verdict";
import { Image } from "../image";
import { Packet } from "../packet";
import { errorOf, isAnswerable, isOfRoute, isWorthAnswer, NO_ERROR } from "../stage/answer";
import { errorHeadroom, writeError } from "../stage/answer-error";
import { isResettable, writeReset } from "../stage/answer-reset";
import { lookUp } from "../stage/conntrack";
import { parse } from "../stage/parse";
import { route } from "../stage/route";
import { State } from "../state";
import { connectionAt } from "../table/flow/lookup";
import { HOP_MTU, HOP_SOURCE } from "../table/nexthop/layout";
import { nextHopAt, sourceOf6 } from "../table/nexthop/lookup";
import { takeSrc } from "../track/tuple";
import { nextId } from "../wire/ip4";
import { egress } from "./forward";
import { cell, enter, hand, receive, scratchAt, stackAt } from "./run";

/** Where no address is to be found (INADDR_DUMMY, RFC 7600 §4.8). */
const DUMMY_SOURCE: u32 = 0xc0000008;

/** Looks up the way to the packet's source, as the descriptor has it. */
function routeBack(packet: Packet): bool {
  packet.dst = packet.src;
  packet.dstHigh = packet.srcHigh;
  return route(packet);
}

/** The address that the node has on the way to the descriptor's dst, or that address itself if it is the node's. */
function takeOwnSource(packet: Packet): void {
  if (packet.hopKind == NEXT_HOP_KIND_LOCAL) {
    packet.src = packet.dst;
    packet.srcHigh = packet.dstHigh;
  } else if (packet.family == 6) packet.src6 = sourceOf6(packet.image, packet.hop);
  else {
    const source = load<u32>(packet.hopAddress, HOP_SOURCE);
    packet.src = source == 0 ? DUMMY_SOURCE : source;
  }
}

/** What is refused behind POSTROUTING has its new source: that is whom the kernel asks the way to. */
function takeLeftSource(packet: Packet): void {
  lookUp(packet);
  if (packet.flow != 0)
    takeSrc(packet, connectionAt(packet.state, packet.flow >> 1), (packet.flow & 1) ^ 1, true);
}

/** Gives the descriptor the source and destination of an error about its packet; false where no way leads there. */
function turnRound(packet: Packet, reason: u32, refused: u32): bool {
  if (reason == DROP_NO_NEIGHBOUR && (refused & REFUSED_SRC) != 0) takeLeftSource(packet);
  if (!routeBack(packet)) return false;
  if ((refused & REFUSED_LOCAL) != 0) {
    packet.src = packet.frameDst;
    packet.srcHigh = packet.frameDstHigh;
  } else takeOwnSource(packet);
  packet.dst = packet.frameSrc;
  packet.dstHigh = packet.frameSrcHigh;
  return true;
}

/** Writes the ICMP error that a packet is answered by; false, with a verdict, for none. */
function complain(packet: Packet, reason: u32, refused: u32, mtu: u32): bool {
  const error = errorOf(packet, reason);
  if (error == NO_ERROR || !isAnswerable(packet)) return packet.drop(DROP_NONE);
  if (packet.frame - packet.slot < errorHeadroom(packet)) return packet.drop(DROP_NO_HEADROOM);
  if (!turnRound(packet, reason, refused)) return false;
  const state = packet.state;
  const id = nextId(state.outerId);
  const room: u32 = load<u16>(packet.hopAddress, HOP_MTU);
  const ages = (refused & REFUSED_AGED) != 0;
  const reseals = (refused & (REFUSED_DST | REFUSED_SRC)) != 0;
  const value: u32 = reason == DROP_FRAGMENTATION_NEEDED ? mtu : 0;
  if (!writeError(packet, error, value, id, room, ages, reseals)) return packet.drop(DROP_NONE);
  if (packet.family != 6) state.outerId = id;
  return true;
}

function reset(packet: Packet): bool {
  if (!isResettable(packet)) return packet.drop(DROP_NONE);
  writeReset(packet);
  return true;
}

/** Puts the answer into the refused packet's slot; false, with a verdict, where there is none. */
function write(packet: Packet, verdict: u32, reason: u32, refused: u32, mtu: u32): bool {
  if (packet.in == INTERFACE_NODE && isOfRoute(reason)) return packet.drop(DROP_NONE);
  if (!isWorthAnswer(packet, verdict, reason)) return packet.drop(DROP_NONE);
  return reason == DROP_TCP_RESET ? reset(packet) : complain(packet, reason, refused, mtu);
}

/** What the connection of the packet in question makes of the answer's ctstate (nf_conntrack_attach); 0: it is looked up. */
function ctstateOf(refused: u32): u32 {
  if ((refused & REFUSED_TRACKED) == 0) return 0;
  const dnat = (refused & REFUSED_DST) != 0 ? CTSTATE_DNAT : 0;
  const snat = (refused & REFUSED_SRC) != 0 ? CTSTATE_SNAT : 0;
  return CTSTATE_RELATED | dnat | snat;
}

/** Sends what stands in the slot as the node's own. */
function send(packet: Packet, batch: usize, index: u32, refused: u32, isError: bool): void {
  const quoted = packet.ip;
  store<u32>(cell(batch, COLUMN_FRAME, index), packet.frame - <u32>batch);
  store<u32>(cell(batch, COLUMN_LENGTH, index), packet.length);
  store<u32>(cell(batch, COLUMN_IN, index), INTERFACE_NODE);
  if (TRACE) forgetRecords(batch);
  if (!receive(packet, packet.image, packet.state, batch, index) || !parse(packet)) return;
  packet.ctstate = ctstateOf(refused);
  if (packet.ctstate == 0) lookUp(packet);
  if (isError && (refused & (REFUSED_DST | REFUSED_LED)) != 0) packet.answered = quoted;
  egress(packet, stackAt(batch));
}

function forgetRecords(batch: usize): void {
  store<u32>(batch, 0, BATCH_TRACE_COUNT);
  store<u32>(batch, 0, BATCH_TRACE_LOST);
}

/** The MTU of the next hop that a column names: numbers come from the host. */
function mtuOf(image: Image, number: u32): u32 {
  return number < image.nextHopsRoom ? load<u16>(nextHopAt(image, number), HOP_MTU) : 0;
}

/**
 * Answers packet `index`, which the last run dropped or refused, as a kernel does: the answer stands in its slot and has
 * its columns. Where none is sent the verdict is DROP without a reason. Others stay as they are.
 */
export function answerOne(image: Image, state: State, batch: usize, index: u32): bool {
  const word = load<u32>(cell(batch, COLUMN_VERDICT, index));
  const verdict = word & 0xff;
  const reason = (word >> 8) & 0xff;
  const refused = word >> 16;
  if (verdict != VERDICT_DROP && verdict != VERDICT_REJECT) return true;
  if (!enter(image, state)) return false;
  const mtu =
    mtuOf(image, load<u32>(cell(batch, COLUMN_NEXT_HOP, index))) - (refused >> REFUSED_OVERHEAD_SHIFT);
  const packet = Packet.at(batch + scratchAt(load<u32>(batch, BATCH_CAPACITY)));
  if (TRACE) forgetRecords(batch);
  const fits = receive(packet, image, state, batch, index);
  // What was judged is a fragment only if it went on as one.
  packet.isLoose = 1;
  if (fits && parse(packet)) {
    if (write(packet, verdict, reason, refused, mtu))
      send(packet, batch, index, refused, reason != DROP_TCP_RESET);
  }
  hand(packet, batch);
  state.setBusy(false);
  return true;
}
