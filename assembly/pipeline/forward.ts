import {
  CTSTATE_INVALID,
  CTSTATE_UNTRACKED,
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  NEXT_HOP_KIND_LOCAL,
} from "../abi/entry";
import { INTERFACE_NODE } from "../abi/packet";
import { VERDICT_FORWARD, VERDICT_LOCAL } from "../abi/verdict";
import { PROTO_SCTP, PROTO_TCP, TCP_FLAG_RST, TCP_FLAG_SYN } from "../abi/wire";
import { Packet } from "../packet";
import { comeFromAsked } from "../stage/answer-error";
import {
  forget,
  isFirst,
  isOriginal,
  open,
  redirect,
  resource,
  takeDestination,
  track,
} from "../stage/conntrack";
import { encap, readdress } from "../stage/encap";
import { findService, schedule } from "../stage/ipvs";
import {
  age,
  checkFrame,
  checkLength,
  checkNeighbour,
  checkSource,
  checkTtl,
  isScheduled,
  isTunnelled,
  trim,
} from "../stage/leave";
import { checkEnds } from "../stage/martian";
import { masquerade, netfilter, netfilterMangle, netfilterNat, netfilterRaw } from "../stage/netfilter";
import { checkParts, cut, loopParts } from "../stage/parts";
import { route } from "../stage/route";
import { translate } from "../stage/translate";
import { connectionAt } from "../table/flow/lookup";
import { startsWith } from "../track/sctp-chunks";
import { CHUNK_INIT } from "../track/sctp-states";

/** IPVS took the packet, left it to the local stack, or decided. */
const SERVICE_TAKEN: u32 = 1;
const SERVICE_NONE: u32 = 0;
const SERVICE_DECIDED: u32 = 2;

/** Active FTP's data connections come from here: they are never scheduled, for the client's own has made them known (ip_vs_schedule). */
const PORT_FTP_DATA: u32 = 20;

/**
 * Of TCP only what has SYN is scheduled, whatever else it says but RST (tcp_conn_schedule, sloppy_tcp = 0); of SCTP what
 * begins with INIT (sctp_conn_schedule, sloppy_sctp = 0).
 */
function canSchedule(packet: Packet): bool {
  if (packet.srcPort == PORT_FTP_DATA) return false;
  if (packet.protocol == PROTO_SCTP) return startsWith(packet, CHUNK_INIT);
  const way = packet.tcpFlags & (TCP_FLAG_SYN | TCP_FLAG_RST);
  return packet.protocol != PROTO_TCP || way == TCP_FLAG_SYN;
}

/**
 * IPVS looks for a server of whatever it has no connection of: of first packets, and of those that conntrack calls INVALID,
 * which are sent on, but open no connection here; and of packets of connections that are not its own, such as replies to a
 * port of the node that is a virtual server's too. Those are to an address of the node; the others need no look.
 */
function isNews(packet: Packet, first: bool): bool {
  if (first || packet.hopKind == NEXT_HOP_KIND_LOCAL) return true;
  return packet.flow == 0 && (packet.ctstate & CTSTATE_INVALID) != 0;
}

/**
 * A SYN to a virtual server in a connection that IPVS does not know, as a stray ACK to it leaves one behind: IPVS keeps
 * its own table in a kernel, so it schedules it.
 */
function isUnscheduled(packet: Packet): bool {
  if (packet.flow == 0 || packet.flowFlags != 0 || packet.protocol != PROTO_TCP || !isOriginal(packet))
    return false;
  return canSchedule(packet) && findService(packet) != 0;
}

/** IPVS' hook at LOCAL_IN and LOCAL_OUT: known connections first, then the service table (ip_vs_in). */
function balance(packet: Packet, first: bool): u32 {
  if (packet.flow != 0 && packet.flowFlags != 0) {
    if (!isOriginal(packet)) return SERVICE_NONE;
    takeDestination(packet, connectionAt(packet.state, packet.flow >> 1));
    return SERVICE_TAKEN;
  }
  const service = isNews(packet, first) && canSchedule(packet) ? findService(packet) : 0;
  if (service == 0) return SERVICE_NONE;
  return schedule(packet, service) ? SERVICE_TAKEN : SERVICE_DECIDED;
}

/** POSTROUTING: the source is settled, and the connection of a first packet opened. */
function settle(packet: Packet, first: bool, stack: usize): bool {
  if (!netfilter(packet, HOOK_POSTROUTING, first, stack)) return false;
  masquerade(packet);
  comeFromAsked(packet);
  return confirm(packet, first);
}

/** Opens a first packet's connection; a later one takes its source from there. */
function confirm(packet: Packet, first: bool): bool {
  if (first) return open(packet);
  if (packet.flow != 0) resource(packet);
  return true;
}

