import {
  DESTINATION_ROW_ACTIVE,
  DESTINATION_ROW_ADDRESS,
  DESTINATION_ROW_INACTIVE,
  DESTINATION_ROW_LEN,
  DESTINATION_ROW_NUMBER,
  DESTINATION_ROW_OVERLOADED,
  DESTINATION_ROW_PERSISTENT,
  DESTINATION_ROW_PORT,
  DESTINATION_ROW_SERIAL,
  DESTINATION_ROW_SERVICE,
  DESTINATION_ROW_STATISTICS,
  DESTINATION_ROW_WEIGHT,
  SESSION_ROW_CLIENT,
  SESSION_ROW_CONTROL,
  SESSION_ROW_CONTROLLED,
  SESSION_ROW_DESTINATION,
  SESSION_ROW_FAMILY,
  SESSION_ROW_FLAGS,
  SESSION_ROW_LEFT,
  SESSION_ROW_LEN,
  SESSION_ROW_MARK,
  SESSION_ROW_NUMBER,
  SESSION_ROW_PACKETS,
  SESSION_ROW_PORTS,
  SESSION_ROW_PROTOCOL,
  SESSION_ROW_REAL,
  SESSION_ROW_REAL_PORT,
  SESSION_ROW_SERIAL,
  SESSION_ROW_STATE,
  SESSION_ROW_VIRTUAL,
  STATISTICS_ROW_LEN,
} from "../../abi/session";
import { Image } from "../../image";
import { State } from "../../state";
import { ADDRESS_DST, ADDRESS_SRC, Connection, DIRECTION_REPLY, FLOW_STATE_FREE } from "../flow/layout";
import { connectionAt } from "../flow/lookup";
import { addressOf, lastWordAt } from "../flow/lookup6";
import { Destination, destinationAt } from "../ring/destinations";
import { REAL_DESTINATION, REAL_LEN, RING_BLOCK, RING_COUNT, RING_LEN } from "../ring/layout";
import { isOverloaded, serviceAt, settledRow } from "./counters";
import {
  COUNTER_ACTIVE,
  COUNTER_FLAG_OVERLOADED,
  COUNTER_INACTIVE,
  COUNTER_PERSISTENT,
  COUNTER_STATISTICS,
  Ipvs,
  Side,
} from "./layout";

/** What hosts read of sessions and destinations. */

/** Of milliseconds, what fits. */
const LEFT_MAX: u64 = 0xffffffff;

function readAddress(ipvs: State, connection: Connection, number: u32, at: usize): void {
  const last = load<u32>(lastWordAt(connection, number));
  const whole = connection.isIp6 ? addressOf(ipvs, connection, number) : i32x4.splat(0);
  v128.store(at, v128.replace_lane<u32>(whole, 3, last));
}

function readSession(ipvs: State, session: u32, row: usize): void {
  const connection = connectionAt(ipvs, session);
  const side = Side.of(ipvs, session);
  const left = side.expires > ipvs.now ? side.expires - ipvs.now : 0;
  store<u32>(row, session, SESSION_ROW_NUMBER);
  store<u32>(row, connection.isIp6 ? 6 : 4, SESSION_ROW_FAMILY);
  store<u32>(row, connection.protocol, SESSION_ROW_PROTOCOL);
  store<u32>(row, connection.progress, SESSION_ROW_STATE);
  readAddress(ipvs, connection, ADDRESS_SRC, row + SESSION_ROW_CLIENT);
  readAddress(ipvs, connection, ADDRESS_DST, row + SESSION_ROW_VIRTUAL);
  readAddress(ipvs, connection, (DIRECTION_REPLY << 1) + ADDRESS_SRC, row + SESSION_ROW_REAL);
  store<u32>(row, connection.ports, SESSION_ROW_PORTS);
  store<u32>(row, connection.replyPorts >> 16, SESSION_ROW_REAL_PORT);
  store<u32>(row, <u32>min<u64>(left, LEFT_MAX), SESSION_ROW_LEFT);
  store<u32>(row, connection.mark, SESSION_ROW_MARK);
  store<u32>(row, connection.flags, SESSION_ROW_FLAGS);
  store<u32>(row, connection.detail0 - 1, SESSION_ROW_DESTINATION);
  store<u32>(row, connection.detail1, SESSION_ROW_SERIAL);
  store<u32>(row, side.control, SESSION_ROW_CONTROL);
  store<u32>(row, side.controlled, SESSION_ROW_CONTROLLED);
  store<u32>(row, side.packets, SESSION_ROW_PACKETS);
}

