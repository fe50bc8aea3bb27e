import { DRAW_TURN, EVENT_IPVS } from "../abi/trace";
import { Packet } from "../packet";
import { replayed } from "../random";
import { foldAddress } from "../table/ring/hash";
import { REAL_DESTINATION, REAL_NONE, REAL_WEIGHT, RING_COUNT } from "../table/ring/layout";
import { realOf, ringAt, ringPick, takesTurns } from "../table/ring/lookup";
import { recordEnds } from "../trace";

/** Whose turn it is to be, where real servers take turns: of those that take something the told one, or the next. */
function replayTurn(packet: Packet, number: u32, picked: u32): u32 {
  const ring = ringAt(packet.image, number);
  if (picked == REAL_NONE || !takesTurns(ring)) return picked;
  const count = load<u32>(ring, RING_COUNT);
  let position = replayed(packet, DRAW_TURN, count, picked) % count;
  while (load<u32>(realOf(packet.image, ring, position), REAL_WEIGHT) == 0) position = (position + 1) % count;
  return position;
}

/** The position of the real server that the virtual server's scheduler gives the packet, or REAL_NONE. */
export function pick(packet: Packet, number: u32): u32 {
  const picked = ringPick(
    packet.image,
    packet.state,
    number,
    foldAddress(packet.srcHigh, packet.src),
    foldAddress(packet.dstHigh, packet.dst),
    packet.ports,
    packet.tupleHash,
  );
  return TRACE ? replayTurn(packet, number, picked) : picked;
}

/** Where in its ring a destination stands, or REAL_NONE. */
export function positionOf(packet: Packet, number: u32, destination: u32): u32 {
  const ring = ringAt(packet.image, number);
  const count = load<u32>(ring, RING_COUNT);
  for (let position: u32 = 0; position < count; position++)
    if (load<u32>(realOf(packet.image, ring, position), REAL_DESTINATION) == destination) return position;
  return REAL_NONE;
}

/** Tells of the real server at a position, of its address and port, and whether the client had it before; REAL_NONE: of none. */
export function tellPick(
  packet: Packet,
  number: u32,
  position: u32,
  server: v128,
  port: u32,
  kept: bool,
): void {
  const address = v128.extract_lane<u32>(server, 3);
  recordEnds(packet, EVENT_IPVS, number, position, address, port, u32(kept), server, i32x4.splat(0));
}
