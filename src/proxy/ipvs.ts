import type { Diagnostic } from "../diagnostics.js";
import { retold } from "../fragment/claims.js";
import { compileWith, elementsOf, type FrontEnd, inOrder } from "../fragment/front-end.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import type { Service } from "../model/service.js";
import { type ServiceObjects, serviceObjects } from "../model/service-objects.js";
import { compareIp, type Family, type Ip } from "../net/ip.js";
import type { RulesetStep } from "../ruleset/change.js";
import type { IpSet } from "../ruleset/ipset.js";
import type { Iptables, Rule } from "../ruleset/iptables.js";
import type { AddressedServer, Ipvs, IpvsTimeouts, Scheduler } from "../ruleset/ipvs.js";
import { isSame } from "../ruleset/same.js";
import { categorize } from "./endpoints.js";
import { type IpvsNode, insertFrontend, isHeld, outRules } from "./ipvs-entries.js";
import { type IpvsSettings, ipvsNodePortIps, ipvsSysctls, ownAddresses } from "./ipvs-node.js";
import { type IpvsRules, type IsEmpty, ipvsIptables, OUT_FILTER } from "./ipvs-rules.js";
import {
  ADDRESSES,
  dummyAddressesOf,
  SERVERS,
  type ServersFragment,
  virtualServers,
} from "./ipvs-servers.js";
import {
  type Elements,
  insertDummyAddresses,
  ipSet,
  overfullWarnings,
  SET_NAMES,
  type SetName,
  setCollections,
} from "./ipvs-sets.js";
import { syncServers, withoutIdle, withoutReturning } from "./ipvs-termination.js";
import { detectorOf, primaryAddress } from "./local-traffic.js";
import { masqueradeMark, type ProxyOptions } from "./options.js";
import { countEndpoints, type ServedPort, servedPorts } from "./served-ports.js";
import { type TopologyHints, topologyHints } from "./topology-hints.js";
import { warn } from "./warnings.js";

export { DUMMY } from "./ipvs-servers.js";

export interface IpvsOptions extends ProxyOptions, IpvsSettings {
  /** --ipvs-scheduler, of all virtual servers; default rr. */
  readonly scheduler?: Scheduler;
  /** What the configuration sets of --ipvs-tcp-timeout, -tcpfin-timeout and -udp-timeout. */
  readonly timeouts?: IpvsTimeouts;
  /** The node's local addresses except loopback and kube-ipvs0: nodePorts answer on them. */
  readonly nodeAddresses: readonly Ip[];
}

/** kube-proxy makes no virtual servers of firewall marks. */
interface ProxyIpvs extends Ipvs {
  readonly servers: readonly AddressedServer[];
}

export interface CompiledIpvs {
  readonly ipvs: ProxyIpvs;
  readonly ipsets: readonly IpSet[];
  readonly iptables: Iptables;
  /** For the dummy interface kube-ipvs0, ascending: they make the VIPs local, where IPVS waits. */
  readonly dummyAddresses: readonly Ip[];
  /** What kube-proxy sets in the kernel, by the kernel's names. */
  readonly sysctls: Readonly<Record<string, number>>;
  readonly diagnostics: readonly Diagnostic[];
}

/** What one Service adds. */
export interface IpvsFragment extends ServersFragment {
  readonly outRules: readonly Rule[];
  readonly diagnostics: readonly Diagnostic[];
}

const NO_PREFIX_ZERO =
  "an ipset holds no prefix of length 0, so that kube-proxy in mode ipvs lets nobody in by this range: leave it out, or write 0.0.0.0/1 and 128.0.0.0/1 (::/1 and 8000::/1).";

function warningsOf(service: Service | undefined, ports: readonly ServedPort[]): readonly Diagnostic[] {
  const isVoid = ports.some(({ frontend }) => {
    return frontend.vips.length > 0 && frontend.sourceRanges.some((range) => !isHeld(range));
  });
  if (service === undefined || !isVoid) return [];
  return [warn(service, "spec.loadBalancerSourceRanges", NO_PREFIX_ZERO)];
}

/** What the fragments of one node are written with. */
interface IpvsContext {
  readonly node: Node;
  readonly family: Family;
  readonly own: IpvsNode;
  readonly scheduler: Scheduler;
  readonly hints: TopologyHints;
  /** Every address that kube-ipvs0 need not have. */
  readonly nodeAddresses: ReadonlySet<Ip>;
}

function fragmentOf(
  context: IpvsContext,
  objects: ServiceObjects,
  before: IpvsFragment | undefined,
): IpvsFragment {
  const { node, family, own, scheduler, hints } = context;
  const ports = servedPorts(objects, family);
  const sets: Elements = {};
  const wanted: AddressedServer[] = [];
  const drops: Rule[] = [];
  for (const { frontend, endpoints } of ports) {
    insertFrontend(sets, frontend, endpoints, own);
    const categorized = categorize(frontend, endpoints, node, hints);
    wanted.push(...virtualServers(frontend, categorized, own.nodePortIps, scheduler));
    drops.push(...outRules(frontend, own));
  }
  const addresses = dummyAddressesOf(ports, context.nodeAddresses);
  insertDummyAddresses(sets, addresses);
  const { service } = objects;
  const diagnostics = warningsOf(service, ports);
  const servers = syncServers(before?.servers ?? [], wanted);
  const endpoints = countEndpoints(ports);
  return { service, endpoints, diagnostics, servers, sets, addresses, outRules: drops };
}

