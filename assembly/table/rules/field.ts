import { CTSTATE_INVALID, CTSTATE_UNTRACKED } from "../../abi/entry";
import { INTERFACE_NODE } from "../../abi/packet";
import {
  CTSTATUS_ASSURED,
  CTSTATUS_CONFIRMED,
  CTSTATUS_SEEN_REPLY,
  FIELD_CONNMARK,
  FIELD_CT_DIRECTION,
  FIELD_CT_DPORT,
  FIELD_CT_DST,
  FIELD_CT_LEFT,
  FIELD_CT_PROTOCOL,
  FIELD_CT_REPLY_DPORT,
  FIELD_CT_REPLY_DST,
  FIELD_CT_REPLY_SPORT,
  FIELD_CT_REPLY_SRC,
  FIELD_CT_SPORT,
  FIELD_CT_SRC,
  FIELD_CT_STATUS,
  FIELD_DST,
  FIELD_ICMP,
  FIELD_IPVS_DPORT,
  FIELD_IPVS_DST,
  FIELD_IPVS_PROTOCOL,
  FIELD_LENGTH,
  FIELD_LINK,
  FIELD_SRC,
  FIELD_TCP_FLAGS,
  FIELD_TOS,
  FIELD_TTL,
  FIELD_WORD_SHIFT,
  LINK_BROADCAST,
  LINK_MULTICAST,
  LINK_UNICAST,
} from "../../abi/rule";
import { ETH_DST, IP4_TOS, IP4_TTL, IP6_HOP_LIMIT, PROTO_ICMP, PROTO_ICMP6, PROTO_TCP } from "../../abi/wire";
import { load16, load32 } from "../../bytes";
import { IPVS_SRC, Packet } from "../../packet";
import {
  ADDRESS_DST,
  ADDRESS_SRC,
  Connection,
  DIRECTION_ORIGINAL,
  DIRECTION_REPLY,
  FLOW_FLAG_ASSURED,
  FLOW_STATE_NEW,
} from "../flow/layout";
import { connectionAt } from "../flow/lookup";
import { addressOf, lastWordAt } from "../flow/lookup6";
import { ipvsOf } from "../ipvs/layout";

/** Fields of packets and of their connections, as rules ask for them (FIELD_). */

/** The packet has no such field. No field is as large. */
export const NO_FIELD: u64 = ~(<u64>0);

/** Less the hops that are behind it by now: a router's, from FORWARD on (ip_forward), or IPVS'. */
function ttlOf(packet: Packet): u32 {
  const ttl = <u32>load<u8>(packet.ip + (packet.family == 6 ? IP6_HOP_LIMIT : IP4_TTL));
  return ttl - min<u32>(packet.aged, ttl);
}

function tosOf(packet: Packet): u32 {
  return packet.family == 6 ? (load16(packet.ip) >> 4) & 0xff : <u32>load<u8>(packet.ip, IP4_TOS);
}

function icmpOf(packet: Packet): u64 {
  if (packet.protocol != PROTO_ICMP && packet.protocol != PROTO_ICMP6) return NO_FIELD;
  return packet.segment < 2 ? NO_FIELD : load16(packet.transport);
}

/** Packets made on the node, and those that come back by the loopback interface, are for the host itself. */
function linkOf(packet: Packet): u32 {
  if (packet.in == INTERFACE_NODE) return LINK_UNICAST;
  const dst = packet.frame + ETH_DST;
  if ((load<u8>(dst) & 1) == 0) return LINK_UNICAST;
  return load32(dst) == 0xffffffff && load16(dst + 4) == 0xffff ? LINK_BROADCAST : LINK_MULTICAST;
}

/** Conntrack has a connection for the packet, though it may not be open yet. */
export function hasConnection(packet: Packet): bool {
  return packet.ctstate != 0 && (packet.ctstate & (CTSTATE_INVALID | CTSTATE_UNTRACKED)) == 0;
}

export function connmarkOf(packet: Packet): u32 {
  return packet.flow == 0 ? packet.connmark : connectionAt(packet.state, packet.flow >> 1).mark;
}

/** One of an address's words. */
function wordOf(address: v128, word: u32): u32 {
  if (word == 0) return v128.extract_lane<u32>(address, 0);
  if (word == 1) return v128.extract_lane<u32>(address, 1);
  return word == 2 ? v128.extract_lane<u32>(address, 2) : v128.extract_lane<u32>(address, 3);
}

/** An IPv4 address, or one word of an IPv6 one. */
function addressField(packet: Packet, address: u32, address6: v128, word: u32): u32 {
  return packet.family == 6 ? wordOf(address6, word) : address;
}

/** An address of a connection (direction << 1 | ADDRESS_), likewise. */
function connectionAddress(packet: Packet, connection: Connection, number: u32, word: u32): u32 {
  if (packet.family != 6) return load<u32>(lastWordAt(connection, number));
  return wordOf(addressOf(packet.state, connection, number), word);
}

