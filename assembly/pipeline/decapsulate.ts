import {
  BATCH_CAPACITY,
  BURST_LEN,
  COLUMN_FRAME,
  COLUMN_IN,
  COLUMN_LENGTH,
  COLUMN_VERDICT,
  INTERFACE_NODE,
} from "../abi/packet";
import { DROP_NO_TUNNEL, VERDICT_FORWARD } from "../abi/verdict";
import { INS, LENGTHS, STARTS } from "../express/layout";
import { receiveTunnelled } from "../express/receive";
import { Image } from "../image";
import { Packet } from "../packet";
import { decap, inheritEcn, isForTunnel } from "../stage/decap";
import { parse } from "../stage/parse";
import { State } from "../state";
import { ECN_TELLS } from "../wire/ecn";
import { cell, enter, expressAt, receive, scratchAt } from "./run";

/** Takes the outer headers off. What is inside is read only where there is a congestion mark to be handed on. */
function open(packet: Packet): void {
  if (!parse(packet)) return;
  if (packet.in == INTERFACE_NODE || !isForTunnel(packet)) {
    packet.punt(DROP_NO_TUNNEL);
    return;
  }
  if (!decap(packet)) return;
  if ((packet.tunnelTos & ECN_TELLS) != 0 && !(parse(packet) && inheritEcn(packet))) return;
  packet.decide(VERDICT_FORWARD, 0);
}

/** Octets of a column. */
function columnLength(batch: usize): u32 {
  return load<u32>(batch, BATCH_CAPACITY) << 2;
}

/** What became of a packet goes to its cells, the first column's of which is at `cells`. */
function hand(cells: usize, columnLen: u32, frame: u32, length: u32, inNumber: u32, verdict: u32): void {
  store<u32>(cells + COLUMN_FRAME * columnLen, frame);
  store<u32>(cells + COLUMN_LENGTH * columnLen, length);
  store<u32>(cells + COLUMN_IN * columnLen, inNumber);
  store<u32>(cells + COLUMN_VERDICT * columnLen, verdict);
}

/** A packet through the stages, for the columns. */
function openOther(image: Image, state: State, batch: usize, index: u32): void {
  const packet = Packet.at(batch + scratchAt(load<u32>(batch, BATCH_CAPACITY)));
  if (receive(packet, image, state, batch, index)) open(packet);
  const verdict = packet.verdict | (packet.reason << 8);
  hand(
    cell(batch, 0, index),
    columnLength(batch),
    packet.frame - <u32>batch,
    packet.length,
    packet.in,
    verdict,
  );
}

function openBurst(image: Image, state: State, batch: usize, first: u32, count: u32): void {
  const scratch = expressAt(batch);
  const opened = receiveTunnelled(image, batch, first, count, scratch);
  const cells = cell(batch, 0, first);
  const columnLen = columnLength(batch);
  for (let i: u32 = 0; i < count; i++) {
    const entry = scratch + (i << 2);
    if (((opened >> i) & 1) == 0) {
      openOther(image, state, batch, first + i);
      continue;
    }
    const frame = load<u32>(entry, STARTS) - <u32>batch;
    const length = load<u32>(entry, LENGTHS);
    hand(cells + (i << 2), columnLen, frame, length, load<u32>(entry, INS), VERDICT_FORWARD);
  }
}

/** Takes tunnels' outer headers off packets 0 … count - 1 of a batch, and nothing else. False where the image moved. */
export function decapsulateBatch(image: Image, state: State, batch: usize, count: u32): bool {
  const total = min<u32>(count, load<u32>(batch, BATCH_CAPACITY));
  for (let first: u32 = 0; first < total; first += BURST_LEN) {
    if (!enter(image, state)) return false;
    openBurst(image, state, batch, first, min<u32>(BURST_LEN, total - first));
    state.setBusy(false);
  }
  return true;
}
