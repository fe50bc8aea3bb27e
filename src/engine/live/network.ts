import { PART_FIB, PART_FIB6 } from "../../../assembly/abi/image.js";
import type { Diagnostic } from "../../diagnostics.js";
import type { Ip } from "../../net/ip.js";
import type { Prefix } from "../../net/prefix.js";
import { fdbKey, neighbourKey } from "../../ruleset/identity.js";
import type { Neighbour } from "../../ruleset/neighbours.js";
import { withoutRepeats } from "../../ruleset/route-repeats.js";
import type { Interface, InterfaceAddress, Route } from "../../ruleset/routes.js";
import type { Ruleset } from "../../ruleset/ruleset.js";
import type { FdbEntry } from "../../ruleset/vxlan.js";
import { Device } from "./device.js";
import { Hops } from "./hops.js";
import type { Journal } from "./journal.js";
import { Keyed } from "./keyed.js";
import { Rib } from "./rib.js";
import type { Writes } from "./writes.js";

const NOWHERE: Omit<Interface, "name"> = { kind: "dummy", mac: 0, mtu: 0, addresses: [] };
/** What a route takes of the image, as a rule, and what its layout may grow by. */
const OCTETS_PER_ROUTE = 256;
const LAYOUT_OCTETS = 8 << 20;
const LAYOUT_OCTETS_OF_FEW = 1 << 18;
const FEW_ROUTES = 1024;
const OCTETS_PER_HOP = 144;

/** What a directory of so many next hops grows by when so many more come. */
function hopOctets(count: number, more: number): number {
  const room = 2 ** Math.ceil(Math.log2(Math.max(16, count)));
  return count + more <= room ? 0 : 4 * OCTETS_PER_HOP * (room + more);
}

/** A node's devices, routes, neighbours and FDB, and the next hops that they make. */
export class Network {
  readonly hops: Hops;
  /** Warnings of routes that were left out, since others lead to their prefixes. */
  readonly repeats: readonly Diagnostic[];
  readonly #devices = new Map<string, Device>();
  readonly #rib: Rib;
  readonly #neighbours: Keyed<Neighbour>;
  readonly #fdb: Keyed<FdbEntry>;
  readonly #journal: Journal;
  readonly #names: readonly string[];

  constructor(ruleset: Ruleset, hopNumbers: ReadonlyMap<string, number>, journal: Journal) {
    const { interfaces, routes, neighbours, fdb } = ruleset;
    this.#journal = journal;
    this.#names = interfaces.map(({ name }) => name);
    for (const [index, device] of interfaces.entries())
      this.#devices.set(device.name, new Device(device, index + 1, index + 1, journal));
    const device = (name: string) => this.#device(name);
    const devices = () => this.#devices.values();
    const lookup = (address: Ip) => this.#rib.lookup(address);
    this.hops = new Hops({ lookup, device, devices }, hopNumbers);
    this.#rib = new Rib(this.hops, device, devices, journal);
    this.#neighbours = new Keyed(neighbours, neighbourKey, journal);
    this.#fdb = new Keyed(fdb, fdbKey, journal);
    for (const { dev, mac, dst } of fdb) if (typeof dst === "number") device(dev).remotes.set(mac, dst);
    this.repeats = this.#loadRoutes(routes);
    for (const { dev, address, mac } of neighbours) {
      const one = device(dev);
      one.macs.set(address, mac);
      this.#rib.neighbourChanged(one, address);
    }
    for (const name of this.#names) {
      const one = device(name);
      for (const address of one.addresses) this.#rib.addLocal(one, address);
    }
  }

  get interfaces(): readonly Interface[] {
    return this.#names.map((name) => this.#device(name).interface);
  }

  get routes(): readonly Route[] {
    return this.#rib.routes;
  }

  get neighbours(): readonly Neighbour[] {
    return this.#neighbours.items;
  }

  get fdb(): readonly FdbEntry[] {
    return this.#fdb.items;
  }

  /** Everything, as the machine is given it at first. */
  load(): { readonly hops: Uint32Array; readonly routes: Uint32Array; readonly routes6: Uint32Array } {
    const routes = this.#rib.loadAll();
    return { hops: this.hops.loadAll(), ...routes };
  }

  /** Adds or replaces a route; what it replaced. TypeError if its prefix is none. */
  setRoute(route: Route): Route | undefined {
    return this.#rib.set(route);
  }

  removeRoute(prefix: Prefix): void {
    this.#rib.remove(prefix);
  }

  setNeighbour(neighbour: Neighbour): void {
    const { dev, address, mac } = neighbour;
    this.#neighbours.set(neighbour);
    this.#setMac(this.#device(dev), address, mac);
  }

