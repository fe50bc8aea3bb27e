import { STATUS_OK } from "../../assembly/abi/image.js";
import type { Machine } from "./machine.js";
import type { LinearMemory } from "./memory.js";

export interface StateOptions {
  readonly seed: bigint;
  readonly connections: number;
  /** TCP's windows are followed. */
  readonly windows: boolean;
}

/** Virtual servers that a state has room for beyond those it was made for. */
const SPARE_SERVERS = 64;
/** Clients that a state notes, who are no more than its connections. */
const CLIENTS_MAX = 1 << 20;
const CONNECTIONS = "connections and schedulers";

/** What running packets changes (assembly/state.ts), in an engine's linear memory; moved to a larger place as needed. */
export class StateStore {
  readonly #machine: Machine;
  readonly #memory: LinearMemory;
  #address = 0;
  #connections = 0;
  #servers = 0;
  #windows = 0;
  #clients = 0;

  constructor(machine: Machine, memory: LinearMemory) {
    this.#machine = machine;
    this.#memory = memory;
  }

  get address(): number {
    return this.#address;
  }

  get octets(): Uint8Array {
    return this.#memory.octets(this.#address, this.#length);
  }

  /** Octets of the connections, and of the scheduler positions and clients beside them. */
  get parts(): { readonly connections: number; readonly positions: number; readonly clients: number } {
    const connections = this.#lengthFor(0, 0);
    const positions = this.#lengthFor(this.#servers, 0) - connections;
    return { connections, positions, clients: this.#length - connections - positions };
  }

  /** RangeError when the memory has no room. */
  create({ seed, connections, windows }: StateOptions, servers: number, notesClients: boolean): void {
    this.#connections = connections;
    this.#windows = windows ? 1 : 0;
    this.#servers = servers + SPARE_SERVERS;
    this.#address = this.#memory.take(this.#length, CONNECTIONS);
    const low = Number(BigInt.asUintN(32, seed));
    const high = Number(BigInt.asUintN(32, seed >> 32n));
    const status = this.#machine.stateCreate(
      this.#address,
      connections,
      this.#servers,
      low,
      high,
      this.#windows,
    );
    if (status !== STATUS_OK) throw new RangeError(`The machine cannot hold ${connections} connections.`);
    this.reach(0, notesClients);
  }

  /** Takes over a saved state's octets, which were checked. */
  restore(octets: Uint8Array): void {
    this.#address = this.#memory.take(octets.length, CONNECTIONS);
    this.#memory.octets(this.#address, octets.length).set(octets);
    this.#connections = this.#machine.stateConnections(this.#address) >>> 0;
    this.#servers = this.#machine.stateServers(this.#address) >>> 0;
    this.#windows = this.#machine.stateWindows(this.#address);
    this.#clients = this.#machine.stateClients(this.#address) >>> 0;
  }

  /**
   * Makes room for the positions of so many virtual servers, and for clients where rules note any; RangeError, and nothing
   * changed, when there is none.
   */
  reach(servers: number, notesClients: boolean): void {
    const clients = notesClients ? Math.min(this.#connections, CLIENTS_MAX) : this.#clients;
    if (servers > this.#servers) {
      const roomy = this.#memory.hasRoom(this.#lengthFor(servers * 2, clients)) ? servers * 2 : servers;
      this.#move(roomy, clients);
    } else if (clients !== this.#clients) this.#move(this.#servers, clients);
  }

  #move(servers: number, clients: number): void {
    const old = this.#length;
    const address = this.#memory.take(this.#lengthFor(servers, clients), CONNECTIONS);
    this.#memory.octets(address, old).set(this.#memory.octets(this.#address, old));
    this.#address = address;
    this.#servers = servers;
    this.#clients = clients;
    this.#machine.stateReach(address, servers, clients);
  }

  get #length(): number {
    return this.#lengthFor(this.#servers, this.#clients);
  }

  #lengthFor(servers: number, clients: number): number {
    return this.#machine.stateLength(this.#connections, servers, this.#windows, clients) >>> 0;
  }
}
