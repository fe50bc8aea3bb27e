import type { Diagnostic } from "../diagnostics.js";
import {
  type Collection,
  compileWith,
  type Fragment,
  type FrontEnd,
  inOrder,
} from "../fragment/front-end.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import { type ServiceObjects, serviceObjects } from "../model/service-objects.js";
import type { Ip } from "../net/ip.js";
import type { Prefix } from "../net/prefix.js";
import type { Chain, Iptables, Match, Rule } from "../ruleset/iptables.js";
import { append, type Chains, tableOf } from "./chains.js";
import type { EndpointChains } from "./endpoint-chains.js";
import { categorize } from "./endpoints.js";
import { insertJumps, type Jump, writeForward, writeMasquerade } from "./fixed-rules.js";
import {
  type IptablesContext,
  type IptablesDraft,
  planOf,
  SHARED_CHAINS,
  type SharedRules,
} from "./iptables-draft.js";
import { writeService } from "./iptables-service.js";
import {
  type DetectLocal,
  localDetector,
  matchesAllAddresses,
  nodePortIps,
  primaryAddress,
} from "./local-traffic.js";
import { commented, ctstate, DROP, DST_LOCAL, host, jump, rule, to } from "./rules.js";
import { countEndpoints, servedPorts } from "./served-ports.js";
import { commonWarnings } from "./warnings.js";

export interface IptablesOptions {
  /** --masquerade-all; default false. */
  readonly masqueradeAll?: boolean;
  /** --detect-local-mode; default ClusterCIDR. */
  readonly detectLocal?: DetectLocal;
  /** --nodeport-addresses; default every local address. */
  readonly nodePortAddresses?: readonly Prefix[];
  /** --iptables-localhost-nodeports; default true. */
  readonly localhostNodePorts?: boolean;
  /** The node's local addresses except loopback, to pick from where nodePortAddresses are given. */
  readonly nodeAddresses?: readonly Ip[];
}

/** kube-proxy's jumps from the built-in chains of filter, in its own order. */
const FILTER_JUMPS: readonly Jump[] = [
  {
    chain: "KUBE-EXTERNAL-SERVICES",
    from: "INPUT",
    comment: "kubernetes externally-visible service portals",
    onlyNew: true,
  },
  {
    chain: "KUBE-EXTERNAL-SERVICES",
    from: "FORWARD",
    comment: "kubernetes externally-visible service portals",
    onlyNew: true,
  },
  { chain: "KUBE-NODEPORTS", from: "INPUT", comment: "kubernetes health check service ports" },
  { chain: "KUBE-SERVICES", from: "FORWARD", comment: "kubernetes service portals", onlyNew: true },
  { chain: "KUBE-SERVICES", from: "OUTPUT", comment: "kubernetes service portals", onlyNew: true },
  { chain: "KUBE-FORWARD", from: "FORWARD", comment: "kubernetes forwarding rules" },
  {
    chain: "KUBE-PROXY-FIREWALL",
    from: "INPUT",
    comment: "kubernetes load balancer firewall",
    onlyNew: true,
  },
  {
    chain: "KUBE-PROXY-FIREWALL",
    from: "OUTPUT",
    comment: "kubernetes load balancer firewall",
    onlyNew: true,
  },
  {
    chain: "KUBE-PROXY-FIREWALL",
    from: "FORWARD",
    comment: "kubernetes load balancer firewall",
    onlyNew: true,
  },
  { chain: "KUBE-FIREWALL", from: "INPUT" },
  { chain: "KUBE-FIREWALL", from: "OUTPUT" },
];

const NAT_JUMPS: readonly Jump[] = [
  { chain: "KUBE-SERVICES", from: "OUTPUT", comment: "kubernetes service portals" },
  { chain: "KUBE-SERVICES", from: "PREROUTING", comment: "kubernetes service portals" },
  { chain: "KUBE-POSTROUTING", from: "POSTROUTING", comment: "kubernetes postrouting rules" },
];

/** By its loss kube-proxy notices that someone flushed the tables. */
const CANARY = "KUBE-PROXY-CANARY";

const LOOPBACK: Prefix = { address: 0x7f000000, length: 8 };
const LOCALHOST = 0x7f000001;

/** More endpoints than this make a large cluster, whose endpoint chains go without comments. */
const LARGE_CLUSTER = 1000;

function fixedFilter(localhostNodePorts: boolean): Chains {
  const filter: Chains = new Map();
  insertJumps(filter, FILTER_JUMPS);
  append(filter, CANARY);
  append(filter, "KUBE-FORWARD", rule([ctstate("INVALID")], DROP));
  writeForward(filter);
  if (!localhostNodePorts) return filter;
  const intruders: readonly Match[] = [
    { kind: "source", prefix: LOOPBACK, invert: true },
    to(LOOPBACK),
    { kind: "ctstate", states: ["RELATED", "ESTABLISHED", "DNAT"], invert: true },
  ];
  append(filter, "KUBE-FIREWALL", commented("block incoming localnet connections", intruders, DROP));
  return filter;
}

function fixedNat(): Chains {
  const nat: Chains = new Map();
  insertJumps(nat, NAT_JUMPS);
  append(nat, CANARY);
  append(nat, "KUBE-NODEPORTS");
  writeMasquerade(nat);
  return nat;
}

