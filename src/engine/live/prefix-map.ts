import type { Ip4 } from "../../net/ip.js";
import { maskOf } from "../../net/prefix.js";

const LENGTHS = 33;
/** Shards of a length, by the address's bits: a large map would stop for milliseconds when it grows. */
const SHARD_BITS = 10;

/** Spreads the bits that differ between prefixes of a length. */
function shardOf(address: Ip4, length: number): number {
  return (length << SHARD_BITS) | (Math.imul(address, 0x9e3779b1) >>> (32 - SHARD_BITS));
}

/** Values by IPv4 prefix. */
export class PrefixMap<V> {
  readonly #shards: (Map<number, V> | undefined)[] = new Array(LENGTHS << SHARD_BITS);
  /** How many there are of each length. */
  readonly #counts = new Int32Array(LENGTHS);

  get(address: Ip4, length: number): V | undefined {
    // Signed numbers are keys that a host need not box.
    return this.#shards[shardOf(address, length)]?.get(address | 0);
  }

  set(address: Ip4, length: number, value: V): void {
    const shard = shardOf(address, length);
    const map = this.#shards[shard] ?? new Map<number, V>();
    this.#shards[shard] = map;
    const before = map.size;
    map.set(address | 0, value);
    this.#counts[length] = (this.#counts[length] as number) + map.size - before;
  }

  delete(address: Ip4, length: number): void {
    if (this.#shards[shardOf(address, length)]?.delete(address | 0) === true)
      this.#counts[length] = (this.#counts[length] as number) - 1;
  }

  /** The value of the longest prefix, at most so long, that holds an address and whose value is wanted. */
  longest(address: Ip4, isWanted: (value: V) => boolean, most = LENGTHS - 1): V | undefined {
    for (let length = most; length >= 0; length--) {
      if (this.#counts[length] === 0) continue;
      const value = this.get((address & maskOf(length)) >>> 0, length);
      if (value !== undefined && isWanted(value)) return value;
    }
    return undefined;
  }
}
