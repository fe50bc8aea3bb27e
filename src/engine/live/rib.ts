import { type Family, familyOf, type Ip, printIp } from "../../net/ip.js";
import { hostLength, type Prefix, prefixOf } from "../../net/prefix.js";
import type { InterfaceAddress, Route } from "../../ruleset/routes.js";
import { pushRoute6 } from "../entries/route-row.js";
import { Words } from "../entries/words.js";
import { AddressIndex } from "./address-index.js";
import type { Device } from "./device.js";
import type { Hop } from "./hop.js";
import type { Hops } from "./hops.js";
import type { Journal } from "./journal.js";
import { PrefixMap } from "./prefix-map.js";

/** Where packets to a prefix go, and why. */
interface Destination {
  readonly address: Ip;
  readonly length: number;
  /** Of the main table. */
  route: Route | undefined;
  /** Among those that have one. */
  position: number;
  /** Devices that have the address: the node itself. */
  locals: readonly Device[];
  /** What the machine has. */
  hop: Hop | undefined;
  /** Waits for `settle`. */
  isStale: boolean;
}

const NOBODY: readonly Device[] = [];
const isRoute = ({ route }: Destination) => route !== undefined;

/** TypeError for what is no prefix of a whole length without host bits. */
function expectPrefix({ address, length }: Prefix): void {
  const isPrefix = Number.isInteger(length) && length >= 0 && length <= hostLength(address);
  if (isPrefix && prefixOf(address, length).address === address) return;
  throw new TypeError(
    `${printIp(address)}/${length} is no prefix: its length is out of range, or it has host bits.`,
  );
}

/** TypeError for a gateway that is no address, or one of IPv4 for IPv6, which kernels do not have. */
function expectVia({ prefix, via }: Route): void {
  if (via === undefined || (typeof via === "bigint" && via >= 0n && via >> 128n === 0n)) return;
  if (!Number.isInteger(via) || via < 0 || via > 0xffffffff) {
    throw new TypeError(
      `via: ${String(via)} is no address: give its bits as a number, of IPv6 as a bigint, as parseIp does.`,
    );
  }
  if (typeof prefix.address === "bigint")
    throw new TypeError(`via: ${printIp(via)} is no gateway to an IPv6 prefix: give one of IPv6.`);
}

/** The device of a connected network; undefined for a route by a gateway, one that refuses packets, or none. */
function networkOf(route: Route | undefined): string | undefined {
  if (route === undefined || route.refusal !== undefined) return undefined;
  return route.via === undefined ? route.dev : undefined;
}

/**
 * All routes of a node, of both families: the main table's, its own addresses, and a host route to every neighbour on a connected
 * network. A destination's next hop follows from these alone, so a change marks what it may matter to, and `settle`
 * finds what became of that.
 */
export class Rib {
  readonly #destinations = new PrefixMap<Destination>();
  /** Those with a route of the main table. */
  readonly #routed: Destination[] = [];
  #routes: readonly Route[] | undefined;
  /** Made at the first change of a route. */
  #neighbours: AddressIndex<number> | undefined;
  readonly #stale: Destination[] = [];
  readonly #hops: Hops;
  readonly #deviceOf: (name: string) => Device;
  readonly #devices: () => Iterable<Device>;
  readonly #journal: Journal;

  constructor(
    hops: Hops,
    deviceOf: (name: string) => Device,
    devices: () => Iterable<Device>,
    journal: Journal,
  ) {
    this.#hops = hops;
    this.#deviceOf = deviceOf;
    this.#devices = devices;
    this.#journal = journal;
  }

  /** The main table, in any order. */
  get routes(): readonly Route[] {
    this.#routes ??= this.#routed.map(({ route }) => route as Route);
    return this.#routes;
  }

  get size(): number {
    return this.#routed.length;
  }

  get staleCount(): number {
    return this.#stale.length;
  }

  /** Of which families. */
  get staleFamilies(): readonly Family[] {
    return ([4, 6] as const).filter((family) =>
      this.#stale.some(({ address }) => familyOf(address) === family),
    );
  }

  /** The route that the kernel would take, without the local table. */
  lookup(address: Ip): Route | undefined {
    return this.#destinations.longest(address, isRoute)?.route;
  }

  /** Adds or replaces a route; what it replaced. TypeError if its prefix is none. */
  set(route: Route): Route | undefined {
    expectPrefix(route.prefix);
    expectVia(route);
    const destination = this.#at(route.prefix.address, route.prefix.length);
    const before = destination.route;
    this.#change(destination, route);
    return before;
  }

  /** Removes a route, which must be there. */
  remove(prefix: Prefix): void {
    const destination = this.#destinations.get(prefix.address, prefix.length);
    if (destination?.route === undefined) throw new TypeError("the ruleset has no such route.");
    this.#change(destination, undefined);
  }

  /** An address of the node came. */
  addLocal(device: Device, { address, length }: InterfaceAddress): void {
    const destination = this.#at(...localPrefix(device, address, length));
    this.#setLocals(destination, [...destination.locals, device]);
  }

