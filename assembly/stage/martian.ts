import { SETTING_ROUTE_ANYWHERE, SETTING_ROUTE_LOCALNET } from "../abi/setting";
import { DROP_MARTIAN } from "../abi/verdict";
import { Packet } from "../packet";
import { isSideLocal } from "../table/rules/address";

const LOOPBACK_NET: u32 = 127;

/** An IPv4 destination that no packet from outside is routed to. */
function isNowhere(packet: Packet): bool {
  if (packet.dst == 0) return packet.image.setting(SETTING_ROUTE_ANYWHERE) == 0;
  return packet.dst >> 24 == LOOPBACK_NET && packet.image.setting(SETTING_ROUTE_LOCALNET) == 0;
}

/**
 * What routing asks of an IPv4 packet from outside, once PREROUTING has given it its destination: that is somewhere, and
 * the source is not the node itself (ip_route_input_slow, fib_validate_source without rp_filter and accept_local). IPv6
 * asks no such thing.
 */
export function checkEnds(packet: Packet): bool {
  if (packet.family == 6) return true;
  return (!isNowhere(packet) && !isSideLocal(packet, false)) || packet.drop(DROP_MARTIAN);
}
