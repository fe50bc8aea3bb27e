import type { Ip } from "./ip.js";

/**
 * The key that stands for an address, and for itself the address. Hosts hash a bigint by its last 64 bits alone (V8):
 * the same address in many IPv6 networks would be one chain, and a map of 20,000 such take seconds.
 */
function turned(ip: Ip): Ip {
  return typeof ip === "number" ? ip : ip ^ (ip >> 64n);
}

/** A Map by addresses of both families that takes as long for IPv6 as for others. */
export class IpMap<V> extends Map<Ip, V> {
  override get(ip: Ip): V | undefined {
    return super.get(turned(ip));
  }

  override has(ip: Ip): boolean {
    return super.has(turned(ip));
  }

  override set(ip: Ip, value: V): this {
    return super.set(turned(ip), value);
  }

  override delete(ip: Ip): boolean {
    return super.delete(turned(ip));
  }

  override forEach(use: (value: V, ip: Ip, map: Map<Ip, V>) => void): void {
    super.forEach((value, key) => {
      use(value, turned(key), this);
    });
  }

  override *keys(): MapIterator<Ip> {
    for (const key of super.keys()) yield turned(key);
  }

  override *entries(): MapIterator<[Ip, V]> {
    for (const [key, value] of super.entries()) yield [turned(key), value];
  }

  override [Symbol.iterator](): MapIterator<[Ip, V]> {
    return this.entries();
  }
}
