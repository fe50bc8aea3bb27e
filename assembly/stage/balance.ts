import { DROP_NO_DESTINATION, DROP_PROTOCOL, DROP_TRUNCATED } from "../abi/verdict";
import { PROTO_TCP, PROTO_UDP } from "../abi/wire";
import { FAULT_NONE, Packet } from "../packet";
import { REAL_NONE } from "../table/ring/layout";
import { realOf, takeReal, tupleReal } from "../table/ring/lookup";

/** Gives a parsed packet, whose frame is then to be rewritten, the real server that its 5-tuple chooses in a ring. */
export function balance(packet: Packet, ring: usize): bool {
  if (packet.protocol != PROTO_TCP && packet.protocol != PROTO_UDP) return packet.punt(DROP_PROTOCOL);
  if (packet.fault != FAULT_NONE) return packet.drop(DROP_TRUNCATED);
  const real = tupleReal(packet.image, ring, packet.tupleHash);
  if (real == REAL_NONE) return packet.reject(DROP_NO_DESTINATION);
  takeReal(packet, realOf(packet.image, ring, real));
  return true;
}