  removeNeighbour(dev: string, address: Ip): void {
    if (this.#neighbours.remove(neighbourKey({ dev, address })) === undefined)
      throw new TypeError("the ruleset has no such neighbour.");
    this.#setMac(this.#device(dev), address, undefined);
  }

  setFdb(entry: FdbEntry): void {
    this.#fdb.set(entry);
    this.#setRemote(entry, typeof entry.dst === "number" ? entry.dst : undefined);
  }

  removeFdb(dev: string, mac: number): void {
    const entry = this.#fdb.remove(fdbKey({ dev, mac }));
    if (entry === undefined) throw new TypeError("the ruleset has no such FDB entry.");
    this.#setRemote(entry, undefined);
  }

  addAddress(dev: string, address: InterfaceAddress): void {
    const device = this.#existing(dev);
    if (device.has(address.address)) throw new TypeError(`the address of interface ${dev} is there already.`);
    device.add(address);
    this.hops.sourceChanged(device);
    this.#rib.addLocal(device, address);
  }

  removeAddress(dev: string, address: Ip): void {
    const device = this.#existing(dev);
    if (!device.has(address)) throw new TypeError(`the ruleset has no such address of interface ${dev}.`);
    const removed = device.remove(address);
    this.hops.sourceChanged(device);
    this.#rib.removeLocal(device, removed);
  }

  /** Nothing waits any more: the change was taken back. */
  forget(): void {
    this.hops.forgetStale();
    this.#rib.forgetStale();
  }

  /** What `settle` can make the image grow by; 0 where nothing waits. */
  get octets(): number {
    const routes = this.#rib.staleCount;
    if (routes === 0) return 0;
    const layout = this.#rib.size < FEW_ROUTES ? LAYOUT_OCTETS_OF_FEW : LAYOUT_OCTETS;
    return layout + routes * OCTETS_PER_ROUTE + hopOctets(this.hops.top, routes);
  }

  /** The parts of the image that `settle` may lay out anew. */
  get parts(): readonly number[] {
    return this.#rib.staleFamilies.map((family) => (family === 4 ? PART_FIB : PART_FIB6));
  }

  /** Finds what a change means for next hops and routes, and writes that. It cannot fail. */
  settle(writes: Writes): void {
    const routes: [Ip, number, number | undefined][] = [];
    this.#rib.settle((address, length, hop) => routes.push([address, length, hop?.number]));
    this.hops.settle((number, entry) => writes.add(0, (image) => image.setHop(number, entry)));
    for (const [address, length, hop] of routes) {
      if (hop === undefined) writes.add(0, (image) => image.removeRoute(address, length));
      else writes.add(0, (image) => image.setRoute(address, length, hop));
    }
  }

  /** Of several routes to one prefix one is taken; what is said of the others. */
  #loadRoutes(routes: readonly Route[]): readonly Diagnostic[] {
    let isRepeated = false;
    for (const route of routes) if (this.setRoute(route) !== undefined) isRepeated = true;
    if (!isRepeated) return [];
    const last = withoutRepeats(routes, (index) => `routes[${index}]`, { object: "ruleset" });
    for (const route of last.routes) this.setRoute(route);
    return last.diagnostics;
  }

  #device(name: string): Device {
    const known = this.#devices.get(name);
    if (known !== undefined) return known;
    const made = new Device({ name, ...NOWHERE }, 0, -this.#devices.size, this.#journal);
    this.#devices.set(name, made);
    return made;
  }

  #existing(name: string): Device {
    const device = this.#devices.get(name);
    if (device === undefined || device.number === 0)
      throw new TypeError(`the ruleset has no interface ${name}.`);
    return device;
  }

  #setMac(device: Device, address: Ip, mac: number | undefined): void {
    const before = device.macs.get(address);
    const set = (one: number | undefined) => {
      if (one === undefined) device.macs.delete(address);
      else device.macs.set(address, one);
      this.#rib.neighbourChanged(device, address);
      this.hops.neighbourChanged(device, address);
    };
    set(mac);
    this.#journal.note(() => set(before));
  }

  #setRemote({ dev, mac }: FdbEntry, remote: number | undefined): void {
    const device = this.#device(dev);
    const before = device.remotes.get(mac);
    const set = (one: number | undefined) => {
      if (one === undefined) device.remotes.delete(mac);
      else device.remotes.set(mac, one);
      this.hops.remoteChanged(device, mac);
    };
    set(remote);
    this.#journal.note(() => set(before));
  }
}
