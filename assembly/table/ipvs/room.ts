import { STATISTICS_ROW_LEN } from "../../abi/session";
import { Image } from "../../image";
import { STATE_HEAD_LEN, State } from "../../state";
import { flowCreate, flowLength } from "../flow/build";
import { FLOW_STATE_FREE } from "../flow/layout";
import { connectionAt } from "../flow/lookup";
import { cacheCreate, cacheLength } from "../ring/cache";
import { destinationAt } from "../ring/destinations";
import { closeSession } from "./build";
import { counterAt } from "./counters";
import { COUNTER_LEN, hasIpvs, IPVS_HEAD_LEN, Ipvs, ipvsOf, SERVICE_LEN, SIDE_LEN } from "./layout";
import { WHEEL_LEN } from "./wheel";

/** How much room IPVS' part of a state takes, and where in it everything stands. */

/** Octets of all that does not grow. */
function fixedLength(connections: u32): u64 {
  return <u64>IPVS_HEAD_LEN + flowLength(connections) + (<u64>connections + 1) * SIDE_LEN + WHEEL_LEN;
}

/** Rounded up to whole lines of memory. */
function align(octets: u64): u64 {
  return (octets + 63) & ~(<u64>63);
}

/** Octets before the schedulers' cache. */
function cacheFrom(connections: u32, services: u32, destinations: u32): u64 {
  return align(fixedLength(connections) + <u64>services * SERVICE_LEN + <u64>destinations * COUNTER_LEN);
}

/** Octets for so many connections, virtual servers and destinations, and for schedulers that have a cache. */
export function ipvsLength(connections: u32, services: u32, destinations: u32, caches: bool): u64 {
  return cacheFrom(connections, services, destinations) + (caches ? align(cacheLength()) : 0);
}

/** Lays the part out, without a cache, in `ipvsLength` octets, all zero. */
export function ipvsCreate(ipvs: State, connections: u32, services: u32, destinations: u32, now: u64): void {
  const own = Ipvs.of(ipvs);
  flowCreate(ipvs, IPVS_HEAD_LEN, connections);
  own.sidesAt = IPVS_HEAD_LEN + flowLength(connections);
  own.wheelAt = own.sidesAt + (connections + 1) * SIDE_LEN;
  own.servicesAt = own.wheelAt + WHEEL_LEN;
  own.servicesRoom = services;
  own.countersAt = own.servicesAt + services * SERVICE_LEN;
  own.destinationsRoom = destinations;
  own.defenseAt = now;
  ipvs.length = <u32>ipvsLength(connections, services, destinations, false);
  ipvs.now = now;
}

/** Moves a vector of rows to where there is room for more of them. */
function move(ipvs: State, from: u32, to: u32, rows: u32, room: u32, octets: u32): void {
  memory.copy(ipvs.to(to), ipvs.to(from), rows * octets);
  memory.fill(ipvs.to(to + rows * octets), 0, (room - rows) * octets);
}

/** Moves the schedulers' cache, or makes it. */
function reachCache(ipvs: State, at: u32): void {
  const own = Ipvs.of(ipvs);
  if (own.cacheAt == 0) cacheCreate(ipvs.to(at));
  else memory.copy(ipvs.to(at), ipvs.to(own.cacheAt), cacheLength());
  own.cacheAt = at;
}

/** Makes room for more virtual servers and destinations, and for a cache, in a part that has got the octets. */
export function ipvsReach(ipvs: State, services: u32, destinations: u32, caches: bool): void {
  const own = Ipvs.of(ipvs);
  const countersAt = own.servicesAt + services * SERVICE_LEN;
  // From the last vector on, since each moves to where the next one was.
  if (caches) reachCache(ipvs, <u32>cacheFrom(ipvs.connectionsRoom, services, destinations));
  move(ipvs, own.countersAt, countersAt, own.destinationsRoom, destinations, COUNTER_LEN);
  move(ipvs, own.servicesAt, own.servicesAt, own.servicesRoom, services, SERVICE_LEN);
  own.servicesRoom = services;
  own.countersAt = countersAt;
  own.destinationsRoom = destinations;
  ipvs.length = <u32>ipvsLength(ipvs.connectionsRoom, services, destinations, caches);
}

