import { FORWARD_MASQUERADE } from "../../abi/server";
import { SESSION_FLAG_ONE_PACKET, SESSION_FLAG_TEMPLATE, SESSION_FORWARD_MASK } from "../../abi/session";
import { State } from "../../state";
import { restHalf } from "../flow/bucket";
import { flowReserve, giveRecord } from "../flow/build";
import { flow6Reserve } from "../flow/build6";
import { enter, leave } from "../flow/entries";
import { flowHasRoom } from "../flow/evict";
import {
  ADDRESS_DST,
  ADDRESS_SRC,
  Connection,
  DIRECTION_ORIGINAL,
  DIRECTION_REPLY,
  FLOW_STATE_NEW,
} from "../flow/layout";
import { connectionAt, flowFindHalves } from "../flow/lookup";
import { address6Half, addressOf, flow6Find, lastWordAt, rest6Half } from "../flow/lookup6";
import { Ipvs, SIDE_LEN, Side, TURN_SERVER, TURN_TEMPLATE } from "./layout";
import { takeDown } from "./wheel";

/** Sessions come and go: their places in the buckets, newest first where several have one tuple, as in a kernel's lists. */

/** What stands for a session's protocol on its client's (DIRECTION_ORIGINAL) or its server's side. */
function protocolOf(connection: Connection, direction: u32): u32 {
  if (direction == DIRECTION_REPLY) return connection.protocol ^ TURN_SERVER;
  const isTemplate = (connection.flags & SESSION_FLAG_TEMPLATE) != 0;
  return isTemplate ? connection.protocol ^ TURN_TEMPLATE : connection.protocol;
}

function srcOf(ipvs: State, connection: Connection, direction: u32): v128 {
  return addressOf(ipvs, connection, (direction << 1) + ADDRESS_SRC);
}

function dstOf(ipvs: State, connection: Connection, direction: u32): v128 {
  return addressOf(ipvs, connection, (direction << 1) + ADDRESS_DST);
}

function portsOf(connection: Connection, direction: u32): u32 {
  return direction == DIRECTION_ORIGINAL ? connection.ports : connection.replyPorts;
}

function addressesOf(ipvs: State, connection: Connection, direction: u32): u64 {
  if (!connection.isIp6) return load<u64>(lastWordAt(connection, (direction << 1) + ADDRESS_SRC));
  return address6Half(ipvs, srcOf(ipvs, connection, direction), dstOf(ipvs, connection, direction));
}

function restOf(connection: Connection, direction: u32): u64 {
  const protocol = protocolOf(connection, direction);
  const ports = portsOf(connection, direction);
  return connection.isIp6 ? rest6Half(ports, protocol) : restHalf(ports, protocol);
}

/** The newest session with the tuple that a filled record has on one side. */
function newestLike(ipvs: State, connection: Connection, direction: u32): u32 {
  const protocol = protocolOf(connection, direction);
  const ports = portsOf(connection, direction);
  if (!connection.isIp6)
    return flowFindHalves(ipvs, addressesOf(ipvs, connection, direction), restHalf(ports, protocol)) >> 1;
  const src = srcOf(ipvs, connection, direction);
  return flow6Find(ipvs, src, dstOf(ipvs, connection, direction), ports, protocol) >> 1;
}

function olderAt(ipvs: State, session: u32, direction: u32): usize {
  return changetype<usize>(Side.of(ipvs, session)) + offsetof<Side>("older") + (direction << 2);
}

function newerAt(ipvs: State, session: u32, direction: u32): usize {
  return changetype<usize>(Side.of(ipvs, session)) + offsetof<Side>("newer") + (direction << 2);
}

function place(ipvs: State, session: u32, direction: u32): void {
  const connection = connectionAt(ipvs, session);
  const ref = (session << 1) | direction;
  enter(ipvs, addressesOf(ipvs, connection, direction), restOf(connection, direction), ref);
}