/** Which destinations KUBE-SERVICES takes for the node itself, as the last thing it asks. */
function nodePortMatches(options: IptablesOptions): readonly (readonly Match[])[] {
  const { nodePortAddresses = [], nodeAddresses = [], localhostNodePorts = true } = options;
  if (matchesAllAddresses(nodePortAddresses)) {
    const notLoopback: Match = { kind: "destination", prefix: LOOPBACK, invert: true };
    return [localhostNodePorts ? [DST_LOCAL] : [notLoopback, DST_LOCAL]];
  }
  const loopback = nodePortIps([LOCALHOST], nodePortAddresses).filter(() => localhostNodePorts);
  return [...loopback, ...nodePortIps(nodeAddresses, nodePortAddresses)].map((ip) => [to(host(ip))]);
}

function writeNodePortDispatch(nat: Chains, options: IptablesOptions): void {
  const comment = "kubernetes service nodeports; NOTE: this must be the last rule in this chain";
  for (const matches of nodePortMatches(options)) {
    append(nat, "KUBE-SERVICES", commented(comment, matches, jump("KUBE-NODEPORTS")));
  }
}

/** What one Service adds. */
export interface IptablesFragment extends Fragment {
  readonly shared: SharedRules;
  /** Its own chains, all of nat. */
  readonly chains: readonly Chain[];
  /** Those among them that belong to endpoints, by port. */
  readonly endpointChains: readonly EndpointChains<Chain>[];
}

export interface CompiledIptables {
  readonly iptables: Iptables;
  readonly diagnostics: readonly Diagnostic[];
}

const NO_RULES: readonly Rule[] = [];

const OWN_CHAINS: Collection<IptablesFragment, Chain> = {
  elementsOf: ({ chains }) => chains,
  keyOf: ({ name }) => name,
  set: (chain) => ({ kind: "chain-set", table: "nat", chain }),
  removed: ({ name }) => ({ kind: "chain-removed", table: "nat", name }),
};

function fragmentOf(
  context: IptablesContext,
  node: Node,
  objects: ServiceObjects,
  before: readonly EndpointChains<Chain>[] = [],
): IptablesFragment {
  const { service } = objects;
  const ports = servedPorts(objects);
  const draft: IptablesDraft = {
    ...context,
    shared: {},
    chains: [],
    endpointChains: [],
    before,
  };
  for (const { frontend, endpoints } of ports) {
    writeService(draft, planOf(frontend, categorize(frontend, endpoints, node)));
  }
  const { shared, chains, endpointChains } = draft;
  const endpoints = countEndpoints(ports);
  return { service, endpoints, diagnostics: commonWarnings(service), shared, chains, endpointChains };
}

function finishTables(options: IptablesOptions, fragments: readonly IptablesFragment[]): Iptables {
  const tables = { filter: fixedFilter(options.localhostNodePorts ?? true), nat: fixedNat() };
  for (const { name, table, chain } of SHARED_CHAINS) {
    tables[table].set(chain, [...inOrder(fragments, ({ shared }) => shared[name] ?? NO_RULES)]);
  }
  writeNodePortDispatch(tables.nat, options);
  const chains = inOrder(fragments, (fragment) => fragment.chains);
  return {
    family: 4,
    tables: [
      tableOf("mangle", new Map([[CANARY, []]])),
      tableOf("filter", tables.filter),
      tableOf("nat", tables.nat, chains),
    ],
  };
}

/**
 * What kube-proxy (1.31 to 1.35) keeps in one node's iptables, IPv4, after a full sync in mode iptables, with
 * the built-in chains and the kubelet's KUBE-FIREWALL. Left out with a warning: affinity and IPv6; without: the
 * nfacct counters, which decide nothing.
 */
export function iptablesFrontEnd(
  cluster: Cluster,
  node: Node,
  options: IptablesOptions = {},
): FrontEnd<IptablesFragment, CompiledIptables> {
  const context = {
    localPods: localDetector(cluster, node, options.detectLocal),
    masqueradeAll: options.masqueradeAll ?? false,
    nodeIp: primaryAddress(node),
  };
  const small: IptablesContext = { ...context, endpointComments: true };
  const large: IptablesContext = { ...context, endpointComments: false };
  return {
    largeCluster: {
      endpoints: LARGE_CLUSTER,
      count: (objects) => countEndpoints(servedPorts(objects)),
    },
    write: (objects, isLarge, before) =>
      fragmentOf(isLarge ? large : small, node, objects, before?.endpointChains),
    finish: (fragments) => ({
      iptables: finishTables(options, fragments),
      diagnostics: fragments.flatMap(({ diagnostics }) => diagnostics),
    }),
    ownChains: OWN_CHAINS,
    sharedChains: SHARED_CHAINS.map(({ name, table, chain }) => {
      return { table, chain, rulesOf: ({ shared }) => shared[name] ?? NO_RULES };
    }),
    collections: [],
  };
}

/** The same for a whole cluster at once. */
export function compileIptables(
  cluster: Cluster,
  node: Node,
  options: IptablesOptions = {},
): CompiledIptables {
  return compileWith(iptablesFrontEnd(cluster, node, options), serviceObjects(cluster));
}
