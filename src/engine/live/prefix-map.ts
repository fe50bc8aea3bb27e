import type { Ip, Ip4, Ip6 } from "../../net/ip.js";
import { maskOf } from "../../net/prefix.js";

/** Shards of a length, by the address's bits: a large map would stop for milliseconds when it grows. */
const SHARD_BITS = 10;

/** Spreads the bits that differ between prefixes of a length. */
function shardOf(bits: number): number {
  return Math.imul(bits, 0x9e3779b1) >>> (32 - SHARD_BITS);
}

/** A prefix's address as a key: signed numbers need not be boxed by a host, and it hashes a bigint's last 64 bits alone. */
function keyOf(address: Ip): Ip {
  return typeof address === "number" ? address | 0 : address ^ (address >> 64n);
}

function bitsOf(key: Ip): number {
  return typeof key === "number" ? key : Number((key ^ (key >> 32n)) & 0xffffffffn);
}

/** Values by prefixes of one length. */
class Shards<V> {
  readonly #maps: (Map<Ip, V> | undefined)[] = new Array(1 << SHARD_BITS);
  #size = 0;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  get(key: Ip): V | undefined {
    return this.#maps[shardOf(bitsOf(key))]?.get(key);
  }

  set(key: Ip, value: V): void {
    const shard = shardOf(bitsOf(key));
    const map = this.#maps[shard] ?? new Map<Ip, V>();
    this.#maps[shard] = map;
    this.#size -= map.size;
    this.#size += map.set(key, value).size;
  }

  delete(key: Ip): void {
    if (this.#maps[shardOf(bitsOf(key))]?.delete(key) === true) this.#size--;
  }
}

/** By length. */
type Lengths<V> = (Shards<V> | undefined)[];

/** Values by prefix, of both families. */
export class PrefixMap<V> {
  readonly #ip4: Lengths<V> = [];
  readonly #ip6: Lengths<V> = [];

  get(address: Ip, length: number): V | undefined {
    return this.#lengths(address)[length]?.get(keyOf(address));
  }

  set(address: Ip, length: number, value: V): void {
    const lengths = this.#lengths(address);
    while (lengths.length < length) lengths.push(undefined);
    const shards = lengths[length] ?? new Shards<V>();
    lengths[length] = shards;
    shards.set(keyOf(address), value);
  }

  delete(address: Ip, length: number): void {
    this.#lengths(address)[length]?.delete(keyOf(address));
  }

  /** The value of the longest prefix, at most so long, that holds an address and whose value is wanted. */
  longest(address: Ip, isWanted: (value: V) => boolean, most?: number): V | undefined {
    return typeof address === "number"
      ? longest(this.#ip4, (length) => (address & maskOf(length)) | 0, isWanted, most)
      : longest(this.#ip6, (length) => keyOf(leading(address, length)), isWanted, most);
  }

  #lengths(address: Ip): Lengths<V> {
    return typeof address === "number" ? this.#ip4 : this.#ip6;
  }
}

function leading(address: Ip6, length: number): Ip6 {
  const host = BigInt(128 - length);
  return (address >> host) << host;
}

function longest<V>(
  lengths: Lengths<V>,
  keyAt: (length: number) => Ip4 | Ip6,
  isWanted: (value: V) => boolean,
  most = lengths.length - 1,
): V | undefined {
  for (let length = Math.min(most, lengths.length - 1); length >= 0; length--) {
    const shards = lengths[length];
    if (shards === undefined || shards.isEmpty) continue;
    const value = shards.get(keyAt(length));
    if (value !== undefined && isWanted(value)) return value;
  }
  return undefined;
}
