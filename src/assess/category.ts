import type { Answer } from "../diff/answer.js";
import type { FlowDifference } from "../diff/difference.js";
import type { Topic } from "../diff/topic.js";
import type { AssessedEffect } from "../report/assessment.js";

/** What findings are about, in the order in which they are told. */
export const CATEGORIES = [
  "connections",
  "traffic-policy",
  "node-ports",
  "scheduler",
  "affinity",
  "refusals",
  "foreign",
  "other",
] as const;
export type Category = (typeof CATEGORIES)[number];

const BY_TOPIC: Readonly<Partial<Record<Topic, Category>>> = {
  "open-connection": "connections",
  "local-policy-outside": "traffic-policy",
  "local-policy-pod": "traffic-policy",
  "local-policy-node": "traffic-policy",
  "node-port-addresses": "node-ports",
  "node-port-localhost": "node-ports",
  choice: "scheduler",
  affinity: "affinity",
  "affinity-scope": "affinity",
  "affinity-refresh": "affinity",
  "unknown-port": "refusals",
  "unallocated-cluster-ip": "refusals",
  "no-endpoints": "refusals",
  "source-ranges-no-endpoints": "refusals",
  "foreign-server": "foreign",
};

const VIP_PLACES: readonly string[] = [
  "ClusterIP",
  "external IP",
  "load balancer address",
  "nodePort",
  "unallocated ClusterIP",
  "virtual server",
];

/** Whether somebody takes the packet: at an address of Services an endpoint alone does, or the node that a ping is for. */
function isServed({ ends }: Answer, { question: { target } }: FlowDifference): boolean {
  const isVip = VIP_PLACES.includes(target.place);
  return ends.some(({ how }) => {
    if (how === "endpoint") return true;
    return (
      (how === "node" || how === "passes") && (!isVip || (how === "node" && target.kind.protocol === "ICMP"))
    );
  });
}

/** What a difference comes to for who is served now. */
export function effectOf(difference: FlowDifference): AssessedEffect {
  const [before, after] = difference.answers.map((answer) => isServed(answer, difference));
  const isOpen = difference.topic === "open-connection";
  if (before === true && after === true) return isOpen ? "moves" : "changes";
  if (before === true) return "breaks";
  return after === true ? "opens" : "refused otherwise";
}

/** What answers a rejected packet, whatever the reason for it is: a rule, or no endpoint. */
function refusalOf({ ends }: Answer): string | undefined {
  const refusals = ends.map(({ how, reason }) => {
    if (how !== "rejected") return undefined;
    return reason === "NO_DESTINATION" ? "PORT_UNREACHABLE" : reason;
  });
  return refusals.includes(undefined) ? undefined : [...new Set(refusals)].sort().join();
}

/** Whether its sender, and the endpoint, would tell the two answers apart. */
export function isNoticed({ answers: [before, after] }: FlowDifference): boolean {
  const refusal = refusalOf(before);
  return refusal === undefined || refusal !== refusalOf(after);
}

export function categoryOf(difference: FlowDifference): Category {
  const known = BY_TOPIC[difference.topic];
  if (known !== undefined) return known;
  const effect = effectOf(difference);
  if (effect === "refused otherwise") return "refusals";
  // kube-proxy drops what is to a ClusterIP for internalTrafficPolicy Local alone.
  const isDropped = difference.answers[1].ends.every(({ how }) => how === "dropped");
  return difference.topic === "cluster-ip" && effect === "breaks" && isDropped ? "traffic-policy" : "other";
}
