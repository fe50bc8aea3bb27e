import { EXACT_SERVICES } from "../abi/entry";
import { EVENT_IPVS } from "../abi/trace";
import { DROP_NO_DESTINATION } from "../abi/verdict";
import { EXACT_DIRECTORY_AT } from "../image";
import { Packet } from "../packet";
import { exactFind } from "../table/exact/lookup";
import { FLOW_FLAG_IPVS } from "../table/flow/layout";
import { REAL_ADDRESS, REAL_NONE, REAL_PORT } from "../table/ring/layout";
import { realOf, ringAt, ringPick } from "../table/ring/lookup";
import { record } from "../trace";

/** The number of the packet's virtual server plus one, 0 where there is none. */
export function findService(packet: Packet): u32 {
  const head = load<u32>(packet.image.to(EXACT_DIRECTORY_AT + EXACT_SERVICES * 4));
  if (head == 0) return 0;
  packet.walked++;
  return exactFind(packet.image, head, packet.dst, (packet.protocol << 16) | packet.dstPort);
}

/** Schedules a new connection to a virtual server (ip_vs_schedule); REJECT where no real server can take it. */
export function schedule(packet: Packet, service: u32): bool {
  const position = ringPick(
    packet.image,
    packet.state,
    service - 1,
    packet.src,
    packet.dst,
    packet.ports,
    packet.protocol,
  );
  if (position == REAL_NONE) {
    if (TRACE) record(packet, EVENT_IPVS, service - 1, position, 0, 0, 0);
    return packet.reject(DROP_NO_DESTINATION);
  }
  const real = realOf(packet.image, ringAt(packet.image, service - 1), position);
  packet.dst = load<u32>(real, REAL_ADDRESS);
  packet.ports = (packet.ports & 0xffff0000) | load<u32>(real, REAL_PORT);
  packet.flowFlags = FLOW_FLAG_IPVS;
  if (TRACE) record(packet, EVENT_IPVS, service - 1, position, packet.dst, packet.dstPort, 0);
  return true;
}
