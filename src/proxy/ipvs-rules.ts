import type { Family } from "../net/ip.js";
import type { Iptables, Match, Rule, Target } from "../ruleset/iptables.js";
import { append, type Chains, tableOf } from "./chains.js";
import { insertJumps, type Jump, writeForward, writeMasquerade } from "./fixed-rules.js";
import { type SetName, setName } from "./ipvs-sets.js";
import { LOOPBACK, type LocalDetector } from "./local-traffic.js";
import {
  ACCEPT,
  commented,
  ctstate,
  DROP,
  DST_LOCAL,
  from,
  inSet,
  jump,
  NOT_SRC_LOCAL,
  notFromPods,
  protocol,
  RETURN,
  reject,
  rule,
} from "./rules.js";

/** kube-proxy's comment at the rules that ask a set. */
const COMMENT: Partial<Record<SetName, string>> = {
  "KUBE-LOOP-BACK": "Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose",
  "KUBE-CLUSTER-IP": "Kubernetes service cluster ip + port for masquerade purpose",
  "KUBE-EXTERNAL-IP": "Kubernetes service external ip + port for masquerade and filter purpose",
  "KUBE-EXTERNAL-IP-LOCAL": "Kubernetes service external ip + port with externalTrafficPolicy=local",
  "KUBE-LOAD-BALANCER": "Kubernetes service lb portal",
  "KUBE-LOAD-BALANCER-FW": "Kubernetes service load balancer ip + port for load balancer with sourceRange",
  "KUBE-LOAD-BALANCER-LOCAL": "Kubernetes service load balancer ip + port with externalTrafficPolicy=local",
  "KUBE-LOAD-BALANCER-SOURCE-IP":
    "Kubernetes service load balancer ip + port + source IP for packet filter purpose",
  "KUBE-LOAD-BALANCER-SOURCE-CIDR":
    "Kubernetes service load balancer ip + port + source cidr for packet filter purpose",
  "KUBE-NODE-PORT-TCP": "Kubernetes nodeport TCP port for masquerade purpose",
  "KUBE-NODE-PORT-LOCAL-TCP": "Kubernetes nodeport TCP port with externalTrafficPolicy=local",
  "KUBE-NODE-PORT-UDP": "Kubernetes nodeport UDP port for masquerade purpose",
  "KUBE-NODE-PORT-LOCAL-UDP": "Kubernetes nodeport UDP port with externalTrafficPolicy=local",
  "KUBE-NODE-PORT-SCTP-HASH": "Kubernetes nodeport SCTP port for masquerade purpose with type 'hash ip:port'",
  "KUBE-NODE-PORT-LOCAL-SCTP-HASH":
    "Kubernetes nodeport SCTP port with externalTrafficPolicy=local with type 'hash ip:port'",
  "KUBE-HEALTH-CHECK-NODE-PORT": "Kubernetes health check node port",
};

const FILTER_JUMPS: readonly Jump[] = [
  { chain: "KUBE-FORWARD", from: "FORWARD", comment: "kubernetes forwarding rules" },
  { chain: "KUBE-NODE-PORT", from: "INPUT", comment: "kubernetes health check rules" },
  { chain: "KUBE-PROXY-FIREWALL", from: "INPUT", comment: "kube-proxy firewall rules" },
  { chain: "KUBE-PROXY-FIREWALL", from: "FORWARD", comment: "kube-proxy firewall rules" },
  { chain: "KUBE-IPVS-FILTER", from: "INPUT", comment: "kubernetes ipvs access filter" },
  { chain: "KUBE-IPVS-OUT-FILTER", from: "OUTPUT", comment: "kubernetes ipvs access filter" },
];

const NAT_JUMPS: readonly Jump[] = [
  { chain: "KUBE-SERVICES", from: "OUTPUT", comment: "kubernetes service portals" },
  { chain: "KUBE-SERVICES", from: "PREROUTING", comment: "kubernetes service portals" },
  { chain: "KUBE-POSTROUTING", from: "POSTROUTING", comment: "kubernetes postrouting rules" },
];

