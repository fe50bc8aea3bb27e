import { DROP_FLOW_TABLE_FULL, DROP_NO_DESTINATION, DROP_SPARED } from "../abi/verdict";
import { begin, beginAt, isSession, SCHEDULE_FULL, SCHEDULE_REFUSED, SCHEDULE_SPARED } from "../ipvs/begin";
import { IPVS_QUOTES, Packet } from "../packet";
import { claimBegun } from "./claims";
import { findService } from "./services";

/**
 * Begins the IPVS connection of a packet that may begin one: 0 for none, with a verdict, or without one where the packet is
 * not IPVS' (ip_vs_schedule, ip_vs_leave). An ICMP error is not answered by another.
 */
export function schedule(packet: Packet, isError: bool): u32 {
  const service = findService(packet);
  if (service == 0) return 0;
  if (isError) packet.ipvs |= IPVS_QUOTES;
  const begun = begin(packet, service);
  packet.ipvs &= ~IPVS_QUOTES;
  return take(packet, begun, isError);
}

/** The same where the virtual server (findService) and the destination, picked by its scheduler, are known. */
export function scheduleAt(packet: Packet, service: u32, number: u32): u32 {
  return take(packet, beginAt(packet, service, number), false);
}

/** What has begun, or the verdict on what has not. */
function take(packet: Packet, begun: u32, isError: bool): u32 {
  if (isSession(begun)) {
    claimBegun(packet, begun);
    return begun;
  }
  if (begun == SCHEDULE_FULL) packet.drop(DROP_FLOW_TABLE_FULL);
  else if (begun == SCHEDULE_SPARED) packet.drop(DROP_SPARED);
  else if (begun == SCHEDULE_REFUSED && isError) packet.drop(DROP_NO_DESTINATION);
  else if (begun == SCHEDULE_REFUSED) packet.reject(DROP_NO_DESTINATION);
  return 0;
}
