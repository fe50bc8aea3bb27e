import { FORWARD_MASQUERADE } from "../abi/server";
import { Packet } from "../packet";
import { Destination, destinationAt } from "../table/ring/destinations";

const FORWARD_MASK: u32 = 0xff;
const FORWARD_PROTOCOL_SHIFT: u32 = 24;

function isAt(packet: Packet, destination: Destination): bool {
  if (destination.service == 0 || (destination.forward & FORWARD_MASK) != FORWARD_MASQUERADE) return false;
  if (destination.address != packet.src || destination.port != packet.srcPort) return false;
  const protocol = destination.forward >> FORWARD_PROTOCOL_SHIFT;
  if (protocol != 0 && protocol != packet.protocol) return false;
  const high = packet.srcHigh;
  return (
    destination.high0 == v128.extract_lane<u32>(high, 0) &&
    destination.high1 == v128.extract_lane<u32>(high, 1) &&
    destination.high2 == v128.extract_lane<u32>(high, 2)
  );
}

/** Whether a packet comes from where a real server of its protocol is (ip_vs_has_real_service). Looks at all of them. */
export function isFromServer(packet: Packet): bool {
  const image = packet.image;
  for (let number: u32 = 0; number < image.destinations; number++)
    if (isAt(packet, destinationAt(image, number))) return true;
  return false;
}