const MARK_MASQ = jump("KUBE-MARK-MASQ");

/** By destination address and port. */
const DST_DST = ["dst", "dst"] as const;

/** By a client of a destination address and port. */
const DST_DST_SRC = ["dst", "dst", "src"] as const;

/** The chain whose rules are of Services. */
export const OUT_FILTER = "KUBE-IPVS-OUT-FILTER";

/** What the rules depend on besides the sets. */
export interface IpvsRules {
  readonly family: Family;
  /** The mark of packets to masquerade. */
  readonly mark: number;
  readonly masqueradeAll: boolean;
  /** What Pods' packets have; undefined for no detector. */
  readonly localPods: LocalDetector | undefined;
}

/** Whether a set has no element. */
export type IsEmpty = (set: SetName) => boolean;

/** What a rule asks besides the set, in the order of the listing. */
interface Question {
  /** Which of the packet's addresses and ports the set's fields are compared with; default dst,dst. */
  readonly sides?: readonly ("src" | "dst")[];
  readonly before?: readonly Match[];
  readonly after?: readonly Match[];
}

/** Appends rules that ask sets, with kube-proxy's comment for each; none for a set that is empty. */
function asker(chains: Chains, isEmpty: IsEmpty, family: Family) {
  return (chain: string, set: SetName, target: Target, question: Question = {}): void => {
    if (isEmpty(set)) return;
    const { sides = DST_DST, before = [], after = [] } = question;
    const asked = inSet(setName(set, family), ...sides);
    append(chains, chain, commented(COMMENT[set] ?? "", [...before, asked, ...after], target));
  };
}

type Ask = ReturnType<typeof asker>;

function markClusterIP(ask: Ask, { masqueradeAll, localPods }: IpvsRules): void {
  if (masqueradeAll) ask("KUBE-SERVICES", "KUBE-CLUSTER-IP", MARK_MASQ);
  else if (localPods !== undefined) {
    ask("KUBE-SERVICES", "KUBE-CLUSTER-IP", MARK_MASQ, { before: [notFromPods(localPods)] });
  } else {
    // The node's own packets to a VIP come from that VIP, for it is an address of kube-ipvs0.
    ask("KUBE-SERVICES", "KUBE-CLUSTER-IP", MARK_MASQ, { sides: ["src", "dst"] });
  }
}

/** Packets to external IPs from off the machine, or to such as the node holds itself, skip the rest of nat. */
function acceptExternal(ask: Ask, set: "KUBE-EXTERNAL-IP" | "KUBE-EXTERNAL-IP-LOCAL"): void {
  const notFromHere: readonly Match[] = [{ kind: "physdev-is-in", invert: true }, NOT_SRC_LOCAL];
  ask("KUBE-SERVICES", set, ACCEPT, { after: notFromHere });
  ask("KUBE-SERVICES", set, ACCEPT, { after: [DST_LOCAL] });
}

function markNodePorts(ask: Ask): void {
  for (const name of ["TCP", "UDP", "SCTP"] as const) {
    const suffix = name === "SCTP" ? "SCTP-HASH" : name;
    const question: Question = { sides: name === "SCTP" ? DST_DST : ["dst"], before: [protocol(name)] };
    ask("KUBE-NODE-PORT", `KUBE-NODE-PORT-LOCAL-${suffix}`, RETURN, question);
    ask("KUBE-NODE-PORT", `KUBE-NODE-PORT-${suffix}`, MARK_MASQ, question);
  }
}