/** Reads up to `count` sessions of number `from` or a later one into rows (SESSION_ROW_…); how many there were. */
export function readSessions(ipvs: State, from: u32, count: u32, rows: usize): u32 {
  let done: u32 = 0;
  for (let session = max<u32>(from, 1); session < ipvs.recordsTop && done < count; session++) {
    if (connectionAt(ipvs, session).state == FLOW_STATE_FREE) continue;
    readSession(ipvs, session, rows + done * SESSION_ROW_LEN);
    done++;
  }
  return done;
}

function readDestination(image: Image, ipvs: State, number: u32, row: usize): void {
  const destination = destinationAt(image, number);
  const counters = settledRow(image, ipvs, number);
  const high = v128.load(changetype<usize>(destination) + offsetof<Destination>("high0"));
  store<u32>(row, number, DESTINATION_ROW_NUMBER);
  store<u32>(row, destination.service, DESTINATION_ROW_SERVICE);
  store<u32>(row, destination.serial, DESTINATION_ROW_SERIAL);
  store<u32>(row, destination.weight, DESTINATION_ROW_WEIGHT);
  v128.store(row + DESTINATION_ROW_ADDRESS, v128.replace_lane<u32>(high, 3, destination.address));
  store<u32>(row, destination.port, DESTINATION_ROW_PORT);
  store<u32>(row, load<u32>(counters, COUNTER_ACTIVE), DESTINATION_ROW_ACTIVE);
  store<u32>(row, load<u32>(counters, COUNTER_INACTIVE), DESTINATION_ROW_INACTIVE);
  store<u32>(
    row,
    load<u32>(counters, COUNTER_PERSISTENT) & ~COUNTER_FLAG_OVERLOADED,
    DESTINATION_ROW_PERSISTENT,
  );
  store<u32>(row, u32(isOverloaded(image, ipvs, number)), DESTINATION_ROW_OVERLOADED);
  memory.copy(row + DESTINATION_ROW_STATISTICS, counters + COUNTER_STATISTICS, STATISTICS_ROW_LEN);
}

/** Reads destinations from … from + count - 1 into rows (DESTINATION_ROW_…); how many there were. */
export function readDestinations(image: Image, ipvs: State, from: u32, count: u32, rows: usize): u32 {
  const room = min<u32>(image.destinations, Ipvs.of(ipvs).destinationsRoom);
  if (from >= room) return 0;
  const total = min<u32>(count, room - from);
  for (let i: u32 = 0; i < total; i++) readDestination(image, ipvs, from + i, rows + i * DESTINATION_ROW_LEN);
  return total;
}

/**
 * Reads up to `count` of a virtual server's destinations, of its position `from` on, in the order of addition, into rows (DESTINATION_ROW_…);
 * how many there were.
 */
export function readRing(image: Image, ipvs: State, service: u32, from: u32, count: u32, rows: usize): u32 {
  if (service >= image.serversRoom) return 0;
  const ring = image.to(image.serversAt) + service * RING_LEN;
  const reals = load<u32>(ring, RING_COUNT);
  if (from >= reals) return 0;
  const total = min<u32>(count, reals - from);
  const block = image.to(load<u32>(ring, RING_BLOCK));
  for (let i: u32 = 0; i < total; i++) {
    const number = load<u32>(block + (from + i) * REAL_LEN, REAL_DESTINATION);
    readDestination(image, ipvs, number, rows + i * DESTINATION_ROW_LEN);
  }
  return total;
}

/** Reads a virtual server's statistics, or those of all (STATISTICS_ROW_…); false where there is no such server. */
export function readStatistics(ipvs: State, service: u32, row: usize): bool {
  const own = Ipvs.of(ipvs);
  if (service >= own.servicesRoom) return false;
  memory.copy(row, serviceAt(ipvs, service), STATISTICS_ROW_LEN);
  return true;
}

export function readTotals(ipvs: State, row: usize): void {
  memory.copy(row, changetype<usize>(Ipvs.of(ipvs)) + offsetof<Ipvs>("conns"), STATISTICS_ROW_LEN);
}
