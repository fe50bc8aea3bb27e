import type { Protocol } from "../net/port.js";
import { hostPrefix } from "../net/prefix.js";
import type { NftChain, NftRule, NftSet } from "../ruleset/nftables.js";
import type { ProxyEndpoint } from "./endpoints.js";
import { goTo, jump, MARK_CHAIN, matchPrefix, rule } from "./nft-base.js";
import { nftAffinitySet, nftEndpointChain } from "./nft-names.js";

/** Shared by every rule that marks: a large cluster has half a million of them. */
export const MARK = jump(MARK_CHAIN);

/** Marks what an endpoint sends to itself, notes the client where there is affinity, and translates. */
export function endpointChain(
  port: string,
  protocol: Protocol,
  endpoint: ProxyEndpoint,
  hasAffinity: boolean,
): NftChain {
  const { address } = endpoint;
  const name = nftEndpointChain(port, endpoint.name);
  const hairpin = rule(matchPrefix("saddr", hostPrefix(address)), MARK);
  const translate = rule({ kind: "dnat", protocol, address, port: endpoint.port });
  if (!hasAffinity) return { name, rules: [hairpin, translate] };
  const note = rule({ kind: "update-set", set: nftAffinitySet(name), side: "saddr" });
  return { name, rules: [hairpin, note, translate] };
}

/** The kernel's bound for a set that rules fill and that was given none: nft writes it down. */
const MOST_CLIENTS = 65535;

/** One set for each endpoint, of the clients that are held there for so many seconds after each new connection. */
export function affinitySets(chains: readonly NftChain[], seconds: number | undefined): readonly NftSet[] {
  if (seconds === undefined) return [];
  const dynamic = { timeout: seconds, size: MOST_CLIENTS };
  return chains.map(({ name }) => ({ name: nftAffinitySet(name), dynamic, addresses: [] }));
}

/** Leads clients back to their endpoints where there is affinity, and all others to one drawn at random. */
export function balancingRules(endpointChains: readonly string[], hasAffinity: boolean): readonly NftRule[] {
  const draw = rule({ kind: "numgen-vmap", chains: endpointChains });
  if (!hasAffinity) return [draw];
  const held = endpointChains.map((chain) => {
    return rule({ kind: "match-address-set", side: "saddr", set: nftAffinitySet(chain) }, goTo(chain));
  });
  return [...held, draw];
}
