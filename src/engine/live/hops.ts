import { NEXT_HOP_ENTRY_LEN } from "../../../assembly/abi/entry.js";
import type { Ip, Ip4 } from "../../net/ip.js";
import type { Mac } from "../../net/mac.js";
import type { Refusal } from "../../ruleset/route-types.js";
import type { Route } from "../../ruleset/routes.js";
import type { NumberedHop } from "../../trace/numbering.js";
import { type ResolvedHop, setHopEntry } from "../entries/hop-entry.js";
import { AddressIndex } from "./address-index.js";
import { type Device, noteUser } from "./device.js";
import { Hop } from "./hop.js";

/** What a hop's resolution asks of the routes. */
export interface Underlay {
  /** The route that the kernel would take, without the local table. */
  lookup(address: Ip): Route | undefined;
  device(name: string): Device;
  /** In the order in which the kernel knows them. */
  devices(): Iterable<Device>;
}

/** What is known of a tunnelled hop before the way through the underlay is. */
interface Inner {
  readonly kind: "vxlan" | "geneve";
  readonly dev: string;
  readonly via: Ip;
}

/** The next hops of a node: numbered, shared by the routes that lead to them, resolved anew when it may matter. */
export class Hops {
  /** By number; a number given back is undefined. */
  readonly numbered: (NumberedHop | undefined)[] = [];
  readonly #underlay: Underlay;
  readonly #tunnels = new AddressIndex<Hop>();
  readonly #stale: Hop[] = [];
  readonly #hops: (Hop | undefined)[] = [];
  readonly #free: number[] = [];
  /** Numbers of a saved image by key. */
  readonly #saved: ReadonlyMap<string, number>;
  /** No number from here on was ever given. */
  #top: number;

  constructor(underlay: Underlay, saved: ReadonlyMap<string, number>) {
    this.#underlay = underlay;
    this.#saved = saved;
    this.#top = 1 + [...saved.values()].reduce((most, number) => Math.max(most, number), -1);
  }

  /** The node itself. */
  local(device: Device): Hop {
    device.local ??= this.#make("local", device, undefined);
    return device.local;
  }

  connected(device: Device): Hop {
    device.connected ??= this.#make("connected", device, undefined);
    return device.connected;
  }

  via(device: Device, address: Ip): Hop {
    const known = device.vias.get(address);
    if (known !== undefined) return known;
    const hop = this.#make("via", device, address);
    device.vias.set(address, hop);
    return hop;
  }

  /** Where routes lead that refuse packets; the device is the one that they name. */
  refusing(type: Refusal, device: Device): Hop {
    const known = device.refusing.get(type);
    if (known !== undefined) return known;
    const hop = this.#make(type, device, undefined);
    device.refusing.set(type, hop);
    return hop;
  }

  /** The hop must be resolved anew before the next packet. */
  invalidate(hop: Hop | undefined): void {
    if (hop === undefined || hop.isStale) return;
    hop.isStale = true;
    this.#stale.push(hop);
  }

  /** A neighbour came, changed or went. */
  neighbourChanged(device: Device, address: Ip): void {
    this.invalidate(device.vias.get(address));
    for (const hop of device.outerUsers.get(address) ?? []) this.invalidate(hop);
  }

  remoteChanged(device: Device, mac: Mac): void {
    for (const hop of device.innerUsers.get(mac) ?? []) this.invalidate(hop);
  }

  /** Tunnels whose outer packets a route may lead. */
  routeChanged(address: Ip, length: number): void {
    this.#tunnels.within(address, length, (hop) => this.invalidate(hop));
  }