/** A field of a connection that the packet is the first one of. */
function newConnectionField(packet: Packet, field: u32, word: u32): u64 {
  switch (field) {
    case FIELD_CT_SRC:
      return addressField(packet, packet.frameSrc, packet.frameSrc6, word);
    case FIELD_CT_DST:
      return addressField(packet, packet.frameDst, packet.frameDst6, word);
    case FIELD_CT_REPLY_SRC:
      return addressField(packet, packet.dst, packet.dst6, word);
    case FIELD_CT_REPLY_DST:
      return addressField(packet, packet.src, packet.src6, word);
    case FIELD_CT_PROTOCOL:
      return packet.protocol;
    case FIELD_CT_SPORT:
      return packet.framePorts >> 16;
    case FIELD_CT_DPORT:
      return packet.framePorts & 0xffff;
    case FIELD_CT_REPLY_SPORT:
      return packet.dstPort;
    case FIELD_CT_REPLY_DPORT:
      return packet.srcPort;
    default:
      return 0;
  }
}

function openConnectionField(packet: Packet, field: u32, word: u32): u64 {
  const connection = connectionAt(packet.state, packet.flow >> 1);
  switch (field) {
    case FIELD_CT_STATUS:
      return (
        CTSTATUS_CONFIRMED |
        (connection.state == FLOW_STATE_NEW ? 0 : CTSTATUS_SEEN_REPLY) |
        ((connection.flags & FLOW_FLAG_ASSURED) == 0 ? 0 : CTSTATUS_ASSURED)
      );
    case FIELD_CT_PROTOCOL:
      return connection.protocol;
    case FIELD_CT_DIRECTION:
      return packet.flow & 1;
    case FIELD_CT_LEFT:
      return (max<u64>(connection.expires, packet.state.now) - packet.state.now) / 1000;
    case FIELD_CT_SRC:
      return connectionAddress(packet, connection, (DIRECTION_ORIGINAL << 1) + ADDRESS_SRC, word);
    case FIELD_CT_DST:
      return connectionAddress(packet, connection, (DIRECTION_ORIGINAL << 1) + ADDRESS_DST, word);
    case FIELD_CT_REPLY_SRC:
      return connectionAddress(packet, connection, (DIRECTION_REPLY << 1) + ADDRESS_SRC, word);
    case FIELD_CT_REPLY_DST:
      return connectionAddress(packet, connection, (DIRECTION_REPLY << 1) + ADDRESS_DST, word);
    case FIELD_CT_SPORT:
      return connection.ports >> 16;
    case FIELD_CT_DPORT:
      return connection.ports & 0xffff;
    case FIELD_CT_REPLY_SPORT:
      return connection.replyPorts >> 16;
    default:
      return connection.replyPorts & 0xffff;
  }
}

function connectionField(packet: Packet, field: u32, word: u32): u64 {
  if (!hasConnection(packet)) return NO_FIELD;
  if (field == FIELD_CONNMARK) return connmarkOf(packet);
  return packet.flow == 0
    ? newConnectionField(packet, field, word)
    : openConnectionField(packet, field, word);
}

/** Where a packet that IPVS leads to a server was destined to (ipvs_mt, which looks for what would be its answer). */
function ipvsField(packet: Packet, field: u32, word: u32): u64 {
  if (packet.session == 0 || (packet.ipvs & IPVS_SRC) != 0) return NO_FIELD;
  if (field == FIELD_IPVS_PROTOCOL) return packet.protocol;
  const ipvs = ipvsOf(packet.state);
  const session = connectionAt(ipvs, packet.session);
  if (field == FIELD_IPVS_DPORT) return session.ports & 0xffff;
  if (packet.family != 6) return session.dst;
  const dst = addressOf(ipvs, session, (DIRECTION_ORIGINAL << 1) + ADDRESS_DST);
  return addressField(packet, session.dst, dst, word);
}

/** A FIELD_ of the packet, or the word of it that is asked for; NO_FIELD where it has none. */
export function fieldOf(packet: Packet, code: u32): u64 {
  const field = code & ((1 << FIELD_WORD_SHIFT) - 1);
  const word = code >> FIELD_WORD_SHIFT;
  switch (field) {
    case FIELD_TTL:
      return ttlOf(packet);
    case FIELD_LENGTH:
      return packet.ipLength;
    case FIELD_TOS:
      return tosOf(packet);
    case FIELD_TCP_FLAGS:
      return packet.protocol == PROTO_TCP ? packet.tcpFlags : NO_FIELD;
    case FIELD_ICMP:
      return icmpOf(packet);
    case FIELD_LINK:
      return linkOf(packet);
    case FIELD_SRC:
      return packet.src;
    case FIELD_DST:
      return packet.dst;
    case FIELD_IPVS_PROTOCOL:
    case FIELD_IPVS_DST:
    case FIELD_IPVS_DPORT:
      return ipvsField(packet, field, word);
    default:
      return connectionField(packet, field, word);
  }
}
