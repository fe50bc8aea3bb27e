import { EXACT_SERVICES, EXACT_SERVICES6 } from "../abi/entry";
import { EVENT_IPVS } from "../abi/trace";
import { DROP_NO_DESTINATION } from "../abi/verdict";
import { halves } from "../bytes";
import { EXACT_DIRECTORY_AT } from "../image";
import { Packet } from "../packet";
import { exact6Find, exactFind } from "../table/exact/lookup";
import { FLOW_FLAG_IPVS } from "../table/flow/layout";
import { REAL_NONE } from "../table/ring/layout";
import { realOf, ringAt, ringPick, takeReal } from "../table/ring/lookup";
import { replayTurn } from "../table/ring/turns";
import { recordEnds } from "../trace";

/** The number of the packet's virtual server plus one, 0 where there is none. */
export function findService(packet: Packet): u32 {
  const image = packet.image;
  const table = packet.family == 6 ? EXACT_SERVICES6 : EXACT_SERVICES;
  const head = load<u32>(image.to(EXACT_DIRECTORY_AT + table * 4));
  if (head == 0) return 0;
  packet.walked++;
  const protoPort = (packet.protocol << 16) | packet.dstPort;
  if (packet.family == 6) return exact6Find(image, head, halves(packet.dst6), protoPort);
  return exactFind(image, head, packet.dst, protoPort);
}

/** The real server's number, address and port, or REAL_NONE. */
function tell(packet: Packet, service: u32, position: u32): void {
  const port = position == REAL_NONE ? 0 : packet.dstPort;
  const dst = position == REAL_NONE ? 0 : packet.dst;
  recordEnds(packet, EVENT_IPVS, service - 1, position, dst, port, 0, packet.dst6, i32x4.splat(0));
}

/** Schedules a new connection to a virtual server (ip_vs_schedule); REJECT where no real server can take it. */
export function schedule(packet: Packet, service: u32): bool {
  const picked = ringPick(packet.image, packet.state, service - 1, packet);
  const position = TRACE ? replayTurn(packet, ringAt(packet.image, service - 1), picked) : picked;
  if (position != REAL_NONE) {
    takeReal(packet, realOf(packet.image, ringAt(packet.image, service - 1), position));
    packet.flowFlags = FLOW_FLAG_IPVS;
  }
  if (TRACE) tell(packet, service, position);
  return position != REAL_NONE || packet.reject(DROP_NO_DESTINATION);
}
