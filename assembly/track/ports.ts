import { PROTO_UDP } from "../abi/wire";
import { Packet } from "../packet";
import { drawBelow } from "../random";
import { flowClose } from "../table/flow/build";
import { connectionAt } from "../table/flow/lookup";
import { TUNNEL_NONE } from "../table/tunnel/layout";
import { tunnelKind } from "../table/tunnel/lookup";
import { findReply } from "./tuple";

/** Tries of the kernel: this many from one random start, then half from another, and so on (nf_nat_core.c). */
const TRIES: u32 = 128;
const TRIES_MIN: u32 = 8;

/**
 * Whether no live connection has the reply tuple that this source port would give. A tunnel's own port is never
 * given to masqueraded UDP: replies to it would be decapsulated before the connection table is asked.
 */
function isFree(packet: Packet, port: u32): bool {
  const state = packet.state;
  if (packet.masquerade != 0 && packet.protocol == PROTO_UDP && tunnelKind(packet.image, port) != TUNNEL_NONE)
    return false;
  const flow = findReply(packet, port);
  if (flow == 0) return true;
  if (connectionAt(state, flow >> 1).expires > state.now) return false;
  flowClose(state, flow >> 1);
  return true;
}

/** A new source port stays in the class of the old one. */
function classFirst(port: u32): u32 {
  return port < 512 ? 1 : port < 1024 ? 600 : 1024;
}

function classLast(port: u32): u32 {
  return port < 512 ? 511 : port < 1024 ? 1023 : 65535;
}

/** Gives the packet a source port that makes its reply tuple unique; false when the kernel would give up. */
export function choosePort(packet: Packet): bool {
  const old = packet.srcPort;
  if (packet.masquerade != 2 && isFree(packet, old)) return true;
  const first = classFirst(old);
  const size = classLast(old) - first + 1;
  for (let tries = TRIES; tries >= TRIES_MIN; tries >>= 1) {
    const start = drawBelow(packet.state, size);
    for (let i: u32 = 0; i < tries; i++) {
      const port = first + ((start + i) % size);
      if (!isFree(packet, port)) continue;
      packet.ports = (packet.ports & 0xffff) | (port << 16);
      return true;
    }
  }
  return false;
}
