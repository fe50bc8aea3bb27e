import type { Ip4 } from "../../net/ip.js";
import { maskOf } from "../../net/prefix.js";

type Bucket<V> = Map<V, Ip4>;

/** Things at IPv4 addresses by their /16 and /24, found by the prefix that holds them. */
export class AddressIndex<V> {
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

  /** Calls with everything within a prefix, in time of its /24s (or /16s) or of all that there are. */
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