function displace(ipvs: State, session: u32, direction: u32): void {
  const connection = connectionAt(ipvs, session);
  const ref = (session << 1) | direction;
  leave(ipvs, addressesOf(ipvs, connection, direction), restOf(connection, direction), ref);
}

/** Makes a session the newest of its tuple. */
function hashSide(ipvs: State, session: u32, connection: Connection, direction: u32): void {
  const older = newestLike(ipvs, connection, direction);
  if (older != 0) {
    displace(ipvs, older, direction);
    store<u32>(newerAt(ipvs, older, direction), session);
  }
  store<u32>(olderAt(ipvs, session, direction), older);
  store<u32>(newerAt(ipvs, session, direction), 0);
  place(ipvs, session, direction);
}

/** Takes a session from among those of its tuple: the one before it is found again. */
function unhashSide(ipvs: State, session: u32, direction: u32): void {
  const older = load<u32>(olderAt(ipvs, session, direction));
  const newer = load<u32>(newerAt(ipvs, session, direction));
  if (newer == 0) displace(ipvs, session, direction);
  else store<u32>(olderAt(ipvs, newer, direction), older);
  if (older == 0) return;
  store<u32>(newerAt(ipvs, older, direction), newer);
  if (newer == 0) place(ipvs, older, direction);
}

/** Whether answers come with the server's own address. */
function isMasqueraded(connection: Connection): bool {
  return (connection.flags & (SESSION_FORWARD_MASK | SESSION_FLAG_TEMPLATE)) == FORWARD_MASQUERADE;
}

/** Makes a session findable (ip_vs_conn_hash); a one-packet one never is. */
export function hashSession(ipvs: State, session: u32): void {
  const connection = connectionAt(ipvs, session);
  if ((connection.flags & SESSION_FLAG_ONE_PACKET) != 0) return;
  hashSide(ipvs, session, connection, DIRECTION_ORIGINAL);
  if (isMasqueraded(connection)) hashSide(ipvs, session, connection, DIRECTION_REPLY);
}

export function unhashSession(ipvs: State, session: u32): void {
  const connection = connectionAt(ipvs, session);
  if ((connection.flags & SESSION_FLAG_ONE_PACKET) != 0) return;
  unhashSide(ipvs, session, DIRECTION_ORIGINAL);
  if (isMasqueraded(connection)) unhashSide(ipvs, session, DIRECTION_REPLY);
}

/** A record for a session, whose tuples and flags the caller fills before `openSession`; 0 where there is no room. */
export function reserveSession(ipvs: State, isIp6: bool): u32 {
  if (!flowHasRoom(ipvs, isIp6 ? 2 : 1)) return 0;
  const session = isIp6 ? flow6Reserve(ipvs, 0) : flowReserve(ipvs, 0);
  clearSide(changetype<usize>(Side.of(ipvs, session)));
  return session;
}

/** Stores, since `memory.fill` of so few octets costs a call out of the machine. */
function clearSide(at: usize): void {
  const zero = i32x4.splat(0);
  for (let end = at + SIDE_LEN; at != end; at += 16) v128.store(at, zero);
}

function isCounted(connection: Connection): bool {
  return (connection.flags & SESSION_FORWARD_MASK) != FORWARD_MASQUERADE;
}

export function openSession(ipvs: State, session: u32): void {
  const connection = connectionAt(ipvs, session);
  connection.state = FLOW_STATE_NEW;
  if (isCounted(connection)) Ipvs.of(ipvs).unmasqueraded++;
  ipvs.connections++;
  hashSession(ipvs, session);
}

/** Forgets a session. Whoever it belonged to was told. */
export function closeSession(ipvs: State, session: u32): void {
  const connection = connectionAt(ipvs, session);
  unhashSession(ipvs, session);
  takeDown(ipvs, session);
  if (isCounted(connection)) Ipvs.of(ipvs).unmasqueraded--;
  ipvs.connections--;
  if (connection.isIp6) giveRecord(ipvs, connection.next);
  giveRecord(ipvs, session);
}
