import { CTSTATE_DNAT, CTSTATE_RELATED, CTSTATE_SNAT } from "../abi/entry";
import {
  ICMP_CHECKSUM,
  ICMP_LEN,
  PROTO_ICMP,
  PROTO_ICMP6,
  PROTO_SCTP,
  PROTO_TCP,
  SCTP_LEN,
  TCP_LEN,
  UDP_LEN,
} from "../abi/wire";
import { load16, store16 } from "../bytes";
import { IPVS_DST, IPVS_SRC, Packet } from "../packet";
import { State } from "../state";
import {
  ADDRESS_DST,
  ADDRESS_SRC,
  Connection,
  DIRECTION_ORIGINAL,
  DIRECTION_REPLY,
} from "../table/flow/layout";
import { connectionAt } from "../table/flow/lookup";
import { addressOf, lastWordAt } from "../table/flow/lookup6";
import { ipvsOf } from "../table/ipvs/layout";
import { fold, sumWords, wordsOf, wordsOf6 } from "../wire/checksum";
import { Icmp } from "../wire/icmp";
import { pseudoSum } from "../wire/ip";
import { Ip4 } from "../wire/ip4";
import { Ip6 } from "../wire/ip6";
import { Sctp } from "../wire/sctp";
import { patchTransport } from "../wire/transport";
import { isIcmp } from "./icmp";
import { quoteAt, quotedProtocol, quotedTransport, quoteEnd } from "./quote";
import { keyOf, protocolHasPorts } from "./tuple";

/**
 * ICMP errors about a translated packet (nf_nat_icmp_reply_translation): what they quote becomes the packet as its sender
 * knows it. `flow` of such a packet is that of the tuple which answers the quoted one.
 */

/** Whether an error's destination is another than it says: its connection's source, seen from there, is translated. */
export function errorHasDst(connection: Connection, direction: u32): bool {
  return (connection.flags & (direction == DIRECTION_REPLY ? CTSTATE_SNAT : CTSTATE_DNAT)) != 0;
}

/** And whether its source is: of a router behind, too, it is the connection's end. */
export function errorHasSrc(connection: Connection, direction: u32): bool {
  return (connection.flags & (direction == DIRECTION_REPLY ? CTSTATE_DNAT : CTSTATE_SNAT)) != 0;
}

/** Octets of a quoted transport header that are there. */
function roomOf(packet: Packet, transport: usize): u32 {
  return <u32>(quoteEnd(packet) - transport);
}

/** Whether the quoted transport's checksum is there; it is patched where its whole header is. */
function hasChecksum(protocol: u32, room: u32): bool {
  if (protocol == PROTO_TCP) return room >= TCP_LEN;
  return protocol == PROTO_ICMP6 ? room >= ICMP_LEN : room >= UDP_LEN;
}

/** What becomes of the quoted transport's checksum when one of its ends is rewritten: it is left, or follows; */
const SUM_LEFT: u32 = 0;
const SUM_FOLLOWS: u32 = 1;
/** or the address is added to it, as to a sum that a network card has yet to complete. */
const SUM_ADDED: u32 = 2;

/** Gives one end of the quoted packet another port, at `offset` of the ports, or an identifier. */
function rewritePort(
  packet: Packet,
  transport: usize,
  protocol: u32,
  offset: u32,
  port: u32,
  sum: u32,
): void {
  const room = roomOf(packet, transport);
  if (protocol == PROTO_ICMP || protocol == PROTO_ICMP6) {
    Icmp.at(transport).id = port;
    return;
  }
  const at = transport + offset;
  const old = load16(at);
  if (old == port) return;
  if (sum == SUM_FOLLOWS && hasChecksum(protocol, room)) patchTransport(transport, protocol, old, port);
  store16(at, port);
}

