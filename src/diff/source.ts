import type { Pod } from "../model/pod.js";
import { compareIp, familyOf, type Ip } from "../net/ip.js";
import { type Prefix, prefixContains, prefixOf } from "../net/prefix.js";
import { behind, freeAddress, type Ground, lastOf } from "./ground.js";
import type { Facts, ServedPort } from "./side.js";

/** Who asks, in the order in which examples are preferred. */
export const ASKERS = [
  "a Pod",
  "outside",
  "the node",
  "a Pod of another node",
  "another node",
  "the endpoint itself",
  "at the edge of a source range",
  "127.0.0.1",
] as const;

/** Where a packet comes from. */
export interface Source {
  readonly asker: (typeof ASKERS)[number];
  readonly address: Ip;
}

/** A Pod of a node that answers for no Service, or an address that one might get. */
function podOn(ground: Ground, { cluster }: Facts, name: string, endpoints: ReadonlySet<Ip>): Ip | undefined {
  const node = cluster?.nodes.find((one) => one.name === name);
  const isThere = ({ hostNetwork, nodeName }: Pod) => !hostNetwork && nodeName === name;
  const known = cluster?.pods.filter(isThere).flatMap(({ podIPs }) => podIPs) ?? [];
  const idle = known.find((ip) => familyOf(ip) === ground.family && !endpoints.has(ip));
  if (idle !== undefined) return idle;
  const network = node?.podCIDRs.find(({ address }) => familyOf(address) === ground.family);
  return network === undefined ? undefined : freeAddress(ground, network);
}

function ofSide(ground: Ground, facts: Facts, endpoints: ReadonlySet<Ip>): Source[] {
  const { cluster, node, ownAddresses } = facts;
  const other = cluster?.nodes.find(({ name, podCIDRs }) => name !== node?.name && podCIDRs.length > 0);
  const found: readonly (readonly [Source["asker"], Ip | undefined])[] = [
    ["a Pod", node && podOn(ground, facts, node.name, endpoints)],
    ["outside", ground.outside[0]],
    ["the node", ownAddresses[0]],
    ["a Pod of another node", other && podOn(ground, facts, other.name, endpoints)],
    ["another node", other?.internalIPs.find((ip) => familyOf(ip) === ground.family)],
  ];
  return found.flatMap(([asker, address]) => (address === undefined ? [] : [{ asker, address }]));
}

/** Of sources with one address the first in the order of askers; those of one asker by address. */
export function distinct(sources: readonly Source[]): readonly Source[] {
  const ranked = [...sources].sort(
    (a, b) => ASKERS.indexOf(a.asker) - ASKERS.indexOf(b.asker) || compareIp(a.address, b.address),
  );
  return [...new Map(ranked.toReversed().map((source) => [source.address, source])).values()].toReversed();
}

/** Who may ask for anything. */
export function commonSources(ground: Ground): readonly Source[] {
  const slices = ground.sides.flatMap(({ cluster }) => cluster?.endpointSlices ?? []);
  const endpoints = new Set(slices.flatMap((slice) => slice.endpoints.map(({ address }) => address)));
  return distinct(ground.sides.flatMap((facts) => ofSide(ground, facts, endpoints)));
}

/** An endpoint on the node that may be sent its own packets. */
export function hairpins(ports: readonly { readonly port: ServedPort; readonly node: string }[]): Source[] {
  return ports.flatMap(({ port, node }) => {
    const own = port.reachable.find(({ given }) => given.nodeName === node);
    return own === undefined ? [] : [{ asker: "the endpoint itself" as const, address: own.address }];
  });
}

/** A network's own address is nobody's, where it has one. */
function firstHost({ address, length }: Prefix): Ip {
  const room = typeof address === "number" ? 32 - length : 128 - length;
  return room >= 2 ? behind(address, 1) : address;
}

function isSource(address: Ip): boolean {
  if (typeof address === "bigint") return address > 1n && address >> 120n < 0xffn;
  return address > 0x00ffffff && address < 0xe0000000 && address >>> 24 !== 127;
}

/**
 * Where the answer to «is it in these ranges» may change: the beginning of each range, and what follows its end. Two
 * lists of ranges differ nowhere unless they differ at one of these.
 */
export function edges(ranges: readonly Prefix[]): Source[] {
  const places = ranges.flatMap((range) => {
    const after = behind(lastOf(range), 1);
    const next = isSource(after) ? firstHost(prefixOf(after, range.length)) : after;
    return [firstHost(range), next, range.address, after];
  });
  const address = places.filter(isSource);
  return address.map((one) => ({ asker: "at the edge of a source range", address: one }));
}

/** Whether a source may pass a list of ranges; an empty one lets everyone pass. */
export function isAdmitted(ranges: readonly Prefix[], address: Ip): boolean {
  return ranges.length === 0 || ranges.some((range) => prefixContains(range, address));
}
