import { Packet } from "../packet";
import { flow6SetAddresses } from "../table/flow/build6";
import {
  ADDRESS_DST,
  ADDRESS_SRC,
  Connection,
  DIRECTION_ORIGINAL,
  DIRECTION_REPLY,
} from "../table/flow/layout";
import { flowFind } from "../table/flow/lookup";
import { addressOf, flow6Find, lastWordAt } from "../table/flow/lookup6";

/** Tuples of packets and of connections, of either family: whatever differs between the two stands here. */

/** record << 1 | direction of the tuple that stands in a packet's frame; 0 where there is none. Time is not looked at. */
export function findTuple(packet: Packet): u32 {
  const state = packet.state;
  const ports = packet.framePorts;
  if (packet.family != 6) return flowFind(state, packet.frameSrc, packet.frameDst, ports, packet.protocol);
  return flow6Find(state, packet.frameSrc6, packet.frameDst6, ports, packet.protocol);
}

/** The same of the tuple that replies to the packet would have, if it left from `srcPort`. */
export function findReply(packet: Packet, srcPort: u32): u32 {
  const state = packet.state;
  const ports = (packet.dstPort << 16) | srcPort;
  if (packet.family != 6) return flowFind(state, packet.dst, packet.src, ports, packet.protocol);
  return flow6Find(state, packet.dst6, packet.src6, ports, packet.protocol);
}

function isEqual(left: v128, right: v128): bool {
  return i32x4.all_true(i32x4.eq(left, right));
}

/** Whether a connection has the packet's frame's tuple in one direction. */
export function hasTuple(packet: Packet, connection: Connection, direction: u32): bool {
  const src = (direction << 1) + ADDRESS_SRC;
  const dst = (direction << 1) + ADDRESS_DST;
  const ports = direction == DIRECTION_ORIGINAL ? connection.ports : connection.replyPorts;
  if (connection.protocol != packet.protocol || packet.framePorts != ports) return false;
  if (packet.frameSrc != load<u32>(lastWordAt(connection, src))) return false;
  if (packet.frameDst != load<u32>(lastWordAt(connection, dst))) return false;
  if (packet.family != 6) return !connection.isIp6;
  return (
    connection.isIp6 &&
    isEqual(packet.frameSrc6, addressOf(packet.state, connection, src)) &&
    isEqual(packet.frameDst6, addressOf(packet.state, connection, dst))
  );
}

/** Fills in both tuples of a reserved record: the original one is the frame's, the reply one turns the packet's round. */
export function setTuples(packet: Packet, connection: Connection): void {
  connection.ports = packet.framePorts;
  connection.replyPorts = rotl<u32>(packet.ports, 16);
  connection.protocol = packet.protocol;
  if (packet.family != 6) {
    connection.src = packet.frameSrc;
    connection.dst = packet.frameDst;
    connection.replySrc = packet.dst;
    connection.replyDst = packet.src;
  } else {
    const state = packet.state;
    flow6SetAddresses(state, connection, DIRECTION_ORIGINAL, packet.frameSrc6, packet.frameDst6);
    flow6SetAddresses(state, connection, DIRECTION_REPLY, packet.dst6, packet.src6);
  }
}

/** Gives the packet one of its connection's addresses (direction << 1 | ADDRESS_) as its destination. */
export function takeDst(packet: Packet, connection: Connection, number: u32): void {
  if (packet.family == 6) packet.dst6 = addressOf(packet.state, connection, number);
  else packet.dst = load<u32>(lastWordAt(connection, number));
}

/** The same as its source. */
export function takeSrc(packet: Packet, connection: Connection, number: u32): void {
  if (packet.family == 6) packet.src6 = addressOf(packet.state, connection, number);
  else packet.src = load<u32>(lastWordAt(connection, number));
}

/** The packet leaves to, or from, where it was when it came. */
export function dstStays(packet: Packet): bool {
  const isSame = packet.dst == packet.frameDst && packet.dstPort == (packet.framePorts & 0xffff);
  return isSame && isEqual(packet.dstHigh, packet.frameDstHigh);
}

export function srcStays(packet: Packet): bool {
  const isSame = packet.src == packet.frameSrc && packet.srcPort == packet.framePorts >> 16;
  return isSame && isEqual(packet.srcHigh, packet.frameSrcHigh);
}
