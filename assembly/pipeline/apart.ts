import { HOOK_INPUT, HOOK_PREROUTING } from "../abi/entry";
import { Packet } from "../packet";
import { netfilter, netfilterMangle, netfilterRaw } from "../stage/netfilter";

/** PREROUTING of what comes in by the loopback interface, with the connection that it has. */
export function comeAgain(packet: Packet, stack: usize): bool {
  if (!netfilterRaw(packet, HOOK_PREROUTING, stack) || !netfilterMangle(packet, HOOK_PREROUTING, stack))
    return false;
  return netfilter(packet, HOOK_PREROUTING, false, stack);
}

/**
 * Whether rules let the fragments behind a packet's first one in, which have no transport header: without them it is never
 * whole.
 */
export function passesRest(packet: Packet, stack: usize): bool {
  const transport = packet.transport;
  const segment = packet.segment;
  const ports = packet.ports;
  const tcpFlags = packet.tcpFlags;
  const mark = packet.mark;
  packet.transport += segment;
  packet.segment = packet.ports = packet.tcpFlags = 0;
  const passes = comeAgain(packet, stack) && netfilter(packet, HOOK_INPUT, false, stack);
  packet.transport = transport;
  packet.segment = segment;
  packet.ports = ports;
  packet.tcpFlags = tcpFlags;
  packet.mark = mark;
  return passes;
}
