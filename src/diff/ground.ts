import { type Family, familyOf, type Ip } from "../net/ip.js";
import { hostLength, type Prefix, prefixContains } from "../net/prefix.js";
import type { Facts } from "./side.js";

/** Both sides in one family, and addresses that are nobody's on either. */
export interface Ground {
  readonly family: Family;
  readonly sides: readonly [Facts, Facts];
  /** Addresses of endpoints, Pods, nodes and Services. */
  readonly taken: ReadonlySet<Ip>;
  /** Somebody beyond all networks of both. */
  readonly outside: readonly Ip[];
}

/** Networks for documentation (RFC 5737, RFC 3849), and further ones where a cluster uses those. */
const OUTSIDE: Readonly<Record<Family, readonly Ip[]>> = {
  4: [0xc6336407, 0xcb007107, 0xc0000207, 0x08080808, 0x01010101],
  6: [
    0x20010db8ffff00000000000000000007n,
    0x20010db8fffe00000000000000000007n,
    0x3fff0fff000000000000000000000007n,
  ],
};

/** The address so many behind another. */
export function behind(address: Ip, count: number): Ip {
  return typeof address === "number" ? address + count : address + BigInt(count);
}

/** The last address of a prefix. */
export function lastOf({ address, length }: Prefix): Ip {
  return typeof address === "number"
    ? address + 2 ** (32 - length) - 1
    : address + (1n << BigInt(128 - length)) - 1n;
}

function takenBy({ cluster, ownAddresses }: Facts): Ip[] {
  if (cluster === undefined) return [...ownAddresses];
  const { endpointSlices, pods, nodes, services } = cluster;
  return [
    ...ownAddresses,
    ...endpointSlices.flatMap(({ endpoints }) => endpoints.map(({ address }) => address)),
    ...pods.flatMap(({ podIPs }) => podIPs),
    ...nodes.flatMap(({ internalIPs, externalIPs }) => [...internalIPs, ...externalIPs]),
    ...services.flatMap(({ clusterIPs, externalIPs }) => [...clusterIPs, ...externalIPs]),
    ...services.flatMap(({ loadBalancerIngress }) => loadBalancerIngress.map(({ ip }) => ip)),
  ];
}

function networksOf({ cluster, served, ruleset }: Facts): Prefix[] {
  const links = ruleset.interfaces.flatMap(({ addresses }) => addresses);
  return [
    ...(cluster === undefined ? [] : [...cluster.clusterCIDRs, ...cluster.serviceCIDRs]),
    ...(cluster?.nodes.flatMap(({ podCIDRs }) => podCIDRs) ?? []),
    ...served.flatMap(({ frontend }) => frontend.sourceRanges.filter(({ length }) => length > 0)),
    ...links.filter(({ length }) => length > 0),
  ];
}

/** Two that are in no network of either side: one to ask, one to be asked. */
function outsideOf(family: Family, networks: readonly Prefix[], taken: ReadonlySet<Ip>): readonly Ip[] {
  const free = OUTSIDE[family].flatMap((address) => [address, behind(address, 1)]);
  return free.filter(
    (address) => !taken.has(address) && !networks.some((one) => prefixContains(one, address)),
  );
}

/** Joins what is known of both sides. */
export function groundOf(sides: readonly [Facts, Facts]): Ground {
  const [{ family }] = sides;
  const taken = new Set(sides.flatMap(takenBy));
  return { family, sides, taken, outside: outsideOf(family, sides.flatMap(networksOf), taken) };
}

/** How many addresses of a network are tried, from its third on: the first two are its own and its gateway's. */
const TRIED = 65_536;

/** An address of a network that nobody has; undefined where it is too small or full. */
export function freeAddress({ taken, family }: Ground, network: Prefix): Ip | undefined {
  const { address, length } = network;
  if (familyOf(address) !== family) return undefined;
  const last = lastOf(network);
  const end = length >= hostLength(address) - 16 ? Number(BigInt(last) - BigInt(address)) : TRIED;
  for (let at = 2; at < end; at++) {
    const candidate = behind(address, at);
    if (!taken.has(candidate)) return candidate;
  }
  return undefined;
}