/** Gives one end of the quoted packet the address of a connection's tuple in the other direction. */
function rewriteAddress(
  packet: Packet,
  state: State,
  connection: Connection,
  transport: usize,
  number: u32,
  sum: u32,
): void {
  const ip = quoteAt(packet);
  const protocol = quotedProtocol(packet);
  const isSrc = (number & 1) == ADDRESS_SRC;
  const patches = sum != SUM_LEFT && hasChecksum(protocol, roomOf(packet, transport));
  if (packet.family == 6) {
    const header = Ip6.at(ip);
    const address = addressOf(state, connection, number);
    const before = wordsOf6(isSrc ? header.src : header.dst);
    const after = wordsOf6(address);
    if (patches && sum == SUM_ADDED) patchTransport(transport, protocol, after, before);
    else if (patches) patchTransport(transport, protocol, before, after);
    if (isSrc) header.src = address;
    else header.dst = address;
    return;
  }
  const header = Ip4.at(ip);
  const address = load<u32>(lastWordAt(connection, number));
  const removed = wordsOf(isSrc ? header.src : header.dst);
  if (patches) patchTransport(transport, protocol, removed, wordsOf(address));
  header.patch(removed, wordsOf(address));
  if (isSrc) header.src = address;
  else header.dst = address;
}

/** Turns one end of the quoted packet into that of a tuple of a connection, which is conntrack's or IPVS'. */
function rewrite(packet: Packet, state: State, connection: Connection, other: u32, end: u32, sum: u32): void {
  const transport = quotedTransport(packet);
  const protocol = quotedProtocol(packet);
  const key = keyOf(connection, other);
  const isPing = protocol == PROTO_ICMP || protocol == PROTO_ICMP6;
  const port = end == ADDRESS_SRC || isPing ? key >> 16 : key & 0xffff;
  if (isPing || protocolHasPorts(protocol))
    rewritePort(packet, transport, protocol, end == ADDRESS_SRC ? 0 : 2, port, sum);
  rewriteAddress(packet, state, connection, transport, (other << 1) + end, sum);
  if (sum == SUM_FOLLOWS && protocol == PROTO_SCTP && roomOf(packet, transport) >= SCTP_LEN)
    Sctp.at(transport).seal(roomOf(packet, transport));
}

/** Writes the error's own checksum anew: of ICMPv6 it covers the addresses that the frame has by now. */
function seal(packet: Packet): void {
  const at = packet.transport;
  store16(at + ICMP_CHECKSUM, 0);
  const pseudo = packet.family == 6 ? pseudoSum(packet.ip, PROTO_ICMP6, packet.segment) : 0;
  store16(at + ICMP_CHECKSUM, ~fold(pseudo + sumWords(at, packet.segment)));
}

/**
 * IPVS' part: where the server is, or where it was asked. It leaves the transport's checksum (ip_vs_nat_icmp), and of IPv6
 * the whole error as one to be completed (ip_vs_nat_icmp_v6).
 */
function lead(packet: Packet): void {
  const ipvs = ipvsOf(packet.state);
  const session = connectionAt(ipvs, packet.session);
  if ((packet.ipvs & IPVS_DST) != 0) rewrite(packet, ipvs, session, DIRECTION_REPLY, ADDRESS_SRC, SUM_LEFT);
  else rewrite(packet, ipvs, session, DIRECTION_ORIGINAL, ADDRESS_DST, SUM_LEFT);
}

/** Whether something may be to be written into what an ICMP error quotes. */
export function isTurned(packet: Packet): bool {
  if (isIcmp(packet) && (packet.ipvs & (IPVS_DST | IPVS_SRC)) != 0) return true;
  return packet.flow != 0 && (packet.ctstate & CTSTATE_RELATED) != 0;
}

/**
 * Turns what an ICMP error quotes back, once its own addresses stand in the frame: conntrack first one end, at
 * PREROUTING, and the other behind IPVS (inet_proto_csum_replace16).
 */
export function translateError(packet: Packet): void {
  const state = packet.state;
  const direction = packet.flow & 1;
  const connection = connectionAt(state, packet.flow >> 1);
  const isLed = (packet.ipvs & (IPVS_DST | IPVS_SRC)) != 0;
  const hasDst = packet.flow != 0 && errorHasDst(connection, direction);
  const hasSrc = packet.flow != 0 && errorHasSrc(connection, direction);
  if (hasDst) rewrite(packet, state, connection, direction ^ 1, ADDRESS_SRC, SUM_FOLLOWS);
  if (isLed) lead(packet);
  const sum = isLed && packet.family == 6 ? SUM_ADDED : SUM_FOLLOWS;
  if (hasSrc) rewrite(packet, state, connection, direction ^ 1, ADDRESS_DST, sum);
  if (hasDst || hasSrc || isLed) seal(packet);
}
