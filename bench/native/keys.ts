import type { Ip4, Ip6 } from "../../src/net/ip.js";
import { maskOf } from "../../src/net/prefix.js";
import type { Random } from "../baseline/random.js";
import type { BenchRoute } from "./tables.js";

/** Keys of a stream. */
export const KEY_COUNT = 1 << 20;
/** Destinations that a zipf stream asks for. */
const DESTINATIONS = 10_000;

/** `count` draws of ranks 0 … `ranks` - 1, rank r as often as 1 / (r + 1) says (Zipf's law, s = 1). */
export function zipfRanks(random: Random, ranks: number, count: number): Uint32Array {
  const sums = new Float64Array(ranks);
  let total = 0;
  for (let rank = 0; rank < ranks; rank++) {
    total += 1 / (rank + 1);
    sums[rank] = total;
  }
  return Uint32Array.from({ length: count }, () => {
    const drawn = ((random.draw() >>> 0) / 2 ** 32) * total;
    let [low, high] = [0, ranks - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) > drawn) high = middle;
      else low = middle + 1;
    }
    return low;
  });
}

/** Any IPv4 address, each as likely. */
export function uniformKeys4(random: Random, count = KEY_COUNT): Uint32Array {
  return Uint32Array.from({ length: count }, () => random.draw() >>> 0);
}

/** A random prefix, then a random host in it. */
export function inPrefixKeys4(
  random: Random,
  routes: readonly BenchRoute<Ip4>[],
  count = KEY_COUNT,
): Uint32Array {
  return Uint32Array.from({ length: count }, () => {
    const { address, length } = routes[random.below(routes.length)] as BenchRoute<Ip4>;
    return (address | (random.draw() & ~maskOf(length))) >>> 0;
  });
}

export function zipfKeys4(
  random: Random,
  routes: readonly BenchRoute<Ip4>[],
  count = KEY_COUNT,
): Uint32Array {
  const destinations = inPrefixKeys4(random, routes, DESTINATIONS);
  return zipfRanks(random, DESTINATIONS, count).map((rank) => destinations[rank] as number);
}

function draw64(random: Random): bigint {
  return (BigInt(random.draw() >>> 0) << 32n) | BigInt(random.draw() >>> 0);
}

/** Addresses of 16 octets in network order. */
function pack6(count: number, addressOf: (index: number) => Ip6): Uint8Array {
  const octets = new Uint8Array(count * 16);
  const view = new DataView(octets.buffer);
  for (let index = 0; index < count; index++) {
    const address = addressOf(index);
    view.setBigUint64(index * 16, address >> 64n);
    view.setBigUint64(index * 16 + 8, BigInt.asUintN(64, address));
  }
  return octets;
}

/** Any address in 2000::/3, each as likely. */
export function uniformKeys6(random: Random, count = KEY_COUNT): Uint8Array {
  return pack6(count, () => (((draw64(random) >> 3n) | 0x2000_0000_0000_0000n) << 64n) | draw64(random));
}

function hostIn({ address, length }: BenchRoute<Ip6>, random: Random): Ip6 {
  const bits = BigInt(128 - length);
  return address | BigInt.asUintN(Number(bits), (draw64(random) << 64n) | draw64(random));
}

export function inPrefixKeys6(
  random: Random,
  routes: readonly BenchRoute<Ip6>[],
  count = KEY_COUNT,
): Uint8Array {
  return pack6(count, () => hostIn(routes[random.below(routes.length)] as BenchRoute<Ip6>, random));
}

export function zipfKeys6(random: Random, routes: readonly BenchRoute<Ip6>[], count = KEY_COUNT): Uint8Array {
  const destinations = Array.from({ length: DESTINATIONS }, () =>
    hostIn(routes[random.below(routes.length)] as BenchRoute<Ip6>, random),
  );
  const ranks = zipfRanks(random, DESTINATIONS, count);
  return pack6(count, (index) => destinations[ranks[index] as number] as Ip6);
}
