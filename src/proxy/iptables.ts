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
import type { Family } from "../net/ip.js";
import type { Chain, Iptables, Rule } from "../ruleset/iptables.js";
import { tableOf } from "./chains.js";
import type { EndpointChains } from "./endpoint-chains.js";
import { categorize } from "./endpoints.js";
import {
  type IptablesContext,
  type IptablesDraft,
  planOf,
  SHARED_CHAINS,
  type SharedRules,
} from "./iptables-draft.js";
import {
  CANARY,
  countsPackets,
  fixedFilter,
  fixedNat,
  servesLocalhost,
  writeNodePortDispatch,
} from "./iptables-fixed.js";
import { writeService } from "./iptables-service.js";
import { detectorOf, primaryAddress } from "./local-traffic.js";
import type { IptablesOptions } from "./options.js";
import { countEndpoints, servedPorts } from "./served-ports.js";
import { topologyHints } from "./topology-hints.js";

export type { IptablesOptions } from "./options.js";

/** More endpoints than this make a large cluster, whose endpoint chains go without comments. */
const LARGE_CLUSTER = 1000;

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
}

const NO_RULES: readonly Rule[] = [];

/** What a step says of its family. */
const SIX = { family: 6 } as const;

function ownChains(family: Family): Collection<IptablesFragment, Chain> {
  const of = family === 6 ? SIX : {};
  return {
    elementsOf: ({ chains }) => chains,
    keyOf: ({ name }) => name,
    set: (chain) => ({ kind: "chain-set", table: "nat", chain, ...of }),
    removed: ({ name }) => ({ kind: "chain-removed", table: "nat", name, ...of }),
  };
}

function fragmentOf(
  context: IptablesContext,
  node: Node,
  objects: ServiceObjects,
  before: readonly EndpointChains<Chain>[] = [],
): IptablesFragment {
  const { service } = objects;
  const { family, hints } = context;
  const ports = servedPorts(objects, family);
  const draft: IptablesDraft = {
    ...context,
    shared: {},
    chains: [],
    endpointChains: [],
    before,
  };
  for (const { frontend, endpoints } of ports) {
    writeService(draft, planOf(frontend, categorize(frontend, endpoints, node, hints), family));
  }
  const { shared, chains, endpointChains } = draft;
  const endpoints = countEndpoints(ports);
  return { service, endpoints, shared, chains, endpointChains };
}

function finishTables(options: IptablesOptions, fragments: readonly IptablesFragment[]): Iptables {
  const tables = { filter: fixedFilter(options), nat: fixedNat(options) };
  for (const { name, table, chain } of SHARED_CHAINS) {
    tables[table].set(chain, [...inOrder(fragments, ({ shared }) => shared[name] ?? NO_RULES)]);
  }
  writeNodePortDispatch(tables.nat, options);
  const chains = inOrder(fragments, (fragment) => fragment.chains);
  return {
    family: options.family ?? 4,
    tables: [
      tableOf("mangle", new Map([[CANARY, []]])),
      tableOf("filter", tables.filter),
      tableOf("nat", tables.nat, chains),
    ],
  };
}

function contextOf(cluster: Cluster, node: Node, options: IptablesOptions): IptablesContext {
  const { family = 4, nodeIP } = options;
  return {
    family,
    hints: topologyHints(options.kubernetesVersion, options.featureGates),
    localPods: detectorOf(cluster, node, options.detectLocal, family),
    masqueradeAll: options.masqueradeAll ?? false,
    nodeIp: nodeIP ?? primaryAddress(node, family),
    countsLocalhost: servesLocalhost(options) && countsPackets(options),
    endpointComments: true,
  };
}

/**
 * What kube-proxy (1.31 to 1.35) keeps in one node's iptables or ip6tables after a full sync in mode iptables, with
 * the built-in chains and the kubelet's KUBE-FIREWALL.
 */
export function iptablesFrontEnd(
  cluster: Cluster,
  node: Node,
  options: IptablesOptions = {},
): FrontEnd<IptablesFragment, CompiledIptables> {
  const { family = 4 } = options;
  const small = contextOf(cluster, node, options);
  const large: IptablesContext = { ...small, endpointComments: false };
  return {
    largeCluster: {
      endpoints: LARGE_CLUSTER,
      count: (objects) => countEndpoints(servedPorts(objects, family)),
    },
    write: (objects, isLarge, before) =>
      fragmentOf(isLarge ? large : small, node, objects, before?.endpointChains),
    finish: (fragments) => ({ iptables: finishTables(options, fragments) }),
    ownChains: ownChains(family),
    sharedChains: SHARED_CHAINS.map(({ name, table, chain }) => ({
      table,
      chain,
      ...(family === 6 ? SIX : {}),
      rulesOf: ({ shared }) => shared[name] ?? NO_RULES,
    })),
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
