import {
  CTSTATE_UNTRACKED,
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  NEXT_HOP_KIND_LOCAL,
} from "../abi/entry";
import { INTERFACE_NODE } from "../abi/packet";
import { DROP_RULE, VERDICT_FORWARD, VERDICT_LOCAL, VERDICT_REJECT } from "../abi/verdict";
import { claimOpened } from "../director/claims";
import { leadPassing } from "../director/errors";
import { balance, balanceReply } from "../director/hooks";
import { WAY_ON, WAY_OVER, WAY_SENT } from "../director/send";
import { wrap } from "../director/wrap";
import { release } from "../ipvs/expire";
import { IPVS_AGAIN, IPVS_SEEN, IPVS_TUNNEL, Packet } from "../packet";
import { comeFromAsked } from "../stage/answer-error";
import { isFirst, open, redirect, resource, track, trackAgain } from "../stage/conntrack";
import { encap, readdress } from "../stage/encap";
import {
  age,
  checkFrame,
  checkLength,
  checkNeighbour,
  checkSource,
  checkTtl,
  isTunnelled,
  pass,
  trim,
} from "../stage/leave";
import { checkEnds } from "../stage/martian";
import { masquerade, netfilter, netfilterMangle, netfilterNat, netfilterRaw } from "../stage/netfilter";
import { parse } from "../stage/parse";
import { checkParts, cut, loopParts } from "../stage/parts";
import { route } from "../stage/route";
import { translate } from "../stage/translate";
import { comeAgain, passesRest } from "./apart";

/** POSTROUTING: the source is settled, and the connection of a first packet opened. */
function settle(packet: Packet, stack: usize): bool {
  const first = isFirst(packet);
  if (!netfilter(packet, HOOK_POSTROUTING, first, stack)) return false;
  masquerade(packet);
  comeFromAsked(packet);
  return confirm(packet);
}

/** Opens a first packet's connection; a later one takes its source from there. */
function confirm(packet: Packet): bool {
  if (!isFirst(packet)) {
    if (packet.flow != 0) resource(packet);
    return true;
  }
  if (!open(packet)) return false;
  claimOpened(packet);
  return true;
}

/** Out: the packet is rewritten and leaves by its next hop. */
function leave(packet: Packet, stack: usize): void {
  if (!checkParts(packet) || !settle(packet, stack) || !checkNeighbour(packet)) return;
  translate(packet);
  age(packet);
  readdress(packet);
  if (isTunnelled(packet) && !encap(packet)) return;
  cut(packet);
  packet.decide(VERDICT_FORWARD, 0);
}

/** IPVS at LOCAL_IN and LOCAL_OUT: first what it knows of answers, then of requests; WAY_. */
function lead(packet: Packet): u32 {
  return balanceReply(packet) ? balance(packet) : WAY_OVER;
}

/** IPVS at FORWARD: only errors are led anywhere from here. */
function leadPast(packet: Packet): u32 {
  const way = leadPassing(packet);
  if (way != WAY_ON) return way;
  return balanceReply(packet) ? WAY_ON : WAY_OVER;
}

/** What IPVS sends on leaves through OUTPUT and POSTROUTING, or inside another packet. */
function leaveLed(packet: Packet, stack: usize): void {
  if ((packet.ipvs & IPVS_TUNNEL) != 0) leaveWrapped(packet, stack);
  else if (output(packet, stack)) leave(packet, stack);
}

/**
 * OUTPUT of what IPVS sends on: conntrack looks at what was of no connection once more, which may be a first packet then
 * (ip_vs_nat_send_or_cont).
 */
function output(packet: Packet, stack: usize): bool {
  if (!netfilterRaw(packet, HOOK_OUTPUT, stack) || !trackAgain(packet)) return false;
  if (!netfilterMangle(packet, HOOK_OUTPUT, stack)) return false;
  const isNew = (packet.ipvs & IPVS_AGAIN) != 0 && isFirst(packet);
  if (!netfilterNat(packet, HOOK_OUTPUT, isNew, stack)) return false;
  return netfilter(packet, HOOK_OUTPUT, false, stack);
}

/** conntrack has seen the last of the packet itself; the one that it travels in is the node's own. */
function leaveWrapped(packet: Packet, stack: usize): void {
  if (!confirm(packet)) return;
  translate(packet);
  age(packet);
  if (!wrap(packet)) return;
  const from = packet.in;
  packet.in = INTERFACE_NODE;
  packet.flow = packet.ctstate = packet.aged = packet.masquerade = packet.translated = 0;
  packet.ipvs = IPVS_SEEN;
  if (parse(packet)) egress(packet, stack);
  packet.in = from;
}

