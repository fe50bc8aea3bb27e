import { STATISTICS_ROW_LEN } from "../../abi/session";
import { Image } from "../../image";
import { State } from "../../state";
import { flowCreate, flowLength } from "../flow/build";
import { COUNTER_LEN, hasIpvs, IPVS_HEAD_LEN, Ipvs, ipvsOf, SIDE_LEN } from "./layout";
import { WHEEL_LEN } from "./wheel";

/** How much room IPVS' part of a state takes, and where in it everything stands. */

/** Octets of all that does not grow. */
function fixedLength(connections: u32): u64 {
  return <u64>IPVS_HEAD_LEN + flowLength(connections) + (<u64>connections + 1) * SIDE_LEN + WHEEL_LEN;
}

/** Octets for so many connections, virtual servers and destinations, a multiple of 64. */
export function ipvsLength(connections: u32, services: u32, destinations: u32): u64 {
  const length =
    fixedLength(connections) +
    <u64>services * STATISTICS_ROW_LEN +
    <u64>destinations * (COUNTER_LEN + STATISTICS_ROW_LEN);
  return (length + 63) & ~(<u64>63);
}

/** Lays the part out in `ipvsLength` octets, all zero. */
export function ipvsCreate(ipvs: State, connections: u32, services: u32, destinations: u32, now: u64): void {
  const own = Ipvs.of(ipvs);
  flowCreate(ipvs, IPVS_HEAD_LEN, connections);
  own.sidesAt = IPVS_HEAD_LEN + flowLength(connections);
  own.wheelAt = own.sidesAt + (connections + 1) * SIDE_LEN;
  own.servicesAt = own.wheelAt + WHEEL_LEN;
  own.servicesRoom = services;
  own.countersAt = own.servicesAt + services * STATISTICS_ROW_LEN;
  own.statisticsAt = own.countersAt + destinations * COUNTER_LEN;
  own.destinationsRoom = destinations;
  own.defenseAt = now;
  ipvs.length = <u32>ipvsLength(connections, services, destinations);
  ipvs.now = now;
}

/** Moves a vector of rows to where there is room for more of them. */
function move(ipvs: State, from: u32, to: u32, rows: u32, room: u32, octets: u32): void {
  memory.copy(ipvs.to(to), ipvs.to(from), rows * octets);
  memory.fill(ipvs.to(to + rows * octets), 0, (room - rows) * octets);
}

/** Makes room for more virtual servers and destinations in a part that has got the octets. */
export function ipvsReach(ipvs: State, services: u32, destinations: u32): void {
  const own = Ipvs.of(ipvs);
  const countersAt = own.servicesAt + services * STATISTICS_ROW_LEN;
  const statisticsAt = countersAt + destinations * COUNTER_LEN;
  const had = own.destinationsRoom;
  move(ipvs, own.statisticsAt, statisticsAt, had, destinations, STATISTICS_ROW_LEN);
  move(ipvs, own.countersAt, countersAt, had, destinations, COUNTER_LEN);
  move(ipvs, own.servicesAt, own.servicesAt, own.servicesRoom, services, STATISTICS_ROW_LEN);
  own.servicesRoom = services;
  own.countersAt = countersAt;
  own.statisticsAt = statisticsAt;
  own.destinationsRoom = destinations;
  ipvs.length = <u32>ipvsLength(ipvs.connectionsRoom, services, destinations);
}

/** Whether a state has room for the image's virtual servers and their destinations. */
export function stateFits(image: Image, state: State): bool {
  if (state.positionsRoom < image.serversRoom) return false;
  if (image.destinations == 0) return true;
  return hasIpvs(state) && Ipvs.of(ipvsOf(state)).destinationsRoom >= image.destinations;
}
