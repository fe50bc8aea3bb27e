import type { Ip4, Ip6 } from "../../src/net/ip.js";
import { maskOf, type Prefix, parsePrefix } from "../../src/net/prefix.js";
import type { Random } from "../baseline/random.js";

/** A route as both sides take it; next hops count from 1, so that 0 can say that there is none. */
export interface BenchRoute<Address extends Ip4 | Ip6> {
  readonly address: Address;
  readonly length: number;
  readonly nextHop: number;
}

export interface FullTable {
  readonly ip4: readonly BenchRoute<Ip4>[];
  readonly ip6: readonly BenchRoute<Ip6>[];
}

const NEXT_HOPS = 4096;

/**
 * An Internet table, a prefix a line; next hops are 1 + line mod 4,096, lines counted from 0. Error that names the
 * line for what is no prefix.
 */
export function readFullTable(text: string): FullTable {
  const ip4: BenchRoute<Ip4>[] = [];
  const ip6: BenchRoute<Ip6>[] = [];
  for (const [index, line] of text.trimEnd().split("\n").entries()) {
    const prefix = parsePrefix(line.trim());
    if (prefix === undefined) throw new Error(`Line ${index + 1} of the full table is no prefix: ${line}`);
    addTo(ip4, ip6, prefix, 1 + (index % NEXT_HOPS));
  }
  return { ip4, ip6 };
}

function addTo(ip4: BenchRoute<Ip4>[], ip6: BenchRoute<Ip6>[], prefix: Prefix, nextHop: number): void {
  const { address, length } = prefix;
  if (typeof address === "number") ip4.push({ address, length, nextHop });
  else ip6.push({ address, length, nextHop });
}

export const POD_CIDRS = 5000;
const OTHERS = 20;
const TEN = 10 << 24;

/**
 * A large cluster's node: 5,000 random /24 in 10/8 (the first next hops, one each), the default route as its two
 * halves, since rte_lpm has no /0, and 20 random prefixes elsewhere.
 */
export function k8sRoutes(random: Random): readonly BenchRoute<Ip4>[] {
  const pods = new Set<number>();
  while (pods.size < POD_CIDRS) pods.add(TEN + random.below(1 << 16) * 256);
  const others = new Map<string, readonly [Ip4, number]>();
  while (others.size < OTHERS) {
    const length = 12 + random.below(13);
    const address = (((random.below(95) + 96) * 2 ** 24 + random.below(2 ** 24)) & maskOf(length)) >>> 0;
    others.set(`${address}/${length}`, [address, length]);
  }
  const rows: (readonly [Ip4, number])[] = [
    ...[...pods].map((address) => [address, 24] as const),
    [0, 1],
    [0x80000000, 1],
    ...others.values(),
  ];
  return rows.map(([address, length], index) => ({ address, length, nextHop: index + 1 }));
}

/** Rows of address, length and next hop. */
export function packRoutes4(routes: readonly BenchRoute<Ip4>[]): Uint32Array {
  const words = new Uint32Array(routes.length * 3);
  for (const [index, { address, length, nextHop }] of routes.entries())
    words.set([address, length, nextHop], index * 3);
  return words;
}

/** Rows of 16 octets in network order, length and next hop. */
export function packRoutes6(routes: readonly BenchRoute<Ip6>[]): Uint8Array {
  const octets = new Uint8Array(routes.length * 24);
  const view = new DataView(octets.buffer);
  for (const [index, { address, length, nextHop }] of routes.entries()) {
    const at = index * 24;
    view.setBigUint64(at, address >> 64n);
    view.setBigUint64(at + 8, BigInt.asUintN(64, address));
    view.setUint32(at + 16, length, true);
    view.setUint32(at + 20, nextHop, true);
  }
  return octets;
}
