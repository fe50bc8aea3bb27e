import type { Family, Ip } from "../net/ip.js";
import type { Prefix } from "../net/prefix.js";
import type { NftChain, NftRule, NftStatement } from "../ruleset/nftables.js";
import { LOOPBACK } from "./local-traffic.js";
import {
  commented,
  DROP,
  MAPS,
  MARK_CHAIN,
  matchPrefix,
  matchPrefixes,
  REJECT_CHAIN,
  rule,
  SETS,
} from "./nft-base.js";
import { baseChains, type NftLayout } from "./nft-layout.js";

/** What the chains that belong to no Service are made with. */
export interface NftFixed {
  readonly family: Family;
  readonly layout: NftLayout;
  /** The bit that is set on packets to be masqueraded. */
  readonly masqueradeMark: number;
  /** Of the family. */
  readonly serviceCIDRs: readonly Prefix[];
  /** Where nodePorts answer. */
  readonly nodePortIPs: readonly Ip[] | "all";
}

function byAddress(map: string): NftRule {
  return rule({ kind: "vmap", key: "daddr-proto-dport", map });
}

const LOCAL: NftStatement = { kind: "match-fib-local", side: "daddr" };

/** Looks a nodePort up where the destination is one of the addresses that nodePorts answer on. */
function byNodePort(map: string, { family, nodePortIPs }: NftFixed, ifAll: readonly NftStatement[]): NftRule {
  const vmap: NftStatement = { kind: "vmap", key: "proto-dport", map };
  if (nodePortIPs !== "all") {
    return rule({ kind: "match-address-set", side: "daddr", set: SETS.nodePortIPs }, vmap);
  }
  return rule(...ifAll, matchPrefix("daddr", LOOPBACK[family], true), vmap);
}

function clusterIPsCheck(serviceCIDRs: readonly Prefix[]): readonly NftRule[] {
  const active: NftStatement = { kind: "match-address-set", side: "daddr", set: SETS.clusterIPs };
  const reject = commented("Reject traffic to invalid ports of ClusterIPs", active, { kind: "reject" });
  if (serviceCIDRs.length === 0) return [reject];
  const unallocated = matchPrefixes("daddr", serviceCIDRs);
  return [reject, commented("Drop traffic to unallocated ClusterIPs", unallocated, DROP)];
}

function masquerading(value: number): readonly NftChain[] {
  return [
    { name: MARK_CHAIN, rules: [rule({ kind: "set-mark", op: "or", value })] },
    {
      name: "masquerading",
      rules: [
        rule({ kind: "match-mark", mask: value, value: 0 }, { kind: "verdict", verdict: { kind: "return" } }),
        rule({ kind: "set-mark", op: "xor", value }),
        rule({ kind: "masquerade", fullyRandom: true }),
      ],
    },
  ];
}

/** Every chain that does not belong to a Service. */
export function fixedChains(fixed: NftFixed): readonly NftChain[] {
  return [
    ...baseChains(fixed.layout),
    ...masquerading(fixed.masqueradeMark),
    { name: "firewall-check", rules: [byAddress(MAPS.firewallIPs.name)] },
    {
      name: "services",
      rules: [byAddress(MAPS.serviceIPs.name), byNodePort(MAPS.serviceNodePorts.name, fixed, [LOCAL])],
    },
    { name: "service-endpoints-check", rules: [byAddress(MAPS.noEndpointServices.name)] },
    // It is asked in INPUT alone, where every destination is local.
    { name: "nodeport-endpoints-check", rules: [byNodePort(MAPS.noEndpointNodePorts.name, fixed, [])] },
    { name: "cluster-ips-check", rules: clusterIPsCheck(fixed.serviceCIDRs) },
    {
      name: REJECT_CHAIN,
      comment: "helper for @no-endpoint-services / @no-endpoint-nodeports",
      rules: [rule({ kind: "reject" })],
    },
  ];
}
