import { DROP_NO_DESTINATION, DROP_PROTOCOL } from "../abi/verdict";
import { PROTO_TCP, PROTO_UDP } from "../abi/wire";
import { Packet } from "../packet";
import { REAL_ADDRESS, REAL_NONE, REAL_PORT } from "../table/ring/layout";
import { realOf, tupleReal } from "../table/ring/lookup";

/** Gives a parsed packet, whose frame is then to be rewritten, the real server that its 5-tuple chooses in a ring. */
export function balance(packet: Packet, ring: usize): bool {
  if (packet.protocol != PROTO_TCP && packet.protocol != PROTO_UDP) return packet.punt(DROP_PROTOCOL);
  const real = tupleReal(packet.image, ring, packet.src, packet.dst, packet.ports, packet.protocol);
  if (real == REAL_NONE) return packet.reject(DROP_NO_DESTINATION);
  const server = realOf(packet.image, ring, real);
  packet.dst = load<u32>(server, REAL_ADDRESS);
  packet.ports = (packet.ports & 0xffff0000) | load<u32>(server, REAL_PORT);
  return true;
}
