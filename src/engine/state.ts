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
const CONNECTIONS = "connections and schedulers";

/** What running packets changes (assembly/state.ts), in an engine's linear memory; moved to a larger place as needed. */
export class StateStore {
  readonly #machine: Machine;
  readonly #memory: LinearMemory;
  #address = 0;
  #connections = 0;
  #servers = 0;
  #windows = 0;

  constructor(machine: Machine, memory: LinearMemory) {
    this.#machine = machine;
    this.#memory = memory;
  }

  get address(): number {
    return this.#address;
  }

  get octets(): Uint8Array {
    return this.#memory.octets(this.#address, this.#lengthFor(this.#servers));
  }

  /** Octets of the connections, and of the scheduler positions beside them. */
  get parts(): { readonly connections: number; readonly positions: number } {
    const connections = this.#lengthFor(0);
    return { connections, positions: this.#lengthFor(this.#servers) - connections };
  }

  /** RangeError when the memory has no room. */
  create({ seed, connections, windows }: StateOptions, servers: number): void {
    this.#connections = connections;
    this.#windows = windows ? 1 : 0;
    this.#servers = servers + SPARE_SERVERS;
    this.#address = this.#memory.take(this.#lengthFor(this.#servers), CONNECTIONS);
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
  }

  /** Takes over a saved state's octets, which were checked. */
  restore(octets: Uint8Array): void {
    this.#address = this.#memory.take(octets.length, CONNECTIONS);
    this.#memory.octets(this.#address, octets.length).set(octets);
    this.#connections = this.#machine.stateConnections(this.#address) >>> 0;
    this.#servers = this.#machine.stateServers(this.#address) >>> 0;
    this.#windows = this.#machine.stateWindows(this.#address);
  }

  /** Makes room for the positions of so many virtual servers; RangeError, and nothing changed, when there is none. */
  reach(servers: number): void {
    if (servers <= this.#servers) return;
    const old = this.octets;
    const roomy = this.#memory.hasRoom(this.#lengthFor(servers * 2)) ? servers * 2 : servers;
    this.#address = this.#memory.take(this.#lengthFor(roomy), CONNECTIONS);
    this.#servers = roomy;
    this.#memory.octets(this.#address, old.length).set(old);
    this.#machine.stateReach(this.#address, roomy);
  }

  #lengthFor(servers: number): number {
    return this.#machine.stateLength(this.#connections, servers, this.#windows) >>> 0;
  }
}
