import { HOOK_INPUT, HOOK_OUTPUT, HOOK_POSTROUTING, TARGET_ACCEPT, TARGET_DROP } from "../../abi/entry";
import { INTERFACE_NODE } from "../../abi/packet";
import { NAT_ADDRESSES, NAT_OFFSET, NAT_PORTS, NAT_RANDOM, NAT_SRC } from "../../abi/rule";
import { EVENT_DNAT, EVENT_MASQUERADE } from "../../abi/trace";
import { DROP_NO_ADDRESS } from "../../abi/verdict";
import { Packet, TRANSLATED_DST, TRANSLATED_SRC } from "../../packet";
import { drawBelow, untoldBelow } from "../../random";
import { recordEnds } from "../../trace";

/** Targets of nat chains: each gives the packet what its connection will have, and ends the walk (TARGET_ACCEPT). */

/** Octets of an address among a target's words. */
const ADDRESS_LEN: u32 = 16;
const LAST_WORD: u32 = 12;
const LOOPBACK4: u32 = 0x7f000001;

/** The destination, by its last word and the three before it, and its port if that is not 0. */
export function giveDst(packet: Packet, high: v128, last: u32, port: u32): u32 {
  const ports = (packet.ports & 0xffff0000) | (port == 0 ? packet.dstPort : port);
  if (TRACE) {
    const next = v128.replace_lane<u32>(high, 3, last);
    recordEnds(packet, EVENT_DNAT, packet.dst, packet.ports, last, ports, 0, packet.dst6, next);
  }
  packet.dst = last;
  packet.dstHigh = high;
  packet.ports = ports;
  packet.translated |= TRANSLATED_DST;
  return TARGET_ACCEPT;
}

/** TARGET_DNAT6. */
export function giveDst6(packet: Packet, words: usize): u32 {
  return giveDst(packet, highOf(words), load<u32>(words, LAST_WORD), load<u32>(words, ADDRESS_LEN));
}

/** The three words before an address's last. */
function highOf(words: usize): v128 {
  return v128.replace_lane<u32>(v128.load(words), 3, 0);
}

/** The source; which port goes with it is known when the connection is opened. `way` is as Packet.masquerade. */
function giveSrc(packet: Packet, high: v128, last: u32, ports: u32, way: u32): u32 {
  packet.src = last;
  packet.srcHigh = high;
  packet.sourcePorts = ports;
  packet.masquerade = way;
  packet.translated |= TRANSLATED_SRC;
  if (TRACE) recordEnds(packet, EVENT_MASQUERADE, packet.src, 0, 0, 0, 0, packet.src6, i32x4.splat(0));
  return TARGET_ACCEPT;
}

/** TARGET_MASQUERADE: the address is that of the way out, which is known behind routing. */
export function masqueradeLater(packet: Packet, words: usize): u32 {
  packet.masquerade = 1 + load<u32>(words);
  packet.sourcePorts = load<u32>(words, 4);
  return TARGET_ACCEPT;
}

/** A port of first | last << 16: the packet's own if it is one and none has to be drawn. */
function portOf(packet: Packet, flags: u32, ports: u32, base: u32): u32 {
  const first = ports & 0xffff;
  const size = (ports >> 16) - first + 1;
  const port = packet.dstPort;
  if ((flags & NAT_OFFSET) != 0) return first + (((port - base) & 0xffff) % size);
  if ((flags & NAT_RANDOM) == 0 && port - first < size) return port;
  return size == 1 ? first : first + untoldBelow(packet.state, size);
}

/** TARGET_NAT. Addresses of a range have the same first three words. */
export function giveOneOf(packet: Packet, words: usize): u32 {
  const flags = load<u32>(words);
  const isSrc = (flags & NAT_SRC) != 0;
  let high = isSrc ? packet.srcHigh : packet.dstHigh;
  let last = isSrc ? packet.src : packet.dst;
  if ((flags & NAT_ADDRESSES) != 0) {
    const first = words + 4;
    high = highOf(first);
    last = load<u32>(first, LAST_WORD);
    const more = load<u32>(first, ADDRESS_LEN + LAST_WORD) - last;
    if (more != 0) last += drawBelow(packet, more + 1);
  }
  const ports = load<u32>(words, 4 + 2 * ADDRESS_LEN);
  if (isSrc) return giveSrc(packet, high, last, ports, (flags & NAT_RANDOM) != 0 ? 2 : 1);
  const base = load<u32>(words, 8 + 2 * ADDRESS_LEN);
  const port = (flags & NAT_PORTS) != 0 ? portOf(packet, flags, ports, base) : 0;
  return giveDst(packet, high, last, port);
}

/** Whether the hook is one where sources are translated. */
export function isSrcHook(hook: u32): bool {
  return hook == HOOK_INPUT || hook == HOOK_POSTROUTING;
}

/** TARGET_NETMAP. */
export function giveNetwork(packet: Packet, words: usize): u32 {
  const isSrc = isSrcHook(packet.hook);
  const mask = v128.load(words, ADDRESS_LEN);
  const address = v128.bitselect(v128.load(words), isSrc ? packet.src6 : packet.dst6, mask);
  const high = v128.replace_lane<u32>(address, 3, 0);
  const last = v128.extract_lane<u32>(address, 3);
  return isSrc ? giveSrc(packet, high, last, 0, 1) : giveDst(packet, high, last, 0);
}

/** The node's address that a packet is redirected to, among the words of TARGET_REDIRECT; 0 for none. */
function addressOfWayIn(packet: Packet, words: usize): usize {
  const end = words + 12 + load<u32>(words, 8) * 20;
  for (let at = words + 12; at != end; at += 20) if (load<u32>(at) == packet.in) return at + 4;
  return 0;
}

/** TARGET_REDIRECT (nf_nat_redirect.c). */
export function redirectToNode(packet: Packet, words: usize): u32 {
  const flags = load<u32>(words);
  const port = (flags & NAT_PORTS) != 0 ? portOf(packet, flags, load<u32>(words, 4), 0) : 0;
  if (packet.in == INTERFACE_NODE || packet.hook == HOOK_OUTPUT)
    return giveDst(packet, i32x4.splat(0), packet.family == 6 ? 1 : LOOPBACK4, port);
  const address = addressOfWayIn(packet, words);
  if (address != 0) return giveDst(packet, highOf(address), load<u32>(address, LAST_WORD), port);
  packet.drop(DROP_NO_ADDRESS);
  return TARGET_DROP;
}
