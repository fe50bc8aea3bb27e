import { hostPrefix } from "../net/prefix.js";
import type { Match } from "../ruleset/iptables.js";
import { append, type Chains } from "./chains.js";
import { insertJumps, type Jump, writeForward, writeMasquerade } from "./fixed-rules.js";
import { isAtLeast, LATEST_KUBERNETES } from "./kubernetes-version.js";
import { LOOPBACK, matchesAllAddresses, nodePortIps } from "./local-traffic.js";
import { type IptablesOptions, masqueradeMark } from "./options.js";
import { commented, ctstate, DROP, DST_LOCAL, jump, nfacct, rule, to } from "./rules.js";

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
export const CANARY = "KUBE-PROXY-CANARY";

const LOCALHOST = 0x7f000001;

/** NodePorts on 127.0.0.0/8; there are none on ::1. */
export function servesLocalhost({ family = 4, localhostNodePorts = true }: IptablesOptions): boolean {
  return family === 4 && localhostNodePorts;
}

/** kube-proxy counts packets since 1.32, where the kernel has nfacct. */
export function countsPackets({ nfacct = false, kubernetesVersion }: IptablesOptions): boolean {
  return nfacct && isAtLeast(kubernetesVersion ?? LATEST_KUBERNETES, "1.32");
}

/** filter without Services. */
export function fixedFilter(options: IptablesOptions): Chains {
  const filter: Chains = new Map();
  insertJumps(filter, FILTER_JUMPS);
  append(filter, CANARY);
  // Without windows asked INVALID says less, and kube-proxy lets it pass.
  if (!options.conntrackTcpBeLiberal) {
    const counted = countsPackets(options) ? [nfacct("ct_state_invalid_dropped_pkts")] : [];
    append(filter, "KUBE-FORWARD", rule([ctstate("INVALID"), ...counted], DROP));
  }
  writeForward(filter, masqueradeMark(options.masqueradeBit));
  if (!servesLocalhost(options)) return filter;
  const intruders: readonly Match[] = [
    { kind: "source", prefix: LOOPBACK[4], invert: true },
    to(LOOPBACK[4]),
    { kind: "ctstate", states: ["RELATED", "ESTABLISHED", "DNAT"], invert: true },
  ];
  append(filter, "KUBE-FIREWALL", commented("block incoming localnet connections", intruders, DROP));
  return filter;
}

/** nat without Services. */
export function fixedNat({ masqueradeBit }: IptablesOptions): Chains {
  const nat: Chains = new Map();
  insertJumps(nat, NAT_JUMPS);
  append(nat, CANARY);
  append(nat, "KUBE-NODEPORTS");
  writeMasquerade(nat, masqueradeMark(masqueradeBit));
  return nat;
}

/** Which destinations KUBE-SERVICES takes for the node itself, as the last thing it asks. */
function nodePortMatches(options: IptablesOptions): readonly (readonly Match[])[] {
  const { family = 4, nodePortAddresses = [], nodeAddresses = [] } = options;
  if (matchesAllAddresses(nodePortAddresses, family)) {
    if (servesLocalhost(options)) return [[DST_LOCAL]];
    return [[{ kind: "destination", prefix: LOOPBACK[family], invert: true }, DST_LOCAL]];
  }
  const localhost = servesLocalhost(options) ? [LOCALHOST] : [];
  const addresses = nodePortIps([...localhost, ...nodeAddresses], nodePortAddresses, family);
  return addresses.map((ip) => [to(hostPrefix(ip))]);
}

/** The end of KUBE-SERVICES, which no Service's rules may follow. */
export function writeNodePortDispatch(nat: Chains, options: IptablesOptions): void {
  const comment = "kubernetes service nodeports; NOTE: this must be the last rule in this chain";
  for (const matches of nodePortMatches(options)) {
    append(nat, "KUBE-SERVICES", commented(comment, matches, jump("KUBE-NODEPORTS")));
  }
}
