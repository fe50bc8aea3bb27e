import { STATISTICS_ROW_CONNS, STATISTICS_ROW_IN_OCTETS } from "../abi/session";
import { ETH_LEN, PROTO_TCP } from "../abi/wire";
import { GIVEN, LENGTHS, TUPLES } from "../express/layout";
import { Packet } from "../packet";
import { State } from "../state";
import { addressHalf, overflowOf, restHalf } from "../table/flow/bucket";
import { takeRecord } from "../table/flow/build";
import { enter, enterIn } from "../table/flow/entries";
import {
  Connection,
  DIRECTION_ORIGINAL,
  DIRECTION_REPLY,
  FLOW_PORTS,
  FLOW_SRC,
  FLOW_STATE_NEW,
} from "../table/flow/layout";
import { connectionAt, flowFindHalves } from "../table/flow/lookup";
import { counterAt } from "../table/ipvs/counters";
import {
  COUNTER_SERIAL,
  COUNTER_STATISTICS,
  Ipvs,
  SERVICE_LEN,
  Side,
  TURN_SERVER,
} from "../table/ipvs/layout";
import { hangNew } from "../table/ipvs/wheel";
import { REAL_ADDRESS, REAL_DESTINATION, REAL_NONE, REAL_PORT, RING_COUNT } from "../table/ring/layout";
import { realOf, ringPick, slotReal, slotsOf } from "../table/ring/lookup";
import { codeAt, isHashing, replyBucket } from "./foresee";
import {
  ANSWERS,
  KIND_COUNTER,
  KIND_EXPIRES,
  KIND_FLAGS,
  KIND_LEN,
  KIND_LIST,
  KIND_PROGRESS,
  KIND_TIMEOUT,
  KINDS,
  OPENED,
  OPENED_OCTETS,
  REALS,
  REPLIES,
  REQUESTS,
  RINGS,
  ROWS,
  SERVICES,
  SLOTS,
} from "./layout";

/** What became of a packet: nothing yet; or its destination is picked, whose number `pickedOf` has; else its session is open. */
export const UNTOUCHED: u32 = 0;
const PICKED: u32 = 1 << 31;

const TURN: u64 = (<u64>TURN_SERVER) << 32;

export function isPicked(answer: u32): bool {
  return (answer & PICKED) != 0;
}

export function pickedOf(answer: u32): u32 {
  return answer & ~PICKED;
}

/** Whether there is a session with a tuple, whose bucket is known. Few that are not it have its ports and source. */
function isKnown(ipvs: State, bucket: usize, addresses: u64, rest: u64): bool {
  const src = i32x4.eq(v128.load(bucket, FLOW_SRC), i32x4.splat(<u32>addresses));
  const ports = i32x4.eq(v128.load(bucket, FLOW_PORTS), i32x4.splat(<u32>rest));
  if (!v128.any_true(v128.and(src, ports)) && overflowOf(bucket) == 0) return false;
  return flowFindHalves(ipvs, addresses, rest) != 0;
}

/** The position of the server that the packet's scheduler picks; whom a hash chooses was found ahead. */
function pick(packet: Packet, ring: usize, service: u32, tuple: usize, slot: u32): u32 {
  const image = packet.image;
  if (isHashing(codeAt(ring))) {
    const real = slotReal(slotsOf(image, ring), realOf(image, ring, 0), load<u32>(ring, RING_COUNT), slot);
    if (real != REAL_NONE) return real;
    packet.src = load<u32>(tuple);
    packet.dst = load<u32>(tuple, 4);
    packet.ports = load<u32>(tuple, 8);
  }
  return ringPick(image, packet.state, service - 1, packet);
}

/** Connections, each of one packet of its client's so far, and octets of those: the first two stand side by side. */
function addTo(row: usize, connections: u64, octets: u64): void {
  const both = i64x2.add(v128.load(row, STATISTICS_ROW_CONNS), i64x2.splat(connections));
  v128.store(row, both, STATISTICS_ROW_CONNS);
  store<u64>(row, load<u64>(row, STATISTICS_ROW_IN_OCTETS) + octets, STATISTICS_ROW_IN_OCTETS);
}

/** Counts a burst's opened connections with all there were. */
export function countOpened(ipvs: State, plan: usize): void {
  const opened = load<u32>(plan, OPENED);
  ipvs.connections += opened;
  addTo(changetype<usize>(Ipvs.of(ipvs)) + offsetof<Ipvs>("conns"), opened, load<u32>(plan, OPENED_OCTETS));
}

/** Counts a connection and its first packet, of so many octets, with the destination, the virtual server and the burst. */
function count(ipvs: State, plan: usize, row: usize, service: u32, counter: u32, octets: u32): void {
  store<u32>(row + counter, load<u32>(row + counter) + 1);
  addTo(row + COUNTER_STATISTICS, 1, octets);
  addTo(ipvs.to(Ipvs.of(ipvs).servicesAt) + (service - 1) * SERVICE_LEN, 1, octets);
  store<u32>(plan, load<u32>(plan, OPENED) + 1, OPENED);
  store<u32>(plan, load<u32>(plan, OPENED_OCTETS) + octets, OPENED_OCTETS);
}

