import { CTSTATE_DNAT, CTSTATE_SNAT } from "../abi/entry";
import { PROTO_SCTP, PROTO_TCP, PROTO_UDP } from "../abi/wire";
import { IPVS_AGAIN, IPVS_APART, IPVS_BEHIND_DNAT, IPVS_DST, IPVS_SRC, Packet } from "../packet";
import { State } from "../state";
import { addressHalf, bucketOf, restHalf } from "../table/flow/bucket";
import { flow6SetAddresses } from "../table/flow/build6";
import {
  ADDRESS_DST,
  ADDRESS_SRC,
  Connection,
  DIRECTION_ORIGINAL,
  DIRECTION_REPLY,
} from "../table/flow/layout";
import { connectionAt, flowFind } from "../table/flow/lookup";
import { address6Half, addressOf, flow6Find, lastWordAt, rest6Half } from "../table/flow/lookup6";
import { ipvsOf } from "../table/ipvs/layout";
import { isIcmp, turnQuery } from "./icmp";

/** Tuples of packets and of connections, of either family: whatever differs between the two stands here. */

/** Whether a protocol's ports tell its connections apart. */
export function protocolHasPorts(protocol: u32): bool {
  return protocol == PROTO_TCP || protocol == PROTO_UDP || protocol == PROTO_SCTP;
}

/** What stands for ports in the tuple of a packet's frame. */
function frameKey(packet: Packet): u32 {
  return isIcmp(packet) ? packet.frameQuery : packet.framePorts;
}

/** conntrack does not learn of the server that IPVS sends the packet to. */
function isApart(packet: Packet): bool {
  return (packet.ipvs & IPVS_APART) != 0;
}

/** The same in the tuple of what answers it. */
function replyKey(packet: Packet): u32 {
  if (isIcmp(packet)) return turnQuery(packet.protocol, packet.query);
  return (packet.srcPort & 0xffff) | ((isApart(packet) ? packet.framePorts : packet.ports) << 16);
}

/** Where answers come from, as conntrack expects them; of IPv4 the last word is all. */
function answerer(packet: Packet): v128 {
  return isApart(packet) ? packet.frameDst6 : packet.dst6;
}

/** record << 1 | direction of the tuple that stands in a packet's frame; 0 where there is none. Time is not looked at. */
export function findTuple(packet: Packet): u32 {
  const state = packet.state;
  const key = frameKey(packet);
  if (packet.family != 6) return flowFind(state, packet.frameSrc, packet.frameDst, key, packet.protocol);
  return flow6Find(state, packet.frameSrc6, packet.frameDst6, key, packet.protocol);
}

/** The same of the tuple that replies to the packet would have, as it is to leave. */
export function findReply(packet: Packet): u32 {
  const state = packet.state;
  const key = replyKey(packet);
  const from = answerer(packet);
  if (packet.family != 6)
    return flowFind(state, v128.extract_lane<u32>(from, 3), packet.src, key, packet.protocol);
  return flow6Find(state, from, packet.src6, key, packet.protocol);
}

/** The number of the bucket that the tuple of a packet's frame belongs to. */
export function bucketOfTuple(packet: Packet): u32 {
  const state: State = packet.state;
  const key = frameKey(packet);
  if (packet.family != 6)
    return bucketOf(state, addressHalf(packet.frameSrc, packet.frameDst), restHalf(key, packet.protocol));
  const addresses = address6Half(state, packet.frameSrc6, packet.frameDst6);
  return bucketOf(state, addresses, rest6Half(key, packet.protocol));
}

function isEqual(left: v128, right: v128): bool {
  return i32x4.all_true(i32x4.eq(left, right));
}

export function keyOf(connection: Connection, direction: u32): u32 {
  return direction == DIRECTION_ORIGINAL ? connection.ports : connection.replyPorts;
}

/** Whether a connection has the packet's frame's tuple in one direction. */
export function hasTuple(packet: Packet, connection: Connection, direction: u32): bool {
  const src = (direction << 1) + ADDRESS_SRC;
  const dst = (direction << 1) + ADDRESS_DST;
  if (connection.protocol != packet.protocol || frameKey(packet) != keyOf(connection, direction))
    return false;
  if (packet.frameSrc != load<u32>(lastWordAt(connection, src))) return false;
  if (packet.frameDst != load<u32>(lastWordAt(connection, dst))) return false;
  if (packet.family != 6) return !connection.isIp6;
  return (
    connection.isIp6 &&
    isEqual(packet.frameSrc6, addressOf(packet.state, connection, src)) &&
    isEqual(packet.frameDst6, addressOf(packet.state, connection, dst))
  );
}

