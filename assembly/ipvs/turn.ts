import { EVENT_IPVS } from "../abi/trace";
import { Packet } from "../packet";
import { REAL_DESTINATION, REAL_NONE, RING_COUNT } from "../table/ring/layout";
import { realOf, ringAt, ringPick } from "../table/ring/lookup";
import { replayTurn } from "../table/ring/turns";
import { recordEnds } from "../trace";

/** The position of the real server that the virtual server's scheduler gives the packet, or REAL_NONE. */
export function pick(packet: Packet, number: u32): u32 {
  const picked = ringPick(packet.image, packet.state, number, packet);
  return TRACE ? replayTurn(packet, ringAt(packet.image, number), picked) : picked;
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
