import fc from "fast-check";
import type { Cluster } from "../../src/model/cluster.js";
import type { Node } from "../../src/model/node.js";
import type { Ip } from "../../src/net/ip.js";
import type { Protocol } from "../../src/net/port.js";
import { clusterOf, ip, nodeOf, type ServiceFields } from "./cluster-of.js";
import { clusterTwin, twinText } from "./cluster-twin.js";

const NODE = "172.18.0.8";
const POD = "10.244.8.7";
const OUTSIDER = "203.0.113.2";

/** Every IPv4 address and prefix in a text as IPv6. */
export const sixAll = (text: string) => text.replace(/\d+\.\d+\.\d+\.\d+(\/\d+)?/g, twinText);

/** Where a packet of IPv4 goes (`10.244.8.20:8080 masquerade`) as its twin says it. */
export const sixEnd = (end: string) => end.replace(/^([\d.]+):/, (_, at) => `[${twinText(at)}]:`);

const fields: fc.Arbitrary<ServiceFields> = fc.record({
  type: fc.constantFrom("ClusterIP" as const, "NodePort" as const, "LoadBalancer" as const),
  clusterIPs: fc.constant("10.96.0.1"),
  externalIPs: fc.constantFrom("", "192.0.2.1"),
  ingress: fc.constantFrom("", "198.51.100.1"),
  sourceRanges: fc.constantFrom("", "203.0.113.0/24", "172.18.0.0/16 10.244.8.0/24"),
  ports: fc.constantFrom("http:80", "http:80/UDP>30080", "http:80/SCTP>30080"),
  externalTrafficPolicy: fc.constantFrom("Cluster" as const, "Local" as const),
  internalTrafficPolicy: fc.constantFrom("Cluster" as const, "Local" as const),
});

const packets = fc.record({
  src: fc.constantFrom(POD, OUTSIDER, NODE, "10.244.8.20"),
  dst: fc.constantFrom("10.96.0.1", "192.0.2.1", "198.51.100.1", NODE),
  dport: fc.constantFrom(80, 30080),
});

const endpoints = fc.array(
  fc.tuple(fc.constantFrom("@here", "@worker-2"), fc.constantFrom("", "", " !ready", " !ready terminating")),
  { maxLength: 3 },
);

/** A node of a cluster in one family, and the first packet of a connection that may concern its Service. */
export interface Twin {
  readonly cluster: Cluster;
  readonly node: Node;
  readonly packet: {
    readonly src: Ip;
    readonly dst: Ip;
    readonly protocol: Protocol;
    readonly dport: number;
    readonly fromNode: boolean;
  };
  /** The node's own addresses. */
  readonly local: readonly Ip[];
}

function twinOf(
  cluster: Cluster,
  protocol: Protocol,
  [src, dst, dport]: readonly [src: string, dst: string, dport: number],
  own: string,
): Twin {
  const packet = { src: ip(src), dst: ip(dst), protocol, dport, fromNode: src === own };
  return { cluster, node: nodeOf(cluster, "here"), packet, local: [ip(own)] };
}

/** The same cluster and packet in IPv4 and in IPv6. */
export const drawnTwins: fc.Arbitrary<readonly [four: Twin, six: Twin]> = fc
  .tuple(fields, endpoints, packets)
  .map(([drawn, marks, { src, dst, dport }]) => {
    const [, protocol = "TCP"] = /\/(\w+)/.exec(drawn.ports ?? "") ?? [];
    const texts = marks.map(([home, mark], index) => `10.244.8.${20 + index}${home}${mark}`);
    const cluster = clusterOf()
      .node("here", NODE, "10.244.8.0/24")
      .service("shop/web", drawn)
      .slice("shop/web", `http:8080/${protocol}`, ...texts)
      .build();
    const of = (made: Cluster, spelled: (text: string) => string) =>
      twinOf(made, protocol as Protocol, [spelled(src), spelled(dst), dport], spelled(NODE));
    return [of(cluster, (text) => text), of(clusterTwin(cluster), twinText)] as const;
  });