/** Fills a record: what a request has, what an answer has, and what stands to begin with. */
function fill(
  connection: Connection,
  tuple: v128,
  replySrc: u32,
  replyPorts: u32,
  kind: usize,
  number: u32,
  serial: u32,
): void {
  const at = changetype<usize>(connection);
  const request = v128.replace_lane<u32>(tuple, 3, replySrc);
  let answer = i32x4.splat(FLOW_STATE_NEW);
  answer = v128.replace_lane<u32>(answer, 0, v128.extract_lane<u32>(tuple, 0));
  answer = v128.replace_lane<u32>(answer, 1, replyPorts);
  answer = v128.replace_lane<u32>(answer, 2, v128.extract_lane<u32>(tuple, 3));
  let own = v128.replace_lane<u64>(i64x2.splat(0), 1, ((<u64>serial) << 32) | (number + 1));
  own = v128.replace_lane<u32>(own, 1, load<u32>(kind, KIND_PROGRESS));
  v128.store(at, request);
  v128.store(at, answer, 16);
  v128.store(at, v128.replace_lane<u32>(i32x4.splat(0), 3, load<u32>(kind, KIND_FLAGS)), 32);
  v128.store(at, own, 48);
}

/** Begins the side of a session whose first packet it was. */
function fillSide(ipvs: State, session: u32, kind: usize): void {
  const side = Side.of(ipvs, session);
  const at = changetype<usize>(side);
  const zero = i32x4.splat(0);
  v128.store(at, zero, 32);
  v128.store(at, zero, 48);
  side.timer = 0;
  side.timeout = load<u64>(kind, KIND_TIMEOUT);
  side.packets = 1;
  hangNew(ipvs, session, side, load<u64>(kind, KIND_EXPIRES), load<u32>(kind, KIND_LIST));
}

function find(ipvs: State, bucket: usize, addresses: u64, rest: u64, ref: u32): void {
  if (!enterIn(bucket, addresses, rest, ref)) enter(ipvs, addresses, rest, ref);
}

/**
 * Schedules and opens the session of packet i of a burst, which was planned, if none has its tuple by now: `begin`, `follow`
 * and `serverOf` in one. What it answers is as above.
 */
export function open(packet: Packet, ipvs: State, scratch: usize, plan: usize, i: u32): u32 {
  const entry = plan + (i << 2);
  const tuple = scratch + TUPLES + (i << 4);
  const addresses = load<u64>(tuple);
  const rest = load<u64>(tuple, 8);
  const requests = <usize>load<u32>(entry, REQUESTS);
  // One that another packet of the burst has opened may have this one for an answer.
  if (Ipvs.of(ipvs).unmasqueraded != 0) return UNTOUCHED;
  if (isKnown(ipvs, <usize>load<u32>(entry, ANSWERS), addresses, rest ^ TURN)) return UNTOUCHED;
  if (isKnown(ipvs, requests, addresses, rest)) return UNTOUCHED;
  const image = packet.image;
  const ring = <usize>load<u32>(entry, RINGS);
  const service = load<u32>(entry, SERVICES);
  const position = pick(packet, ring, service, tuple, load<u32>(entry, SLOTS));
  if (position == REAL_NONE) return UNTOUCHED;
  const real = realOf(image, ring, position);
  const number = load<u32>(real, REAL_DESTINATION);
  const isExpected = real == load<u32>(entry, REALS);
  const ports = <u32>rest;
  const ownPort = load<u32>(real, REAL_PORT);
  const server = load<u32>(real, REAL_ADDRESS);
  const replies = isExpected ? <usize>load<u32>(entry, REPLIES) : replyBucket(ipvs, tuple, real);
  const replyPorts = ((ownPort == 0 ? ports : ownPort) << 16) | (ports >> 16);
  const back = addressHalf(server, <u32>addresses);
  const backRest = restHalf(replyPorts, <u32>(rest >> 32) ^ TURN_SERVER);
  if (isKnown(ipvs, replies, back, backRest)) return number | PICKED;
  const session = takeRecord(ipvs);
  if (session == 0) return number | PICKED;
  const row = isExpected ? <usize>load<u32>(entry, ROWS) : counterAt(ipvs, number);
  const kind = plan + KINDS + (<u32>(rest >> 32) == PROTO_TCP ? 0 : KIND_LEN);
  const connection = connectionAt(ipvs, session);
  fill(connection, v128.load(tuple), server, replyPorts, kind, number, load<u32>(row, COUNTER_SERIAL));
  fillSide(ipvs, session, kind);
  find(ipvs, requests, addresses, rest, (session << 1) | DIRECTION_ORIGINAL);
  find(ipvs, replies, back, backRest, (session << 1) | DIRECTION_REPLY);
  count(
    ipvs,
    plan,
    row,
    service,
    load<u32>(kind, KIND_COUNTER),
    load<u32>(scratch + (i << 2), LENGTHS) - ETH_LEN,
  );
  store<u32>(
    scratch + (i << 2),
    <u32>changetype<usize>(connection) + offsetof<Connection>("replySrc"),
    GIVEN,
  );
  return session;
}