/** Whether sets are empty, of sizes in the order of SET_NAMES. */
function emptiness(sizes: readonly number[]): IsEmpty {
  const empty = new Set(SET_NAMES.filter((_, index) => (sizes[index] ?? 0) === 0));
  return (set) => empty.has(set);
}

/** What the whole is finished with. */
interface IpvsWhole {
  readonly rules: IpvsRules;
  readonly timeouts: IpvsTimeouts | undefined;
  readonly sysctls: Readonly<Record<string, number>>;
}

function finishIpvs(
  { rules, timeouts, sysctls }: IpvsWhole,
  fragments: readonly IpvsFragment[],
): CompiledIpvs {
  const { family } = rules;
  const ipsets = setCollections(family).map((collection, index) =>
    ipSet(SET_NAMES[index] as SetName, family, elementsOf(collection, fragments).elements),
  );
  const sizes = ipsets.map(({ entries }) => entries.length);
  const servers = elementsOf(SERVERS, fragments);
  const drops = inOrder(fragments, (fragment) => fragment.outRules);
  return {
    ipvs: { servers: servers.elements, ...(timeouts === undefined ? {} : { timeouts }) },
    ipsets,
    iptables: ipvsIptables(emptiness(sizes), rules, drops),
    dummyAddresses: [...elementsOf(ADDRESSES, fragments).elements].sort(compareIp),
    sysctls,
    diagnostics: [
      ...fragments.flatMap(({ diagnostics }) => diagnostics),
      ...servers.clashes,
      ...overfullWarnings(sizes, family),
    ],
  };
}

const SIX = { family: 6 } as const;

/** Rules ask only sets that are not empty, so that some come or go with a set's first element. */
function changedRules(
  rules: IpvsRules,
  before: readonly number[],
  after: readonly number[],
): readonly RulesetStep[] {
  if (SET_NAMES.every((_, index) => (before[index] === 0) === (after[index] === 0))) return [];
  const [old, made] = [before, after].map((sizes) => ipvsIptables(emptiness(sizes), rules).tables);
  const of = rules.family === 6 ? SIX : {};
  return (made ?? []).flatMap(({ name: table, chains }, index) => {
    // The chains are the same whatever the sets hold.
    const was = new Map(old?.[index]?.chains.map((chain) => [chain.name, chain]));
    return chains
      .filter((chain) => !isSame(was.get(chain.name), chain))
      .map((chain) => ({ kind: "chain-set" as const, table, chain, ...of }));
  });
}

function contextOf(cluster: Cluster, node: Node, options: IpvsOptions): IpvsContext & IpvsWhole {
  const { family = 4, nodeAddresses, nodePortAddresses = [] } = options;
  return {
    node,
    family,
    own: {
      name: node.name,
      address: options.nodeIP ?? primaryAddress(node, family),
      nodePortIps: ipvsNodePortIps(nodeAddresses, nodePortAddresses, family),
    },
    scheduler: options.scheduler ?? "rr",
    hints: topologyHints(options.kubernetesVersion, options.featureGates),
    nodeAddresses: new Set(ownAddresses(nodeAddresses, family)),
    rules: {
      family,
      mark: masqueradeMark(options.masqueradeBit),
      masqueradeAll: options.masqueradeAll ?? false,
      localPods: detectorOf(cluster, node, options.detectLocal, family),
    },
    timeouts: options.timeouts,
    sysctls: ipvsSysctls(options),
  };
}

/**
 * What kube-proxy (1.31 to 1.35) keeps in one node's kernel in mode ipvs for one family after a full sync: virtual
 * servers (one scheduler, every weight 1), the sets and the rules beside them. Of a cluster that changes, endpoints that
 * left are kept with weight 0 until nobody is connected to them.
 */
export function ipvsFrontEnd(
  cluster: Cluster,
  node: Node,
  options: IpvsOptions,
): FrontEnd<IpvsFragment, CompiledIpvs> {
  const context = contextOf(cluster, node, options);
  const { family, rules } = context;
  return {
    write: (objects, _, before) => fragmentOf(context, objects, before),
    between: (before, after) => {
      const servers = withoutReturning(before.servers, after.servers);
      return servers === undefined ? undefined : { ...before, servers };
    },
    settle: (fragment, countersOf) => {
      const servers = withoutIdle(fragment.servers, countersOf);
      return servers === fragment.servers ? fragment : { ...fragment, servers };
    },
    finish: (fragments) => finishIpvs(context, fragments),
    sharedChains: [
      {
        table: "filter",
        chain: OUT_FILTER,
        ...(family === 6 ? SIX : {}),
        rulesOf: (fragment) => fragment.outRules,
      },
    ],
    // The sets come first: what follows from their sizes takes them by their place.
    collections: [...setCollections(family), SERVERS, ADDRESSES],
    consequences: (before, after) => [
      ...changedRules(rules, before, after),
      ...retold(overfullWarnings(before, family), overfullWarnings(after, family)),
    ],
  };
}

/** The same for a whole cluster at once. */
export function compileIpvs(cluster: Cluster, node: Node, options: IpvsOptions): CompiledIpvs {
  return compileWith(ipvsFrontEnd(cluster, node, options), serviceObjects(cluster));
}
