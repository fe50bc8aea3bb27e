import {
  CTSTATE_INVALID,
  HOOK_IP6,
  HOOK_NAT,
  HOOK_PREROUTING,
  HOOK_RAW,
  NEXT_HOP_KIND_LOCAL,
  TARGET_DROP,
  TARGET_NONE,
  TARGET_REJECT,
  WORD_CHAIN_SHIFT,
} from "../abi/entry";
import { EVENT_HOOK, EVENT_MASQUERADE } from "../abi/trace";
import { DROP_PORT_UNREACHABLE, DROP_RULE } from "../abi/verdict";
import { HOOK_CHAIN_LEN, HOOK_EARLY, HOOK_LEN, HOOKS_AT, Image } from "../image";
import { Packet, TRANSLATED_DST, TRANSLATED_SRC } from "../packet";
import { HOP_SOURCE } from "../table/nexthop/layout";
import { sourceOf6 } from "../table/nexthop/lookup";
import { foregone, NOT_FOREGONE } from "../table/rules/foregone";
import { walk } from "../table/rules/lookup";
import { isSrcHook } from "../table/rules/nat";
import { record, recordEnds } from "../trace";

/** Base chains of some types. */
const FILTER_CHAINS: u32 = 1;
const NAT_CHAINS: u32 = 2;

/** Walks the base chains `from` … `end` - 1 of a hook, if they are of such types, as nf_hook_slow does. */
function walkBases(packet: Packet, at: usize, from: u32, end: u32, types: u32, stack: usize): bool {
  for (let i = from; i < end; i++) {
    const base = at + 8 + i * HOOK_CHAIN_LEN;
    const chain = load<u32>(base);
    const type = load<u32>(base, 4);
    const isNat = (type & 0xff) == HOOK_NAT;
    if (isNat ? (types & NAT_CHAINS) == 0 || !isAsked(packet) : (types & FILTER_CHAINS) == 0) continue;
    let verdict = walk(packet, chain, stack);
    if (TRACE) record(packet, EVENT_HOOK, packet.hook, chain, u32(verdict == TARGET_NONE), 0, 0);
    if (verdict == TARGET_NONE) verdict = type >> 8;
    if (!packet.isUndecided) return false;
    if (verdict == TARGET_DROP) return packet.drop(DROP_RULE);
    if ((verdict & 0xff) == TARGET_REJECT) return packet.reject(reasonOf(verdict));
  }
  return true;
}

function hookOf(packet: Packet, hook: u32): usize {
  packet.hook = hook;
  return packet.image.to(HOOKS_AT + (packet.family == 6 ? HOOK_IP6 + hook : hook) * HOOK_LEN);
}

/** Walks those of a hook that come before the connection table is asked (HOOK_RAW). */
export function netfilterRaw(packet: Packet, hook: u32, stack: usize): bool {
  const at = hookOf(packet, hook);
  return walkBases(packet, at, 0, load<u32>(at, HOOK_EARLY) & 0xffff, FILTER_CHAINS, stack);
}

/** Walks those behind it that come before the destination of a known connection is translated (HOOK_MANGLE). */
export function netfilterMangle(packet: Packet, hook: u32, stack: usize): bool {
  const at = hookOf(packet, hook);
  const early = load<u32>(at, HOOK_EARLY);
  return walkBases(packet, at, early & 0xffff, early >> 16, FILTER_CHAINS, stack);
}

/**
 * Walks the other base chains of a hook, in the order of their priority. nat chains are for the first packet of a
 * connection only. `stack` is scratch of WALK_STACK_LEN octets.
 */
export function netfilter(packet: Packet, hook: u32, isFirst: bool, stack: usize): bool {
  const types = isFirst ? FILTER_CHAINS | NAT_CHAINS : FILTER_CHAINS;
  const at = hookOf(packet, hook);
  return walkBases(packet, at, load<u32>(at, HOOK_EARLY) >> 16, load<u32>(at), types, stack);
}

/** Of those the nat chains alone: where something else comes between them and the others. */
export function netfilterNat(packet: Packet, hook: u32, isFirst: bool, stack: usize): bool {
  if (!isFirst) return true;
  const at = hookOf(packet, hook);
  return walkBases(packet, at, load<u32>(at, HOOK_EARLY) >> 16, load<u32>(at), NAT_CHAINS, stack);
}

/** Of several nat chains at a hook those behind one that decided are not asked (nf_nat_inet_fn). */
function isAsked(packet: Packet): bool {
  if (isSrcHook(packet.hook)) return packet.masquerade == 0 && (packet.translated & TRANSLATED_SRC) == 0;
  return (packet.translated & TRANSLATED_DST) == 0;
}

function reasonOf(reject: u32): u32 {
  const reason = reject >> WORD_CHAIN_SHIFT;
  return reason == 0 ? DROP_PORT_UNREACHABLE : reason;
}

/**
 * Rules that every unmarked packet of a ctstate, which is not the first of its connection, walks at a hook until it
 * passes; NOT_FOREGONE where other properties decide.
 */
export function foregoneAt(image: Image, hook: u32, ctstate: u32, stack: usize): u32 {
  const at = image.to(HOOKS_AT + hook * HOOK_LEN);
  const count = load<u32>(at);
  let walked: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const base = at + 8 + i * HOOK_CHAIN_LEN;
    const type = load<u32>(base, 4);
    if ((type & 0xff) == HOOK_NAT) continue;
    const passes = type >> 8 != TARGET_DROP && type >> 8 != TARGET_REJECT;
    // Before conntrack, which is not behind IPVS, a packet has no connection, and passes for INVALID.
    const isEarly = (type & 0xff) == HOOK_RAW && hook == HOOK_PREROUTING;
    const seen = isEarly ? CTSTATE_INVALID : ctstate;
    const rules = foregone(image, load<u32>(base), seen, passes, stack);
    if (rules == NOT_FOREGONE) return NOT_FOREGONE;
    walked += rules;
  }
  return walked;
}

/** Gives the packet the way out's source address, where a rule said MASQUERADE (nf_nat_masquerade_ipv4, …_ipv6). */
export function masquerade(packet: Packet): void {
  if (packet.masquerade == 0 || (packet.translated & TRANSLATED_SRC) != 0) return;
  // To an address of the node itself, IPv6 takes that very address (RFC 6724 §5 rule 1).
  if (packet.family == 6)
    packet.src6 = packet.hopKind == NEXT_HOP_KIND_LOCAL ? packet.dst6 : sourceOf6(packet.image, packet.hop);
  else packet.src = load<u32>(packet.hopAddress, HOP_SOURCE);
  if (TRACE) recordEnds(packet, EVENT_MASQUERADE, packet.src, 0, 0, 0, 0, packet.src6, i32x4.splat(0));
}
