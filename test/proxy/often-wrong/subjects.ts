/** What models of kube-proxy often get wrong, by number. Every subject is a `describe` of this folder. */
const SUBJECTS = [
  "a slice's port joins by name and protocol and brings its own number",
  "what a slice leaves open is ready, serving and not terminating; without nodeName it is elsewhere",
  "of equal ip:port the later counts, unless it is terminating; another port is another endpoint",
  "endpoints stand in the order of the text ip:port",
  "the rule of the i-th of n endpoints has one chance in n - i, of ten decimals, and the last has no match",
  "without any endpoint a packet is refused, with none here under policy Local it is dropped",
  "an endpoint elsewhere that terminates and serves makes a drop of the refusal",
  "the Cluster set and the Local set fall back to terminating endpoints each for itself",
  "under externalTrafficPolicy Local this node and its Pods still reach every endpoint",
  "on that way a Pod keeps its address, and the node's packets are masqueraded",
  "externalTrafficPolicy Cluster masquerades Pods too; masqueradeAll is about ClusterIPs",
  "internalTrafficPolicy Local holds the ClusterIP alone, and masquerades no one more or less",
  "without a detector no ClusterIP traffic is masqueraded, and Pods are held to local endpoints",
  "an endpoint that reaches itself is masqueraded on every path",
  "externalTrafficPolicy Local means nothing where nothing is external; the Cluster set may be none at all",
  "filter sees where DNAT sent a packet: rules that lead to endpoints and rules that drop stand together",
  "nat is asked once for a connection: of TCP its packets go on to an endpoint that has left, of UDP not",
  "source ranges guard load balancers' addresses alone, and Pods are no exception",
  "a range that holds the node lets the VIP reach itself; ranges of the other family alone guard nothing",
  "without endpoints iptables refuses everyone; the others drop who is outside of the ranges",
  "an address of ipMode Proxy is left alone, the Service's others are not",
  "another port of a ClusterIP is left alone or refused, and what no Service has is dropped in nftables alone",
  "nodePorts answer on every address, in nftables on the primary one; on 127.0.0.1 in iptables alone, never on ::1",
  "the health check's rule needs no endpoints and no nodePortAddresses; the answer counts those that are ready here",
  "hints hold if every ready endpoint has one, nodes' before zones', and never for the Local set",
  "an endpoint's clients are one list for every address of the port, in ipvs each address has its own; new connections alone set it",
  "a client is remembered only among the endpoints of the chain that its packet walks",
  "a chain's hash is of names, protocol and endpoint, as each mode joins them",
  "ipvs has no short circuit and drops nothing for policy Local; KUBE-LOOP-BACK is of local endpoints alone",
  "ipvs' schedulers weigh and hash as the kernel's do since 4.18; persistence holds clients",
] as const;

export const SUBJECT_COUNT = SUBJECTS.length;

/** The name of a subject's tests: `1. a slice's port joins …`. */
export function subject(number: number): string {
  const text = SUBJECTS[number - 1];
  if (text === undefined) throw new RangeError(`there is no subject ${number}`);
  return `${number}. ${text}`;
}
