import { type Ip, type Ip4, type Ip6, isLinkLocal } from "../../net/ip.js";
import { IpMap } from "../../net/ip-map.js";
import type { Mac } from "../../net/mac.js";
import { prefixContains, prefixOf } from "../../net/prefix.js";
import { ipKey } from "../../ruleset/identity.js";
import type { Refusal } from "../../ruleset/route-types.js";
import type { Interface, InterfaceAddress } from "../../ruleset/routes.js";
import type { Hop } from "./hop.js";
import type { Journal } from "./journal.js";

interface Placed {
  readonly address: InterfaceAddress;
  /** The kernel's order is that of addition: the first is the device's primary one. */
  readonly order: number;
}

/** Next hops by what they depend on. */
export type Users<K> = Map<K, Set<Hop>>;

/** A network device, and what an engine knows by it: addresses, neighbours, FDB, next hops. */
export class Device {
  readonly macs = new IpMap<Mac>();
  readonly remotes = new Map<Mac, Ip4>();
  /** Next hops by gateway or neighbour; to the device's own network; to its own addresses. */
  readonly vias = new IpMap<Hop>();
  connected: Hop | undefined;
  local: Hop | undefined;
  /** Of routes that refuse packets, by their type. */
  readonly refusing = new Map<Refusal, Hop>();
  /** Tunnels through this device by the MAC that the FDB is asked for, and over it by the neighbour. */
  readonly innerUsers: Users<Mac> = new Map();
  readonly outerUsers: Users<Ip> = new Map();
  #placed: Map<string, Placed> | undefined;
  #orders = 0;
  #addresses: readonly InterfaceAddress[] | undefined;
  /** The primary address. */
  #first: Placed | undefined;
  readonly #interface: Interface;
  #current: Interface;
  #isChanged = false;

  constructor(
    device: Interface,
    /** 0 where the node has no such device. */
    readonly number: number,
    /** No other's. */
    readonly serial: number,
    readonly journal: Journal,
  ) {
    this.#interface = device;
    this.#current = device;
    this.#addresses = device.addresses;
    const address = device.addresses.find(isUsable);
    if (address !== undefined) this.#first = { address, order: -1 };
  }

  get name(): string {
    return this.#interface.name;
  }

  /** As it was given: its addresses may have changed. */
  get facts(): Interface {
    return this.#interface;
  }

  /** As plain data. kube-ipvs0 may have an address for every Service: they are put in order when somebody asks. */
  get interface(): Interface {
    if (this.#isChanged) {
      const device = this;
      this.#current = {
        ...this.#interface,
        get addresses() {
          return device.addresses;
        },
      };
      this.#isChanged = false;
    }
    return this.#current;
  }

  get addresses(): readonly InterfaceAddress[] {
    this.#addresses ??= [...this.#index().values()]
      .sort((a, b) => a.order - b.order)
      .map(({ address }) => address);
    return this.#addresses;
  }

  has(address: InterfaceAddress["address"]): boolean {
    return this.#index().has(ipKey(address));
  }

  add(address: InterfaceAddress): void {
    const key = ipKey(address.address);
    this.#put(key, { address, order: this.#orders++ });
    this.journal.note(() => this.#take(key));
  }

  remove(address: InterfaceAddress["address"]): InterfaceAddress {
    const key = ipKey(address);
    const placed = this.#take(key);
    this.journal.note(() => this.#put(key, placed));
    return placed.address;
  }

  /** The IPv4 address MASQUERADE gives: the device's in the next hop's subnet, else its first. */
  sourceTo(via: Ip | undefined): Ip4 {
    const near =
      typeof via !== "number"
        ? undefined
        : this.addresses.find(
            ({ address, length }) => isUsable({ address }) && prefixContains(prefixOf(address, length), via),
          );
    return Number((near ?? this.#first?.address)?.address ?? 0);
  }

  /**
   * The IPv6 address MASQUERADE gives, as to the next hop itself: of the device's global ones the one that shares most
   * bits with it (no more than its own prefix has), and of equal ones the newest (RFC 6724 §5 rule 8, ipv6_dev_get_saddr).
   */
  source6To(via: Ip | undefined): Ip6 {
    const to = typeof via === "bigint" ? via : 0n;
    let [best, most] = [0n, -1];
    for (const { address, length } of this.addresses) {
      if (typeof address === "number" || isLinkLocal(address)) continue;
      const shared = Math.min(length, sharedBits(address, to));
      if (shared >= most) [best, most] = [address, shared];
    }
    return best;
  }

  #put(key: string, placed: Placed): void {
    this.#index().set(key, placed);
    this.#addresses = undefined;
    this.#isChanged = true;
    this.#consider(placed);
  }

  #take(key: string): Placed {
    const placed = this.#index().get(key) as Placed;
    this.#index().delete(key);
    this.#addresses = undefined;
    this.#isChanged = true;
    if (this.#first === placed) {
      this.#first = undefined;
      for (const other of this.#index().values()) this.#consider(other);
    }
    return placed;
  }

  #consider(placed: Placed): void {
    if (isUsable(placed.address) && placed.order < (this.#first?.order ?? Number.POSITIVE_INFINITY))
      this.#first = placed;
  }

  #index(): Map<string, Placed> {
    if (this.#placed === undefined) {
      this.#placed = new Map();
      this.#first = undefined;
      for (const address of this.#interface.addresses) {
        const placed = { address, order: this.#orders++ };
        this.#placed.set(ipKey(address.address), placed);
        this.#consider(placed);
      }
    }
    return this.#placed;
  }
}

function isUsable({ address }: Pick<InterfaceAddress, "address">): boolean {
  return typeof address === "number";
}

function sharedBits(a: Ip6, b: Ip6): number {
  return a === b ? 128 : 128 - (a ^ b).toString(2).length;
}

/** Notes a next hop among the users of a thing, or no longer. */
export function noteUser<K>(users: Users<K>, key: K, hop: Hop, isUser: boolean): void {
  const some = users.get(key) ?? new Set<Hop>();
  if (isUser) users.set(key, some.add(hop));
  else if (some.delete(hop) && some.size === 0) users.delete(key);
}