/** Whether a state has a cache for schedulers. */
export function hasCache(state: State): bool {
  return hasIpvs(state) && Ipvs.of(ipvsOf(state)).cacheAt != 0;
}

/** Whether a state has room for the image's virtual servers and their destinations. */
export function stateFits(image: Image, state: State): bool {
  if (state.positionsRoom < image.serversRoom) return false;
  if (image.destinations == 0) return true;
  if (!hasIpvs(state) || Ipvs.of(ipvsOf(state)).destinationsRoom < image.destinations) return false;
  return image.caches == 0 || hasCache(state);
}

/** Makes a destination's row, and its virtual server's, what another state has. */
function restoreRow(image: Image, ipvs: State, original: State, number: u32): void {
  const own = Ipvs.of(ipvs);
  if (number >= own.destinationsRoom) return;
  memory.copy(counterAt(ipvs, number), counterAt(original, number), COUNTER_LEN);
  const service = destinationAt(image, number).service - 1;
  if (service >= own.servicesRoom) return;
  const at = own.servicesAt + service * SERVICE_LEN;
  memory.copy(ipvs.to(at), original.to(at), SERVICE_LEN);
}

/** Makes the head, and what schedulers keep by address, what another state has. */
function restoreHead(ipvs: State, original: State): void {
  const own = Ipvs.of(ipvs);
  memory.copy(changetype<usize>(own), changetype<usize>(Ipvs.of(original)), IPVS_HEAD_LEN - STATE_HEAD_LEN);
  if (own.cacheAt != 0) memory.copy(ipvs.to(own.cacheAt), original.to(own.cacheAt), cacheLength());
}

/**
 * Makes IPVS' part of a state what that of another one is, whose copy it was before it ran a packet. It costs little where that
 * one has no sessions: what the packet counted for is told by the records that it took, used still or not.
 */
export function ipvsRestore(image: Image, ipvs: State, original: State): void {
  if (original.connections != 0) {
    memory.copy(changetype<usize>(ipvs), changetype<usize>(original), original.length);
    return;
  }
  for (let session: u32 = 1; session < ipvs.recordsTop; session++) {
    const connection = connectionAt(ipvs, session);
    // 0 becomes no number.
    restoreRow(image, ipvs, original, connection.detail0 - 1);
    if (connection.state != FLOW_STATE_FREE) closeSession(ipvs, session);
  }
  ipvs.now = original.now;
  restoreHead(ipvs, original);
}

/** Whether the rows of a copy that was made what its original was are its original's still: nothing was counted since. */
function haveSameRows(ipvs: State, original: State): bool {
  if ((ipvs.connections | original.connections) != 0) return false;
  const own = changetype<usize>(Ipvs.of(ipvs)) + offsetof<Ipvs>("conns");
  const other = changetype<usize>(Ipvs.of(original)) + offsetof<Ipvs>("conns");
  return memory.compare(own, other, STATISTICS_ROW_LEN) == 0;
}

/**
 * Makes a state what another one is, of which it is an older copy that was made so again after each packet that it ran. Rows
 * of virtual servers and destinations, of which there may be many, are copied where they may differ.
 */
export function renew(state: State, original: State): void {
  let octets = original.length;
  if (hasIpvs(original) && haveSameRows(ipvsOf(state), ipvsOf(original))) {
    octets = original.ipvsAt + Ipvs.of(ipvsOf(original)).servicesAt;
    restoreHead(ipvsOf(state), ipvsOf(original));
  }
  memory.copy(changetype<usize>(state), changetype<usize>(original), octets);
}