  /** What leaves a device bears its addresses. */
  sourceChanged(device: Device): void {
    for (const hop of device.vias.values()) this.invalidate(hop);
    this.invalidate(device.connected);
    for (const one of this.#underlay.devices()) this.invalidate(one.local);
  }

  /** How many hops wait to be resolved. */
  get staleCount(): number {
    return this.#stale.length;
  }

  /** How many numbers were ever given. */
  get top(): number {
    return this.#top;
  }

  forgetStale(): void {
    for (const hop of this.#stale) hop.isStale = false;
    this.#stale.length = 0;
  }

  /** Resolves what is stale and calls with the entries that changed; numbers that nothing leads to are given back. */
  settle(use: (number: number, entry: Uint32Array) => void): void {
    if (this.#stale.length === 0) return;
    const entries = new Uint32Array((this.#stale.length * NEXT_HOP_ENTRY_LEN) / 4);
    let at = 0;
    this.#resolveStale(new DataView(entries.buffer), (hop) => {
      use(hop.number, entries.subarray(at / 4, (at + NEXT_HOP_ENTRY_LEN) / 4));
      at += NEXT_HOP_ENTRY_LEN;
      return at - NEXT_HOP_ENTRY_LEN;
    });
  }

  /** Entries of all numbers, as they are loaded. */
  loadAll(): Uint32Array {
    const entries = new Uint32Array((this.#top * NEXT_HOP_ENTRY_LEN) / 4);
    this.#resolveStale(new DataView(entries.buffer), ({ number }) => number * NEXT_HOP_ENTRY_LEN);
    this.#free.length = 0;
    for (let number = this.#top - 1; number >= 0; number--) {
      if (this.#hops[number] === undefined) this.#free.push(number);
    }
    return entries;
  }

  #resolveStale(view: DataView, place: (hop: Hop) => number): void {
    for (const hop of this.#stale) {
      hop.isStale = false;
      if (hop.references === 0) {
        this.#drop(hop);
        continue;
      }
      const resolved = this.#resolve(hop);
      const { facts: device, number } = hop.device;
      this.numbered[hop.number] = resolved.known;
      const source = hop.type === "local" ? this.#localSource() : hop.device.sourceTo(hop.via);
      const source6 = hop.type === "local" ? 0n : hop.device.source6To(hop.via);
      setHopEntry(view, place(hop), resolved, { device, number, source, source6 });
    }
    this.#stale.length = 0;
  }

  /** What MASQUERADE gives to the node's packets to itself: lo has no address for it, so another device's (inet_select_addr). */
  #localSource(): Ip4 {
    for (const device of this.#underlay.devices()) {
      const source = device.facts.kind === "loopback" ? 0 : device.sourceTo(undefined);
      if (source !== 0) return source;
    }
    return 0;
  }

  /** The numbers of all hops by their keys. */
  get keys(): readonly (readonly [string, number])[] {
    return this.#hops.flatMap((hop) => (hop === undefined ? [] : [[hop.key, hop.number] as const]));
  }

  #make(type: Hop["type"], device: Device, via: Ip | undefined): Hop {
    const hop = new Hop(type, device, via);
    hop.number = this.#takeNumber(hop);
    this.#hops[hop.number] = hop;
    this.invalidate(hop);
    return hop;
  }

  #takeNumber(hop: Hop): number {
    const saved = this.#saved.size === 0 ? undefined : this.#saved.get(hop.key);
    if (saved !== undefined && this.#hops[saved] === undefined) return saved;
    return this.#free.pop() ?? this.#top++;
  }

  #drop(hop: Hop): void {
    const { device, number } = hop;
    this.#depend(hop, {});
    if (hop.type === "local") device.local = undefined;
    else if (hop.type === "connected") device.connected = undefined;
    else if (hop.type !== "via") device.refusing.delete(hop.type);
    else device.vias.delete(hop.via as Ip);
    this.#hops[number] = undefined;
    this.numbered[number] = undefined;
    this.#free.push(number);
  }

  #resolve(hop: Hop): ResolvedHop {
    const { device, type, via } = hop;
    const dev = device.name;
    if (type === "local") return { known: { kind: "local", dev } };
    if (type !== "via" && type !== "connected") return { known: { kind: "unreachable", dev, refusal: type } };
    // On the uplink's network there may be hosts that the cluster does not know: they answer.
    const isUplink = device.facts.kind === "uplink";
    if (via === undefined) return { known: { kind: isUplink ? "direct" : "unreachable", dev } };
    const mac = device.macs.get(via);
    const { kind } = device.facts;
    if (kind === "vxlan" || kind === "geneve") return this.#tunnel(hop, { kind, dev, via }, mac);
    return mac === undefined
      ? { known: { kind: "unreachable", dev, via } }
      : { known: { kind: "direct", dev, via }, mac };
  }

  /** Through the FDB, the underlay's routes and its neighbours. */
  #tunnel(hop: Hop, inner: Inner, mac: Mac | undefined): ResolvedHop {
    const { dev, via } = inner;
    const remote = mac === undefined ? undefined : hop.device.remotes.get(mac);
    const route = remote === undefined ? undefined : this.#underlay.lookup(remote);
    const device = route === undefined ? undefined : this.#underlay.device(route.dev);
    const next = route?.via ?? remote;
    const outer = device === undefined || next === undefined ? undefined : { device, via: next };
    this.#depend(hop, { mac, remote, outer });
    const outerMac = outer?.device.macs.get(outer.via);
    if (mac === undefined || remote === undefined || outer === undefined || outerMac === undefined)
      return { known: { kind: "unreachable", dev, via } };
    return {
      known: { ...inner, remote, uplink: outer.device.name },
      mac,
      outer: { mac: outerMac, device: outer.device.facts, number: outer.device.number },
    };
  }

  /** Notes what a tunnel depends on, instead of what it did. */
  #depend(
    hop: Hop,
    {
      mac,
      remote,
      outer,
    }: { readonly mac?: Mac | undefined; readonly remote?: Ip4 | undefined; readonly outer?: Hop["outer"] },
  ): void {
    if (hop.inner !== undefined) noteUser(hop.device.innerUsers, hop.inner, hop, false);
    if (hop.remote !== undefined) this.#tunnels.remove(hop.remote, hop);
    if (hop.outer !== undefined) noteUser(hop.outer.device.outerUsers, hop.outer.via, hop, false);
    hop.inner = mac;
    hop.remote = remote;
    hop.outer = outer;
    if (mac !== undefined) noteUser(hop.device.innerUsers, mac, hop, true);
    if (remote !== undefined) this.#tunnels.add(remote, hop);
    if (outer !== undefined) noteUser(outer.device.outerUsers, outer.via, hop, true);
  }
}