function natChains(isEmpty: IsEmpty, rules: IpvsRules): Chains {
  const { family, mark } = rules;
  const nat: Chains = new Map();
  const ask = asker(nat, isEmpty, family);
  insertJumps(nat, NAT_JUMPS);
  append(nat, "KUBE-SERVICES", rule([from(LOOPBACK[family])], RETURN));
  ask("KUBE-SERVICES", "KUBE-LOAD-BALANCER", jump("KUBE-LOAD-BALANCER"));
  ask("KUBE-LOAD-BALANCER", "KUBE-LOAD-BALANCER-LOCAL", RETURN);
  append(nat, "KUBE-LOAD-BALANCER", rule([], MARK_MASQ));
  markClusterIP(ask, rules);
  ask("KUBE-SERVICES", "KUBE-EXTERNAL-IP", MARK_MASQ);
  acceptExternal(ask, "KUBE-EXTERNAL-IP");
  acceptExternal(ask, "KUBE-EXTERNAL-IP-LOCAL");
  append(nat, "KUBE-SERVICES", rule([DST_LOCAL], jump("KUBE-NODE-PORT")));
  append(nat, "KUBE-NODE-PORT");
  markNodePorts(ask);
  for (const set of ["KUBE-CLUSTER-IP", "KUBE-LOAD-BALANCER"] as const) {
    if (!isEmpty(set)) append(nat, "KUBE-SERVICES", rule([inSet(setName(set, family), ...DST_DST)], ACCEPT));
  }
  const masquerade: Target = { kind: "masquerade", randomFully: false };
  ask("KUBE-POSTROUTING", "KUBE-LOOP-BACK", masquerade, { sides: DST_DST_SRC });
  writeMasquerade(nat, mark);
  return nat;
}

/** The sets of what IPVS serves, as INPUT asks them. */
const SERVED: readonly SetName[] = [
  "KUBE-LOAD-BALANCER",
  "KUBE-CLUSTER-IP",
  "KUBE-EXTERNAL-IP",
  "KUBE-EXTERNAL-IP-LOCAL",
];

/** Keeps the node's own ports out of reach through VIPs: only what IPVS serves comes in there. */
function writeAccessFilter(filter: Chains, family: Family): void {
  const asked = (set: SetName, ...sides: readonly ("src" | "dst")[]) => inSet(setName(set, family), ...sides);
  append(
    filter,
    "KUBE-IPVS-FILTER",
    ...SERVED.map((set) => rule([asked(set, ...DST_DST)], RETURN)),
    rule([asked("KUBE-HEALTH-CHECK-NODE-PORT", "dst")], RETURN),
    rule([ctstate("NEW"), asked("KUBE-IPVS-IPS", "dst")], reject(family)),
  );
}

/** Drops clients that no source range of a load balancer admits. */
function writeSourceRanges(ask: Ask, filter: Chains): void {
  const firewall = "KUBE-SOURCE-RANGES-FIREWALL";
  ask("KUBE-PROXY-FIREWALL", "KUBE-LOAD-BALANCER-FW", jump(firewall));
  ask(firewall, "KUBE-LOAD-BALANCER-SOURCE-CIDR", RETURN, { sides: DST_DST_SRC });
  ask(firewall, "KUBE-LOAD-BALANCER-SOURCE-IP", RETURN, { sides: DST_DST_SRC });
  append(filter, firewall, rule([], DROP));
}

function filterChains(isEmpty: IsEmpty, { family, mark }: IpvsRules): Chains {
  const filter: Chains = new Map();
  insertJumps(filter, FILTER_JUMPS);
  writeForward(filter, mark);
  const health = [inSet(setName("KUBE-HEALTH-CHECK-NODE-PORT", family), "dst")];
  append(filter, "KUBE-NODE-PORT", commented(COMMENT["KUBE-HEALTH-CHECK-NODE-PORT"] ?? "", health, ACCEPT));
  writeSourceRanges(asker(filter, isEmpty, family), filter);
  writeAccessFilter(filter, family);
  return filter;
}

/**
 * The rules beside IPVS: they mark what is to be masqueraded and guard the VIPs, by asking the sets. `outRules` are
 * what Services add to OUT_FILTER.
 */
export function ipvsIptables(isEmpty: IsEmpty, rules: IpvsRules, outRules: readonly Rule[] = []): Iptables {
  const filter = filterChains(isEmpty, rules);
  append(filter, OUT_FILTER, ...outRules);
  return {
    family: rules.family,
    tables: [tableOf("filter", filter), tableOf("nat", natChains(isEmpty, rules))],
  };
}
