import type { Diagnostic } from "../diagnostics.js";
import type { Cluster } from "../model/cluster.js";
import type { Node } from "../model/node.js";
import type { Ip } from "../net/ip.js";
import type { Prefix } from "../net/prefix.js";
import type { Iptables, Match } from "../ruleset/iptables.js";
import { append, type Chains, tableOf } from "./chains.js";
import { categorize, endpointsOf } from "./endpoints.js";
import { insertJumps, type Jump, writeForward, writeMasquerade } from "./fixed-rules.js";
import { servicePorts } from "./frontends.js";
import { type IptablesDraft, planOf } from "./iptables-draft.js";
import { writeService } from "./iptables-service.js";
import {
  type DetectLocal,
  localDetector,
  matchesAllAddresses,
  nodePortIps,
  primaryAddress,
} from "./local-traffic.js";
import { commented, ctstate, DROP, DST_LOCAL, host, jump, rule, to } from "./rules.js";
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

function writeFixedFilter(filter: Chains, localhostNodePorts: boolean): void {
  insertJumps(filter, FILTER_JUMPS);
  append(filter, CANARY);
  append(filter, "KUBE-FORWARD", rule([ctstate("INVALID")], DROP));
  writeForward(filter);
  if (!localhostNodePorts) return;
  const intruders: readonly Match[] = [
    { kind: "source", prefix: LOOPBACK, invert: true },
    to(LOOPBACK),
    { kind: "ctstate", states: ["RELATED", "ESTABLISHED", "DNAT"], invert: true },
  ];
  append(filter, "KUBE-FIREWALL", commented("block incoming localnet connections", intruders, DROP));
}

function writeFixedNat(nat: Chains): void {
  insertJumps(nat, NAT_JUMPS);
  append(nat, CANARY);
  append(nat, "KUBE-NODEPORTS");
  writeMasquerade(nat);
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

/**
 * What kube-proxy (1.31 to 1.35) keeps in one node's iptables, IPv4, after a full sync in mode iptables, with
 * the built-in chains and the kubelet's KUBE-FIREWALL. Service ports stand in the order of servicePorts. Left
 * out with a warning: affinity and IPv6; without: the nfacct counters, which decide nothing.
 */
export function compileIptables(
  cluster: Cluster,
  node: Node,
  options: IptablesOptions = {},
): { readonly iptables: Iptables; readonly diagnostics: readonly Diagnostic[] } {
  const frontends = servicePorts(cluster);
  const find = endpointsOf(cluster);
  const known = frontends.map((frontend) => ({ frontend, endpoints: find(frontend) }));
  const total = known.reduce((sum, { endpoints }) => sum + endpoints.length, 0);
  const draft: IptablesDraft = {
    filter: new Map(),
    nat: new Map(),
    localPods: localDetector(cluster, node, options.detectLocal),
    masqueradeAll: options.masqueradeAll ?? false,
    nodeIp: primaryAddress(node),
    endpointComments: total <= LARGE_CLUSTER,
  };
  writeFixedFilter(draft.filter, options.localhostNodePorts ?? true);
  writeFixedNat(draft.nat);
  for (const { frontend, endpoints } of known) {
    writeService(draft, planOf(frontend, categorize(frontend, endpoints, node)));
  }
  writeNodePortDispatch(draft.nat, options);
  const mangle = tableOf("mangle", new Map([[CANARY, []]]));
  return {
    iptables: { family: 4, tables: [mangle, tableOf("filter", draft.filter), tableOf("nat", draft.nat)] },
    diagnostics: commonWarnings(cluster, frontends),
  };
}
