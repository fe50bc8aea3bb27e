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
import { cell, expressAt, receive, scratchAt } from "./run";

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

function hand(batch: usize, index: u32, frame: u32, length: u32, inNumber: u32, verdict: u32): void {
  store<u32>(cell(batch, COLUMN_FRAME, index), frame - <u32>batch);
  store<u32>(cell(batch, COLUMN_LENGTH, index), length);
  store<u32>(cell(batch, COLUMN_IN, index), inNumber);
  store<u32>(cell(batch, COLUMN_VERDICT, index), verdict);
}

/** A packet through the stages, for the columns. */
function openOther(image: Image, state: State, batch: usize, index: u32): void {
  const packet = Packet.at(batch + scratchAt(load<u32>(batch, BATCH_CAPACITY)));
  if (receive(packet, image, state, batch, index)) open(packet);
  hand(batch, index, packet.frame, packet.length, packet.in, packet.verdict | (packet.reason << 8));
}

/** Takes tunnels' outer headers off packets 0 … count - 1 of a batch, and nothing else. */
export function decapsulateBatch(image: Image, state: State, batch: usize, count: u32): void {
  const total = min<u32>(count, load<u32>(batch, BATCH_CAPACITY));
  const scratch = expressAt(batch);
  for (let first: u32 = 0; first < total; first += BURST_LEN) {
    const burst = min<u32>(BURST_LEN, total - first);
    const opened = receiveTunnelled(image, batch, first, burst, scratch);
    for (let i: u32 = 0; i < burst; i++) {
      const entry = scratch + (i << 2);
      if (((opened >> i) & 1) == 0) openOther(image, state, batch, first + i);
      else
        hand(
          batch,
          first + i,
          load<u32>(entry, STARTS),
          load<u32>(entry, LENGTHS),
          load<u32>(entry, INS),
          VERDICT_FORWARD,
        );
    }
  }
}