/** Out: the packet is rewritten and leaves by its next hop. */
function leave(packet: Packet, first: bool, stack: usize): void {
  if (!checkParts(packet) || !settle(packet, first, stack) || !checkNeighbour(packet)) return;
  const ages = packet.in != INTERFACE_NODE || isScheduled(packet);
  translate(packet);
  if (ages) age(packet);
  readdress(packet);
  if (isTunnelled(packet) && !encap(packet)) return;
  cut(packet);
  packet.decide(VERDICT_FORWARD, 0);
}

/** Delivery to the node: INPUT, unless IPVS, which stands between its filter and its nat chains, sends the packet on. */
function deliver(packet: Packet, first: bool, stack: usize): void {
  if (!netfilter(packet, HOOK_INPUT, false, stack)) return;
  const taken = balance(packet, first);
  if (taken == SERVICE_DECIDED) return;
  if (taken == SERVICE_TAKEN) {
    if (!route(packet)) return;
    if (packet.hopKind != NEXT_HOP_KIND_LOCAL) {
      if (!checkTtl(packet) || !checkLength(packet)) return;
      if (leaveIpvs(packet, stack)) leave(packet, first, stack);
      return;
    }
  }
  if (netfilterNat(packet, HOOK_INPUT, first, stack) && confirm(packet, first)) arrive(packet);
}

/** OUTPUT of what IPVS sends: all but its nat chains, and conntrack, which knows the packet (ip_vs_nat_send_or_cont). */
function leaveIpvs(packet: Packet, stack: usize): bool {
  if (!netfilterRaw(packet, HOOK_OUTPUT, stack) || !netfilterMangle(packet, HOOK_OUTPUT, stack)) return false;
  return netfilter(packet, HOOK_OUTPUT, false, stack);
}

/** The local stack has it, without what stands behind the packet. */
function arrive(packet: Packet): void {
  translate(packet);
  trim(packet);
  packet.decide(VERDICT_LOCAL, 0);
}

/** From the node to itself: out and in again by the loopback interface, with the connection that it has. */
function loop(packet: Packet, first: bool, stack: usize): void {
  if (!settle(packet, first, stack)) return;
  if (!netfilterRaw(packet, HOOK_PREROUTING, stack) || !netfilterMangle(packet, HOOK_PREROUTING, stack))
    return;
  if (!netfilter(packet, HOOK_PREROUTING, false, stack)) return;
  if (!netfilter(packet, HOOK_INPUT, false, stack)) return;
  loopParts(packet);
  arrive(packet);
}

/**
 * Rules before the connection table, the table, rules behind it, and where the connection's packets go. An answer to a
 * packet of a connection has its ctstate already.
 */
function enter(packet: Packet, hook: u32, stack: usize): bool {
  if (!netfilterRaw(packet, hook, stack)) return false;
  if (packet.ctstate == CTSTATE_UNTRACKED) packet.flow = 0;
  else if (packet.ctstate == 0 && !track(packet)) return false;
  if (isUnscheduled(packet)) forget(packet);
  if (!netfilterMangle(packet, hook, stack)) return false;
  redirect(packet);
  return true;
}

/** What a router asks before its rules (ip_forward, ip6_forward). */
function mayPass(packet: Packet): bool {
  return checkFrame(packet) && checkTtl(packet) && checkSource(packet) && checkLength(packet);
}

/** The way of a packet that came in by an interface, from PREROUTING on. */
export function ingress(packet: Packet, stack: usize): void {
  if (!enter(packet, HOOK_PREROUTING, stack)) return;
  const first = isFirst(packet);
  if (!netfilter(packet, HOOK_PREROUTING, first, stack)) return;
  if (!checkEnds(packet) || !route(packet)) return;
  if (packet.hopKind == NEXT_HOP_KIND_LOCAL) deliver(packet, first, stack);
  else if (mayPass(packet) && netfilter(packet, HOOK_FORWARD, first, stack)) leave(packet, first, stack);
}

/**
 * The way of a packet that the node itself made: OUTPUT, with IPVS between its nat and its filter chains; routed again when
 * its destination changed. Marks do not change its route: there is one table of routes.
 */
export function egress(packet: Packet, stack: usize): void {
  if (!route(packet) || !enter(packet, HOOK_OUTPUT, stack)) return;
  const first = isFirst(packet);
  if (!netfilterNat(packet, HOOK_OUTPUT, first, stack)) return;
  const taken = balance(packet, first);
  if (taken == SERVICE_DECIDED || !route(packet)) return;
  const isLocal = packet.hopKind == NEXT_HOP_KIND_LOCAL;
  if (
    taken == SERVICE_TAKEN && !isLocal
      ? !leaveIpvs(packet, stack)
      : !netfilter(packet, HOOK_OUTPUT, false, stack)
  )
    return;
  if (isLocal) loop(packet, first, stack);
  else if ((!isScheduled(packet) || checkTtl(packet)) && checkLength(packet)) leave(packet, first, stack);
}
