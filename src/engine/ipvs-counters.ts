import * as abi from "../../assembly/abi/session.js";
import type { Ip } from "../net/ip.js";
import type { IpvsStatistics } from "../ruleset/ipvs-listing.js";
import { expectNow } from "./arguments.js";
import type { Machine } from "./machine.js";
import type { LinearMemory } from "./memory.js";

/** A destination: a real server of one virtual server. */
export interface IpvsDestination {
  /** The machine's, and which of those that had it. */
  readonly number: number;
  readonly serial: number;
  /** The number of its virtual server; undefined where it left. */
  readonly service: number | undefined;
  readonly weight: number;
  /** Of the family that its virtual server has. */
  readonly address: Ip;
  readonly port: number;
  readonly active: number;
  readonly inactive: number;
  /** Templates. */
  readonly persistent: number;
  /** It has reached its upper threshold, and takes nothing. */
  readonly isOverloaded: boolean;
  readonly statistics: IpvsStatistics;
}

/** What IPVS counts: by destination, by virtual server, and of all. */
export interface IpvsCounters {
  /** By number. */
  readonly destinations: readonly IpvsDestination[];
  readonly services: readonly IpvsStatistics[];
  readonly total: IpvsStatistics;
}

/** Rows that are read at a time. */
const ROWS = 1024;

function statisticsAt(view: DataView, at: number): IpvsStatistics {
  const of = (field: number) => Number(view.getBigUint64(at + field, true));
  return {
    connections: of(abi.STATISTICS_ROW_CONNS),
    inPackets: of(abi.STATISTICS_ROW_IN_PACKETS),
    outPackets: of(abi.STATISTICS_ROW_OUT_PACKETS),
    inOctets: of(abi.STATISTICS_ROW_IN_OCTETS),
    outOctets: of(abi.STATISTICS_ROW_OUT_OCTETS),
  };
}

/** Four words: an IPv4 address has the last one. */
function addressAt(view: DataView, at: number): Ip {
  const words = [0, 4, 8, 12].map((word) => view.getUint32(at + word, true));
  if (words.slice(0, 3).every((word) => word === 0)) return words[3] as number;
  return words.reduce((address, word) => (address << 32n) | BigInt(word), 0n);
}

function destinationAt(view: DataView, at: number): IpvsDestination {
  const of = (field: number) => view.getUint32(at + field, true);
  const service = of(abi.DESTINATION_ROW_SERVICE);
  return {
    number: of(abi.DESTINATION_ROW_NUMBER),
    serial: of(abi.DESTINATION_ROW_SERIAL),
    service: service === 0 ? undefined : service - 1,
    weight: of(abi.DESTINATION_ROW_WEIGHT),
    address: addressAt(view, at + abi.DESTINATION_ROW_ADDRESS),
    port: of(abi.DESTINATION_ROW_PORT),
    active: of(abi.DESTINATION_ROW_ACTIVE),
    inactive: of(abi.DESTINATION_ROW_INACTIVE),
    persistent: of(abi.DESTINATION_ROW_PERSISTENT),
    isOverloaded: of(abi.DESTINATION_ROW_OVERLOADED) !== 0,
    statistics: statisticsAt(view, at + abi.DESTINATION_ROW_STATISTICS),
  };
}

/** Reads rows of destinations, `read` giving up to so many from one on to an address. */
function readAll(
  memory: LinearMemory,
  at: number,
  read: (from: number, count: number, at: number) => number,
): readonly IpvsDestination[] {
  const destinations: IpvsDestination[] = [];
  for (let count = ROWS; count === ROWS; ) {
    count = read(destinations.length, ROWS, at);
    const view = memory.view(at, ROWS * abi.DESTINATION_ROW_LEN);
    for (let row = 0; row < count; row++)
      destinations.push(destinationAt(view, row * abi.DESTINATION_ROW_LEN));
  }
  return destinations;
}

/** Where a node's image and state are. */
interface Place {
  readonly machine: Machine;
  readonly memory: LinearMemory;
  readonly image: number;
  readonly state: number;
}

/** The destinations of one virtual server by its number, in the order of their addition; what is over at `now` ends first. */
export function readDestinations(
  { machine, memory, image, state }: Place,
  service: number,
  now: number,
): readonly IpvsDestination[] {
  expectNow(now);
  machine.sessionsExpire(image, state, now);
  return memory.borrow(ROWS * abi.DESTINATION_ROW_LEN, (rows) =>
    readAll(memory, rows, (...some) => machine.serviceDestinationsRead(image, state, service, ...some)),
  );
}

/** Everything that a state counts of an image's destinations and virtual servers. */
export function readCounters({ machine, memory, image, state }: Place): IpvsCounters {
  const services: IpvsStatistics[] = [];
  return memory.borrow(ROWS * abi.DESTINATION_ROW_LEN, (at) => {
    const destinations = readAll(memory, at, (...some) => machine.destinationsRead(image, state, ...some));
    const view = memory.view(at, abi.STATISTICS_ROW_LEN);
    const servers = machine.imageServers(image) >>> 0;
    for (let service = 0; service < servers; service++) {
      machine.serviceStatistics(state, service, at);
      services.push(statisticsAt(view, 0));
    }
    machine.totalStatistics(state, at);
    return { destinations, services, total: statisticsAt(view, 0) };
  });
}
