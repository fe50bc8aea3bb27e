import type { Ip, Ip4, Ip6 } from "../../net/ip.js";
import { maskOf, prefixContains } from "../../net/prefix.js";

type Bucket<V> = Map<V, Ip4>;

/** Things at addresses, found by the prefix that holds them. */
export class AddressIndex<V> {
  readonly #ip4 = new AddressIndex4<V>();
  readonly #ip6 = new AddressIndex6<V>();

  add(address: Ip, value: V): void {
    if (typeof address === "number") this.#ip4.add(address, value);
    else this.#ip6.add(address, value);
  }

  remove(address: Ip, value: V): void {
    if (typeof address === "number") this.#ip4.remove(address, value);
    else this.#ip6.remove(address, value);
  }

  /** Calls with everything within a prefix, in time of its /24s (IPv6: /64s) or of all that there are. */
  within(address: Ip, length: number, use: (value: V, address: Ip) => void): void {
    if (typeof address === "number") this.#ip4.within(address, length, use);
    else this.#ip6.within(address, length, use);
  }
}

/** By their /64, and each address. */
class AddressIndex6<V> {
  readonly #networks = new Map<Ip6, Map<Ip6, Set<V>>>();

  add(address: Ip6, value: V): void {
    const network = this.#networks.get(address >> 64n) ?? new Map<Ip6, Set<V>>();
    this.#networks.set(address >> 64n, network);
    const values = network.get(address) ?? new Set<V>();
    network.set(address, values.add(value));
  }

  remove(address: Ip6, value: V): void {
    const network = this.#networks.get(address >> 64n);
    const values = network?.get(address);
    values?.delete(value);
    if (values?.size === 0) network?.delete(address);
    if (network?.size === 0) this.#networks.delete(address >> 64n);
  }

  within(address: Ip6, length: number, use: (value: V, address: Ip6) => void): void {
    for (const network of this.#around(address, length)) {
      const all = length === 128 ? [[address, network.get(address)] as const] : network;
      for (const [at, values] of all) {
        if (prefixContains({ address, length }, at)) for (const value of values ?? []) use(value, at);
      }
    }
  }

  /** The networks that a prefix is in, or that are in it and perhaps others. */
  #around(address: Ip6, length: number): Iterable<ReadonlyMap<Ip6, ReadonlySet<V>>> {
    if (length < 64) return this.#networks.values();
    const network = this.#networks.get(address >> 64n);
    return network === undefined ? [] : [network];
  }
}

/** By their /16 and /24. */
class AddressIndex4<V> {
  readonly #networks = new Map<number, Map<number, Bucket<V>>>();

  add(address: Ip4, value: V): void {
    const network = this.#networks.get(address >>> 16) ?? new Map<number, Bucket<V>>();
    this.#networks.set(address >>> 16, network);
    const bucket = network.get(address >>> 8) ?? new Map<V, Ip4>();
    network.set(address >>> 8, bucket.set(value, address));
  }

  remove(address: Ip4, value: V): void {
    const network = this.#networks.get(address >>> 16);
    const bucket = network?.get(address >>> 8);
    bucket?.delete(value);
    if (bucket?.size === 0) network?.delete(address >>> 8);
    if (network?.size === 0) this.#networks.delete(address >>> 16);
  }

  within(address: Ip4, length: number, use: (value: V, address: Ip4) => void): void {
    eachUnder(this.#networks, address, length, 16, (network) =>
      eachUnder(network, address, length, 24, (bucket) => {
        for (const [value, at] of bucket) if ((at & maskOf(length)) >>> 0 === address) use(value, at);
      }),
    );
  }
}

/** Calls with what a map by the first bits of addresses has of a prefix: asked for each, or gone through. */
function eachUnder<T>(
  map: ReadonlyMap<number, T>,
  address: Ip4,
  length: number,
  bits: number,
  use: (value: T) => void,
): void {
  const first = address >>> (32 - bits);
  const count = length >= bits ? 1 : 2 ** (bits - length);
  if (count > map.size) {
    for (const [key, value] of map) if (key >= first && key < first + count) use(value);
    return;
  }
  for (let key = first; key < first + count; key++) {
    const value = map.get(key);
    if (value !== undefined) use(value);
  }
}