  /** An address of the node went, which was there. */
  removeLocal(device: Device, { address, length }: InterfaceAddress): void {
    const destination = this.#at(...localPrefix(device, address, length));
    const index = destination.locals.indexOf(device);
    this.#setLocals(destination, [
      ...destination.locals.slice(0, index),
      ...destination.locals.slice(index + 1),
    ]);
  }

  /** A neighbour came or went. */
  neighbourChanged(device: Device, address: Ip): void {
    const neighbour = neighbourNumber(device, address);
    if (device.macs.has(address)) this.#neighbours?.add(address, neighbour);
    else this.#neighbours?.remove(address, neighbour);
    this.#mark(this.#at(address, hostLength(address)));
  }

  /** Nothing is stale any more: what a change marked was taken back. */
  forgetStale(): void {
    for (const destination of this.#stale) this.#tidy(destination);
    this.#stale.length = 0;
  }

  /** Finds the next hops of what is stale; calls for each whose hop is another one now, with undefined for none. */
  settle(use: (address: Ip, length: number, hop: Hop | undefined) => void): void {
    for (const destination of this.#stale) {
      const { address, length, hop: before } = destination;
      const hop = this.#hopOf(destination);
      if (hop !== before) {
        if (hop !== undefined) hop.references++;
        if (before !== undefined && --before.references === 0) this.#hops.invalidate(before);
        destination.hop = hop;
        use(address, length, hop);
      }
      this.#tidy(destination);
    }
    this.#stale.length = 0;
  }

  /** As settle, for all: rows of each family (ROUTE_…, ROUTE6_…). */
  loadAll(): { readonly routes: Uint32Array; readonly routes6: Uint32Array } {
    const rows = new Words(Math.max(3, this.#stale.length * 3));
    const rows6 = new Words();
    this.settle((address, length, hop) => {
      const number = hop?.number ?? 0;
      if (typeof address === "number") rows.push3(address, length, number);
      else pushRoute6(rows6, address, length, number);
    });
    return { routes: rows.words, routes6: rows6.words };
  }

  #at(address: Ip, length: number): Destination {
    const known = this.#destinations.get(address, length);
    if (known !== undefined) return known;
    const made: Destination = {
      address,
      length,
      route: undefined,
      position: 0,
      locals: NOBODY,
      hop: undefined,
      isStale: false,
    };
    this.#destinations.set(address, length, made);
    return made;
  }

  /** Settled; a destination that nothing leads to is none. */
  #tidy(destination: Destination): void {
    const { address, length, route, locals, hop } = destination;
    destination.isStale = false;
    if (route === undefined && locals.length === 0 && hop === undefined)
      this.#destinations.delete(address, length);
  }

  #mark(destination: Destination): void {
    if (destination.isStale) return;
    destination.isStale = true;
    this.#stale.push(destination);
  }

  #change(destination: Destination, route: Route | undefined): void {
    const { address, length, route: before } = destination;
    this.#setRoute(destination, route);
    this.#journal.note(() => this.#setRoute(destination, before));
    this.#mark(destination);
    // While a ruleset is loaded all that is there is resolved in the end.
    if (!this.#journal.isOpen) return;
    this.#hops.routeChanged(address, length);
    // Neighbours on a connected network have routes; what stays on its network, or on none, changes nothing for them.
    const outer = this.#destinations.longest(address, isRoute, length - 1)?.route;
    if (networkOf(before ?? outer) === networkOf(route ?? outer)) return;
    this.#indexed().within(address, length, (_, at) => this.#mark(this.#at(at, hostLength(at))));
  }

  #indexed(): AddressIndex<number> {
    if (this.#neighbours !== undefined) return this.#neighbours;
    const index = new AddressIndex<number>();
    for (const device of this.#devices()) {
      for (const address of device.macs.keys()) index.add(address, neighbourNumber(device, address));
    }
    this.#neighbours = index;
    return index;
  }

  #setRoute(destination: Destination, route: Route | undefined): void {
    const { route: before, position } = destination;
    this.#routes = undefined;
    destination.route = route;
    if (before === undefined && route !== undefined) {
      destination.position = this.#routed.push(destination) - 1;
      this.#destinations.set(destination.address, destination.length, destination);
    } else if (before !== undefined && route === undefined) {
      const last = this.#routed.pop() as Destination;
      if (last === destination) return;
      this.#routed[position] = last;
      last.position = position;
    }
  }

  #setLocals(destination: Destination, locals: readonly Device[]): void {
    const before = destination.locals;
    destination.locals = locals;
    this.#journal.note(() => {
      destination.locals = before;
    });
    this.#mark(destination);
  }

  #hopOf({ address, length, route, locals }: Destination): Hop | undefined {
    const local = locals.reduce<Device | undefined>(
      (last, device) => (last === undefined || device.number > last.number ? device : last),
      undefined,
    );
    if (local !== undefined) return this.#hops.local(local);
    const network = length === hostLength(address) ? networkOf(this.lookup(address)) : undefined;
    const neighbourly = network === undefined ? undefined : this.#deviceOf(network);
    if (neighbourly?.macs.has(address) === true) return this.#hops.via(neighbourly, address);
    if (route === undefined) return undefined;
    const device = this.#deviceOf(route.dev);
    if (route.refusal !== undefined) return this.#hops.refusing(route.refusal, device);
    return route.via === undefined ? this.#hops.connected(device) : this.#hops.via(device, route.via);
  }
}

/** What tells neighbours of one IPv4 network apart, or of one IPv6 address. */
function neighbourNumber({ serial }: Device, address: Ip): number {
  return typeof address === "number" ? serial * 2 ** 32 + address : serial;
}

/** The prefix that is local for an address: of IPv4 on the loopback interface its whole network. */
function localPrefix(device: Device, address: Ip, length: number): [Ip, number] {
  const isNetwork = device.facts.kind === "loopback" && typeof address === "number";
  return isNetwork ? [prefixOf(address, length).address, length] : [address, hostLength(address)];
}
