import {
  STATISTICS_ROW_CONNS,
  STATISTICS_ROW_IN_OCTETS,
  STATISTICS_ROW_IN_PACKETS,
  STATISTICS_ROW_OUT_OCTETS,
  STATISTICS_ROW_OUT_PACKETS,
} from "../abi/session";
import { Image } from "../image";
import { State } from "../state";
import { Connection, DIRECTION_ORIGINAL } from "../table/flow/layout";
import { counterAt, serviceAt } from "../table/ipvs/counters";
import { COUNTER_STATISTICS, Ipvs } from "../table/ipvs/layout";
import { destinationAt } from "../table/ring/destinations";
import { NO_DESTINATION, numberOf } from "./destination";

/** Of a destination that left, the virtual server. */
const LEFT: u32 = 0xffffffff;

/** Adds to one statistic of a destination, of its virtual server and of all (ip_vs_in_stats and its like). */
function add(ipvs: State, service: u32, number: u32, field: u32, value: u64): void {
  const own = Ipvs.of(ipvs);
  const row = counterAt(ipvs, number) + field;
  store<u64>(row, load<u64>(row, COUNTER_STATISTICS) + value, COUNTER_STATISTICS);
  if (service < own.servicesRoom) {
    const at = serviceAt(ipvs, service) + field;
    store<u64>(at, load<u64>(at) + value);
  }
  const total = changetype<usize>(own) + offsetof<Ipvs>("conns") + field;
  store<u64>(total, load<u64>(total) + value);
}

/**
 * A connection was scheduled by virtual server `service` (ip_vs_conn_stats). Its destination may be another one's: templates
 * of FTP's and of port 0 are the same.
 */
export function countConnection(ipvs: State, service: u32, number: u32): void {
  add(ipvs, service, number, STATISTICS_ROW_CONNS, 1);
}

/** A packet of a session, an IP packet of so many octets; none where its destination left. */
export function countPacket(
  image: Image,
  ipvs: State,
  connection: Connection,
  direction: u32,
  octets: u32,
): void {
  const number = numberOf(image, ipvs, connection);
  if (number == NO_DESTINATION) return;
  const service = destinationAt(image, number).service - 1;
  if (service == LEFT) return;
  const isIn = direction == DIRECTION_ORIGINAL;
  add(ipvs, service, number, isIn ? STATISTICS_ROW_IN_PACKETS : STATISTICS_ROW_OUT_PACKETS, 1);
  add(ipvs, service, number, isIn ? STATISTICS_ROW_IN_OCTETS : STATISTICS_ROW_OUT_OCTETS, octets);
}
