import { STATUS_OK } from "../../assembly/abi/image.js";
import type { Machine } from "./machine.js";
import type { LinearMemory } from "./memory.js";

export interface StateOptions {
  readonly seed: bigint;
  readonly connections: number;
  /** TCP's windows are followed. */
  readonly windows: boolean;
  /** Connections of IPVS, where there is any virtual server. */
  readonly sessions: number;
  /** Octets for fragments whose datagrams are not complete. */
  readonly fragments: number;
}

/** What an image asks of a state. */
export interface StateNeeds {
  /** Virtual servers, and their real ones by number. */
  readonly servers: number;
  readonly destinations: number;
  /** A scheduler of theirs keeps what it chose by address. */
  readonly caches: boolean;
  readonly notesClients: boolean;
}

/** How much room a state has, which grows. */
interface Room {
  readonly servers: number;
  readonly clients: number;
  readonly sessions: number;
  readonly destinations: number;
  readonly caches: number;
}

const NO_ROOM: Room = { servers: 0, clients: 0, sessions: 0, destinations: 0, caches: 0 };

/** Virtual servers that a state has room for beyond those it was made for. */
const SPARE_SERVERS = 64;
/** And real servers. */
const SPARE_DESTINATIONS = 256;
/** Clients that a state notes, who are no more than its connections. */
const CLIENTS_MAX = 1 << 20;
/** Of what fragments are kept in (assembly/table/fragments). */
const CELL_LEN = 512;
const CONNECTIONS = "connections and schedulers";

/** What running packets changes (assembly/state.ts), in an engine's linear memory; moved to a larger place as needed. */
export class StateStore {
  readonly #machine: Machine;
  readonly #memory: LinearMemory;
  #address = 0;
  #connections = 0;
  #windows = 0;
  #cells = 0;
  /** Connections that IPVS' part gets once it is wanted. */
  #sessions = 0;
  #room: Room = NO_ROOM;

  constructor(machine: Machine, memory: LinearMemory) {
    this.#machine = machine;
    this.#memory = memory;
  }

  get address(): number {
    return this.#address;
  }

  get octets(): Uint8Array {
    return this.#memory.octets(this.#address, this.#lengthFor(this.#room));
  }

  /** Octets of the connections, and of the fragments, scheduler positions, clients and IPVS' part beside them. */
  get parts(): {
    readonly connections: number;
    readonly fragments: number;
    readonly positions: number;
    readonly clients: number;
    readonly sessions: number;
  } {
    const { servers, clients } = this.#room;
    const connections = this.#lengthFor(NO_ROOM, 0);
    const [behindFragments, behindPositions, behindClients, all] = [
      NO_ROOM,
      { ...NO_ROOM, servers },
      { ...NO_ROOM, servers, clients },
      this.#room,
    ].map((room) => this.#lengthFor(room)) as [number, number, number, number];
    return {
      connections,
      fragments: behindFragments - connections,
      positions: behindPositions - behindFragments,
      clients: behindClients - behindPositions,
      sessions: all - behindClients,
    };
  }

  /** RangeError when the memory has no room. */
  create({ seed, connections, windows, sessions, fragments }: StateOptions, needs: StateNeeds): void {
    this.#connections = connections;
    this.#sessions = sessions;
    this.#cells = Math.floor(fragments / CELL_LEN);
    this.#windows = windows ? 1 : 0;
    const { destinations, caches, notesClients } = needs;
    const room = {
      servers: needs.servers + SPARE_SERVERS,
      clients: notesClients ? Math.min(connections, CLIENTS_MAX) : 0,
      sessions: destinations > 0 ? sessions : 0,
      destinations: destinations > 0 ? destinations + SPARE_DESTINATIONS : 0,
      caches: caches ? 1 : 0,
    };
    this.#address = this.#memory.take(this.#lengthFor(room), CONNECTIONS);
    const low = Number(BigInt.asUintN(32, seed));
    const high = Number(BigInt.asUintN(32, seed >> 32n));
    const status = this.#machine.stateCreate(
      this.#address,
      connections,
      room.servers,
      low,
      high,
      this.#windows,
      this.#cells,
    );
    if (status !== STATUS_OK) throw new RangeError(`The machine cannot hold ${connections} connections.`);
    this.#grow(room);
  }

  /** Takes over a saved state's octets, which were checked; `sessions` where it has no connections of IPVS yet. */
  restore(octets: Uint8Array, sessions: number): void {
    const machine = this.#machine;
    this.#address = this.#memory.take(octets.length, CONNECTIONS);
    this.#memory.octets(this.#address, octets.length).set(octets);
    this.#connections = machine.stateConnections(this.#address) >>> 0;
    this.#windows = machine.stateWindows(this.#address);
    this.#sessions = sessions;
    this.#cells = machine.stateCells(this.#address) >>> 0;
    this.#room = {
      servers: machine.stateServers(this.#address) >>> 0,
      clients: machine.stateClients(this.#address) >>> 0,
      sessions: machine.stateSessions(this.#address) >>> 0,
      destinations: machine.stateDestinations(this.#address) >>> 0,
      caches: machine.stateCaches(this.#address),
    };
  }

  /**
   * Makes room for so many virtual servers and their destinations, and for clients where rules note any; RangeError, and
   * nothing changed, when there is none.
   */
  reach({ servers, destinations, caches, notesClients }: StateNeeds): void {
    const had = this.#room;
    const wanted = {
      servers: Math.max(servers, had.servers),
      clients: notesClients ? Math.min(this.#connections, CLIENTS_MAX) : had.clients,
      sessions: destinations > 0 && had.sessions === 0 ? this.#sessions : had.sessions,
      destinations: Math.max(destinations, had.destinations),
      caches: caches ? 1 : had.caches,
    };
    if (isSame(wanted, had)) return;
    const roomy = {
      ...wanted,
      servers: servers > had.servers ? servers * 2 : had.servers,
      destinations: destinations > had.destinations ? destinations * 2 : had.destinations,
    };
    // Others want what is left, too.
    this.#move(this.#memory.hasRoom(2 * this.#lengthFor(roomy)) ? roomy : wanted);
  }

  #move(room: Room): void {
    const old = this.#lengthFor(this.#room);
    const length = this.#lengthFor(room);
    if (length === 0) throw new RangeError("The machine cannot hold so many connections and schedulers.");
    const address = this.#memory.take(length, CONNECTIONS);
    this.#memory.octets(address, old).set(this.#memory.octets(this.#address, old));
    this.#address = address;
    this.#grow(room);
  }

  /** Tells the state, where it is now, how much room there is. */
  #grow(room: Room): void {
    const { servers, clients, sessions, destinations, caches } = room;
    this.#machine.stateReach(this.#address, servers, clients, sessions, destinations, caches);
    this.#room = room;
  }

  #lengthFor({ servers, clients, sessions, destinations, caches }: Room, cells = this.#cells): number {
    const own = [sessions, destinations, caches, cells] as const;
    return this.#machine.stateLength(this.#connections, servers, this.#windows, clients, ...own) >>> 0;
  }
}

function isSame(room: Room, other: Room): boolean {
  return (
    room.servers === other.servers &&
    room.clients === other.clients &&
    room.sessions === other.sessions &&
    room.destinations === other.destinations &&
    room.caches === other.caches
  );
}
