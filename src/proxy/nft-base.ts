import { compareIp, type Ip } from "../net/ip.js";
import { type Prefix, prefixContains } from "../net/prefix.js";
import type { NftChain, NftRule, NftStatement, NftVerdictMap } from "../ruleset/nftables.js";
import { MASQUERADE_MARK } from "./rules.js";

export const SETS = {
  clusterIPs: "cluster-ips",
  nodePortIPs: "nodeport-ips",
} as const;

const NO_ENDPOINTS = "vmap to drop or reject packets to";

/** The maps, in the order of the table. */
export const MAPS = {
  noEndpointNodePorts: {
    name: "no-endpoint-nodeports",
    comment: `${NO_ENDPOINTS} service nodeports with no endpoints`,
    key: "proto-dport",
  },
  noEndpointServices: {
    name: "no-endpoint-services",
    comment: `${NO_ENDPOINTS} services with no endpoints`,
    key: "daddr-proto-dport",
  },
  firewallIPs: {
    name: "firewall-ips",
    comment: "destinations that are subject to LoadBalancerSourceRanges",
    key: "daddr-proto-dport",
  },
  serviceIPs: {
    name: "service-ips",
    comment: "ClusterIP, ExternalIP and LoadBalancer IP traffic",
    key: "daddr-proto-dport",
  },
  serviceNodePorts: { name: "service-nodeports", comment: "NodePort traffic", key: "proto-dport" },
} as const satisfies Record<string, Omit<NftVerdictMap, "elements">>;

export const MARK_CHAIN = "mark-for-masquerade";
export const REJECT_CHAIN = "reject-chain";

const LOOPBACK: Prefix = { address: 0x7f000000, length: 8 };

export function rule(...statements: readonly NftStatement[]): NftRule {
  return { statements };
}

export function commented(comment: string, ...statements: readonly NftStatement[]): NftRule {
  return { statements, comment };
}

export function jump(chain: string): NftStatement {
  return { kind: "verdict", verdict: { kind: "jump", chain } };
}

export function goTo(chain: string): NftStatement {
  return { kind: "verdict", verdict: { kind: "goto", chain } };
}

export const DROP: NftStatement = { kind: "verdict", verdict: { kind: "drop" } };

const NEW: NftStatement = { kind: "match-ctstate", states: ["new"] };
const check = (chain: string): NftRule => rule(NEW, jump(chain));

function byAddress(map: string): NftRule {
  return rule({ kind: "vmap", key: "daddr-proto-dport", map });
}

/** Looks a nodePort up where the destination is one of the addresses that nodePorts answer on. */
function byNodePort(map: string, allAddresses: boolean): NftRule {
  const vmap: NftStatement = { kind: "vmap", key: "proto-dport", map };
  if (!allAddresses) return rule({ kind: "match-address-set", side: "daddr", set: SETS.nodePortIPs }, vmap);
  return rule(
    { kind: "match-fib-local", side: "daddr" },
    { kind: "match-address", side: "daddr", prefixes: [LOOPBACK], invert: true },
    vmap,
  );
}

function clusterIPsCheck(serviceCIDRs: readonly Prefix[]): readonly NftRule[] {
  const active: NftStatement = { kind: "match-address-set", side: "daddr", set: SETS.clusterIPs };
  const reject = commented("Reject traffic to invalid ports of ClusterIPs", active, { kind: "reject" });
  if (serviceCIDRs.length === 0) return [reject];
  const unallocated: NftStatement = {
    kind: "match-address",
    side: "daddr",
    prefixes: prefixSet(serviceCIDRs),
  };
  return [reject, commented("Drop traffic to unallocated ClusterIPs", unallocated, DROP)];
}

/**
 * A list of prefixes as the kernel keeps it: in the order of addresses, without those that another one covers.
 * (It also joins neighbours; ours stay apart, with the same meaning.)
 */
export function prefixSet(prefixes: readonly Prefix[]): readonly Prefix[] {
  const sorted = [...prefixes].sort((a, b) => compareIp(a.address, b.address) || a.length - b.length);
  const kept: Prefix[] = [];
  for (const prefix of sorted) {
    const last = kept.at(-1);
    if (last === undefined || !prefixContains(last, prefix.address)) kept.push(prefix);
  }
  return kept;
}

/** The chains that hang on the kernel's hooks, in kube-proxy's layout of 1.34 and 1.35. */
const BASE_CHAINS: readonly NftChain[] = [
  {
    name: "filter-prerouting-pre-dnat",
    base: { type: "filter", hook: "prerouting", priority: -110 },
    rules: [check("firewall-check")],
  },
  {
    name: "filter-output-pre-dnat",
    base: { type: "filter", hook: "output", priority: -110 },
    rules: [check("firewall-check")],
  },
  {
    name: "filter-input",
    base: { type: "filter", hook: "input", priority: 0 },
    rules: [check("nodeport-endpoints-check"), check("service-endpoints-check")],
  },
  {
    name: "filter-forward",
    base: { type: "filter", hook: "forward", priority: 0 },
    rules: [check("service-endpoints-check"), check("cluster-ips-check")],
  },
  {
    name: "filter-output",
    base: { type: "filter", hook: "output", priority: 0 },
    rules: [check("service-endpoints-check"), check("cluster-ips-check")],
  },
  {
    name: "nat-prerouting",
    base: { type: "nat", hook: "prerouting", priority: -100 },
    rules: [rule(jump("services"))],
  },
  {
    name: "nat-output",
    base: { type: "nat", hook: "output", priority: -100 },
    rules: [rule(jump("services"))],
  },
  {
    name: "nat-postrouting",
    base: { type: "nat", hook: "postrouting", priority: 100 },
    rules: [rule(jump("masquerading"))],
  },
];

const MASQUERADING: readonly NftChain[] = [
  {
    name: MARK_CHAIN,
    rules: [rule({ kind: "set-mark", op: "or", value: MASQUERADE_MARK })],
  },
  {
    name: "masquerading",
    rules: [
      rule(
        { kind: "match-mark", mask: MASQUERADE_MARK, value: 0 },
        { kind: "verdict", verdict: { kind: "return" } },
      ),
      rule({ kind: "set-mark", op: "xor", value: MASQUERADE_MARK }),
      rule({ kind: "masquerade", fullyRandom: true }),
    ],
  },
];

/** Every chain that does not belong to a Service. */
export function fixedChains(
  serviceCIDRs: readonly Prefix[],
  nodePortIPs: readonly Ip[] | "all",
): readonly NftChain[] {
  const all = nodePortIPs === "all";
  return [
    ...BASE_CHAINS,
    ...MASQUERADING,
    { name: "firewall-check", rules: [byAddress(MAPS.firewallIPs.name)] },
    {
      name: "services",
      rules: [byAddress(MAPS.serviceIPs.name), byNodePort(MAPS.serviceNodePorts.name, all)],
    },
    { name: "service-endpoints-check", rules: [byAddress(MAPS.noEndpointServices.name)] },
    { name: "nodeport-endpoints-check", rules: [byNodePort(MAPS.noEndpointNodePorts.name, all)] },
    { name: "cluster-ips-check", rules: clusterIPsCheck(serviceCIDRs) },
    {
      name: REJECT_CHAIN,
      comment: "helper for @no-endpoint-services / @no-endpoint-nodeports",
      rules: [rule({ kind: "reject" })],
    },
  ];
}