/** Delivery to the node: INPUT, unless IPVS, which stands between its filter and its nat chains, sends the packet on. */
function deliver(packet: Packet, stack: usize): void {
  if (!netfilter(packet, HOOK_INPUT, false, stack)) return;
  const way = lead(packet);
  if (way == WAY_SENT) leaveLed(packet, stack);
  if (way != WAY_ON) return;
  if (netfilterNat(packet, HOOK_INPUT, isFirst(packet), stack) && confirm(packet)) arrive(packet);
}

/** The local stack has it, without what stands behind the packet. */
function arrive(packet: Packet): void {
  translate(packet);
  trim(packet);
  packet.decide(VERDICT_LOCAL, 0);
}

/** From the node to itself: out and in again by the loopback interface. */
function loop(packet: Packet, stack: usize): void {
  if (!settle(packet, stack)) return;
  packet.masquerade = 0;
  const isApart = loopParts(packet);
  if ((!isApart || passesRest(packet, stack)) && comeAgain(packet, stack)) deliver(packet, stack);
  // A rule that rejects looks at the checksum, which is the whole datagram's, of a fragment.
  if (isApart && packet.verdict == VERDICT_REJECT) packet.drop(DROP_RULE);
}

/**
 * Rules before the connection table, the table, rules behind it, and where the connection's packets go. An answer to a
 * packet of a connection has its ctstate already.
 */
function enter(packet: Packet, hook: u32, stack: usize): bool {
  if (!netfilterRaw(packet, hook, stack)) return false;
  if (packet.ctstate == CTSTATE_UNTRACKED) packet.flow = 0;
  else if (packet.ctstate == 0 && !track(packet)) return false;
  if (!netfilterMangle(packet, hook, stack)) return false;
  redirect(packet);
  return true;
}

/** What a router asks before its rules (ip_forward, ip6_forward). */
function mayPass(packet: Packet): bool {
  if (!checkFrame(packet) || !checkTtl(packet) || !checkSource(packet) || !checkLength(packet)) return false;
  pass(packet);
  return true;
}

/** Past the node: FORWARD, behind whose rules IPVS stands. */
function forward(packet: Packet, stack: usize): void {
  if (!mayPass(packet) || !netfilter(packet, HOOK_FORWARD, isFirst(packet), stack)) return;
  const way = leadPast(packet);
  if (way == WAY_ON) leave(packet, stack);
  if (way == WAY_SENT) leaveLed(packet, stack);
}

/** A packet of IPVS' is on its way: nothing more is to be asked of its connection. */
function done(packet: Packet): void {
  if (packet.session != 0) release(packet.image, packet.state, packet.session);
}

/** The way of a packet that came in by an interface, from PREROUTING on. */
export function ingress(packet: Packet, stack: usize): void {
  if (!enter(packet, HOOK_PREROUTING, stack)) return;
  if (!netfilter(packet, HOOK_PREROUTING, isFirst(packet), stack)) return;
  if (!checkEnds(packet) || !route(packet)) return;
  if (packet.hopKind == NEXT_HOP_KIND_LOCAL) deliver(packet, stack);
  else forward(packet, stack);
  done(packet);
}

/**
 * The way of a packet that the node itself made: OUTPUT, with IPVS between its nat and its filter chains; routed again when
 * its destination changed. Marks do not change its route: there is one table of routes.
 */
export function egress(packet: Packet, stack: usize): void {
  if (!route(packet) || !enter(packet, HOOK_OUTPUT, stack)) return;
  if (!netfilterNat(packet, HOOK_OUTPUT, isFirst(packet), stack) || !route(packet)) return;
  const way = lead(packet);
  if (way == WAY_ON) leaveOwn(packet, stack);
  if (way == WAY_SENT) leaveLed(packet, stack);
  done(packet);
}

/** What the node itself sends, behind OUTPUT's nat chains: to another or to itself. */
function leaveOwn(packet: Packet, stack: usize): void {
  if (!netfilter(packet, HOOK_OUTPUT, false, stack)) return;
  if (packet.hopKind == NEXT_HOP_KIND_LOCAL) loop(packet, stack);
  else if (checkLength(packet)) leave(packet, stack);
}
