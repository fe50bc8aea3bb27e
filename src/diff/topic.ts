import type { Answer, Change } from "./answer.js";
import type { Ground } from "./ground.js";
import { isBlocked, type Question, servedAt } from "./question.js";
import type { ServedPort } from "./side.js";

/**
 * What a difference is about. Behind what cannot be told stand what modes of kube-proxy are known to differ in, and then
 * what is of the clusters.
 */
export const TOPICS = {
  undecided: "a rule that asks what this program does not know",
  "unknown-port": "an unknown port of a Service's address",
  "unallocated-cluster-ip": "an unallocated ClusterIP",
  "no-endpoints": "a Service without endpoints",
  "local-policy-outside": "externalTrafficPolicy Local without a local endpoint, asked from outside",
  "local-policy-pod": "a Pod that asks an external address, externalTrafficPolicy Local",
  "local-policy-node": "the node that asks an external address, externalTrafficPolicy Local",
  "source-ranges-no-endpoints": "a blocked source, where a Service with source ranges has no endpoints",
  "node-port-addresses": "a nodePort on a further address of the node",
  "node-port-localhost": "a nodePort on 127.0.0.1",
  "health-check-node-port": "a healthCheckNodePort",
  "affinity-scope": "session affinity from one address of a Service to another",
  "affinity-refresh": "how long session affinity lasts",
  affinity: "session affinity",
  choice: "how an endpoint is chosen",
  ping: "a ping to a Service's address",
  "out-of-state": "a packet out of state",
  "open-connection": "the next packet of an open connection",
  "foreign-server": "a virtual server of no Service",
  "cluster-ip": "a ClusterIP",
  external: "an external IP or load balancer's address",
  "node-port": "a nodePort",
  "other-address": "an address that is no Service's",
} as const;
export type Topic = keyof typeof TOPICS;

type Ports = readonly ServedPort[];

/** What a Service without usable endpoints is about. */
function ofEmpty(question: Question, ports: Ports): Topic | undefined {
  if (ports.length === 0 || ports.some(({ hasAny }) => hasAny)) return undefined;
  return ports.some((port) => isBlocked(port, question)) ? "source-ranges-no-endpoints" : "no-endpoints";
}

const PODS: readonly string[] = ["a Pod", "a Pod of another node", "the endpoint itself"];
const NODE: readonly string[] = ["the node", "127.0.0.1"];

/** What externalTrafficPolicy Local is about, where both sides have it: kube-proxy's own senders are treated otherwise. */
function ofLocalPolicy({ source, target }: Question, ports: Ports): Topic | undefined {
  const isExternal = ["external IP", "load balancer address", "nodePort"].includes(target.place);
  const isLocal = ports.length > 0 && ports.every(({ frontend }) => frontend.externalPolicyLocal);
  if (!isExternal || !isLocal) return undefined;
  if (PODS.includes(source.asker)) return "local-policy-pod";
  if (NODE.includes(source.asker)) return "local-policy-node";
  return ports.some(({ local }) => (local?.length ?? 0) > 0) ? undefined : "local-policy-outside";
}

function ofNodePort({ source, target }: Question, change: Change, { sides }: Ground): Topic | undefined {
  if (target.place !== "nodePort" || change !== "fate") return undefined;
  if (source.asker === "127.0.0.1") return "node-port-localhost";
  const isPrimary = sides.some(({ ownAddresses: [primary] }) => primary === target.address);
  return isPrimary ? undefined : "node-port-addresses";
}

function ofAddress({ target }: Question): Topic | undefined {
  if (target.place === "unallocated ClusterIP") return "unallocated-cluster-ip";
  if (target.place === "healthCheckNodePort") return "health-check-node-port";
  if (target.service === "") return "other-address";
  if (target.isUnknownPort) return "unknown-port";
  return target.kind.protocol === "ICMP" ? "ping" : undefined;
}

const BY_PLACE: Readonly<Record<string, Topic>> = {
  ClusterIP: "cluster-ip",
  "external IP": "external",
  "load balancer address": "external",
  nodePort: "node-port",
};

/** What a difference is about, by who asks whom, and what both sides know of them. */
export function topicOf(
  question: Question,
  change: Change,
  answers: readonly Answer[],
  ground: Ground,
): Topic {
  if (answers.some(({ ends }) => ends.some(({ how }) => how === "undecided"))) return "undecided";
  if (!question.target.kind.isFirst) return "out-of-state";
  if (question.target.place === "virtual server") return "foreign-server";
  const known = ground.sides.map((facts) => servedAt(facts, question.target));
  const ports = known.filter((port) => port !== undefined);
  // One that has no cluster is of the same opinion about Services as the other.
  const isOnBoth = ports.length === ground.sides.filter(({ cluster }) => cluster !== undefined).length;
  const common = isOnBoth ? ports : [];
  return (
    ofAddress(question) ??
    (change === "choice" ? "choice" : undefined) ??
    ofNodePort(question, change, ground) ??
    ofEmpty(question, common) ??
    ofLocalPolicy(question, common) ??
    BY_PLACE[question.target.place] ??
    "other-address"
  );
}
