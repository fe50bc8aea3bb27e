import { HOOK_FORWARD, HOOK_INPUT, HOOK_PREROUTING, NEXT_HOP_KIND_LOCAL } from "../../abi/entry";
import { INTERFACE_NODE } from "../../abi/packet";
import { Packet } from "../../packet";
import { HOP_OUT } from "../nexthop/layout";

/** The interfaces that a packet has at a hook: the one it came in by up to FORWARD, the one it leaves by from there on. */

/** No interface, and no rule's number for one. */
export const INTERFACE_NONE: u32 = 0xffffffff;

/** The node reaches itself by the loopback interface: out at OUTPUT and POSTROUTING, in at PREROUTING and INPUT. */
export function isLoopbackIn(packet: Packet): bool {
  return packet.in == INTERFACE_NODE && packet.hook <= HOOK_INPUT;
}

export function isLoopbackOut(packet: Packet): bool {
  return packet.hook > HOOK_FORWARD && packet.hopAddress != 0 && packet.hopKind == NEXT_HOP_KIND_LOCAL;
}

/** The number of the interface that the packet leaves by, as its route names it; INTERFACE_NONE for the loopback or none. */
export function outOf(packet: Packet): u32 {
  const hasOut = packet.hook != HOOK_PREROUTING && packet.hook != HOOK_INPUT && packet.hopAddress != 0;
  if (!hasOut || packet.hopKind == NEXT_HOP_KIND_LOCAL) return INTERFACE_NONE;
  return load<u32>(packet.hopAddress, HOP_OUT);
}