/** Whether the frame's destination is that of a connection's tuple in one direction. */
export function isTo(packet: Packet, connection: Connection, direction: u32): bool {
  const dst = (direction << 1) + ADDRESS_DST;
  if (packet.family != 6) return packet.frameDst == load<u32>(lastWordAt(connection, dst));
  return isEqual(packet.frameDst6, addressOf(packet.state, connection, dst));
}

/** Fills in both tuples of a reserved record: the original one is the frame's, the reply one turns the packet's round. */
export function setTuples(packet: Packet, connection: Connection): void {
  connection.ports = frameKey(packet);
  connection.replyPorts = replyKey(packet);
  connection.protocol = packet.protocol;
  if (packet.family != 6) {
    connection.src = packet.frameSrc;
    connection.dst = packet.frameDst;
    connection.replySrc = v128.extract_lane<u32>(answerer(packet), 3);
    connection.replyDst = packet.src;
  } else {
    const state = packet.state;
    flow6SetAddresses(state, connection, DIRECTION_ORIGINAL, packet.frameSrc6, packet.frameDst6);
    flow6SetAddresses(state, connection, DIRECTION_REPLY, answerer(packet), packet.src6);
  }
}

/** The identifier of an ICMP query, and of its answer, is the same port at both ends. */
function takeIdentifier(packet: Packet, key: u32): void {
  packet.query = (packet.query & 0xffff) | (key & 0xffff0000);
}

/** The packet goes where the packets of the connection's other direction come from. An ICMP error has no ports. */
export function takeDst(packet: Packet, connection: Connection, other: u32, isError: bool): void {
  const number = (other << 1) + ADDRESS_SRC;
  const key = keyOf(connection, other);
  if (packet.family == 6) packet.dst6 = addressOf(packet.state, connection, number);
  else packet.dst = load<u32>(lastWordAt(connection, number));
  if (isError) return;
  if (isIcmp(packet)) takeIdentifier(packet, key);
  else packet.ports = (packet.ports & 0xffff0000) | (key >> 16);
}

/** And comes from where those go to. */
export function takeSrc(packet: Packet, connection: Connection, other: u32, isError: bool): void {
  const number = (other << 1) + ADDRESS_DST;
  const key = keyOf(connection, other);
  if (packet.family == 6) packet.src6 = addressOf(packet.state, connection, number);
  else packet.src = load<u32>(lastWordAt(connection, number));
  if (isError) return;
  if (isIcmp(packet)) takeIdentifier(packet, key);
  else packet.ports = (packet.ports & 0xffff) | (key << 16);
}

/** The packet leaves to, or from, where it was when it came. */
export function dstStays(packet: Packet): bool {
  const isSame = packet.dst == packet.frameDst && packet.dstPort == (packet.framePorts & 0xffff);
  return isSame && isEqual(packet.dstHigh, packet.frameDstHigh);
}

export function srcStays(packet: Packet): bool {
  const isSame = packet.src == packet.frameSrc && packet.srcPort == packet.framePorts >> 16;
  return isSame && packet.query == packet.frameQuery && isEqual(packet.srcHigh, packet.frameSrcHigh);
}

/** IPVS gave it its source, and that is what it leaves with. */
function isFromVirtual(packet: Packet): bool {
  const ipvs = ipvsOf(packet.state);
  const session = connectionAt(ipvs, packet.session);
  if (packet.srcPort != (session.ports & 0xffff)) return false;
  if (packet.family != 6) return packet.src == session.dst;
  return isEqual(packet.src6, addressOf(ipvs, session, (DIRECTION_ORIGINAL << 1) + ADDRESS_DST));
}

/** CTSTATE_DNAT and CTSTATE_SNAT of the connection that a packet opens: by what rules made of its ends, not IPVS. */
export function natOf(packet: Packet): u32 {
  const done = (packet.ipvs & IPVS_AGAIN) == 0 ? packet.ipvs : 0;
  const keepsDst = (done & IPVS_DST) != 0 ? (done & IPVS_BEHIND_DNAT) == 0 : dstStays(packet);
  const keepsSrc = (done & IPVS_SRC) != 0 ? isFromVirtual(packet) : srcStays(packet);
  return (keepsDst ? 0 : CTSTATE_DNAT) | (keepsSrc ? 0 : CTSTATE_SNAT);
}
