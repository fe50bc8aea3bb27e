import fc from "fast-check";
import type { Cluster } from "../../src/model/cluster.js";
import type { Node } from "../../src/model/node.js";
import { type Ip, parseIp, printIp } from "../../src/net/ip.js";
import type { Protocol } from "../../src/net/port.js";
import { clusterOf, ip, nodeOf, type ServiceFields } from "./cluster-of.js";

const NODE = "172.18.0.8";
const POD = "10.244.8.7";
const OUTSIDER = "203.0.113.2";

/** The IPv6 side of an IPv4 address: its pods', nodes' and other networks keep their places. */
function six(text: string): string {
  const [address = "", length] = text.split("/");
  const value = parseIp(address);
  if (typeof value !== "number") throw new Error(`«${text}» is no IPv4 address`);
  const made = printIp((0xfd64n << 112n) | BigInt(value));
  return length === undefined ? made : `${made}/${Number(length) + 96}`;
}

/** Every IPv4 address and prefix in a text as IPv6. */
export const sixAll = (text: string) => text.replace(/\d+\.\d+\.\d+\.\d+(\/\d+)?/g, six);

/** Where a packet of IPv4 goes (`10.244.8.20:8080 masquerade`) as its twin says it. */
export const sixEnd = (end: string) => end.replace(/^([\d.]+):/, (_, at) => `[${six(at)}]:`);

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
  of: (text: string) => string,
  drawn: ServiceFields,
  texts: readonly string[],
  { src, dst, dport }: { readonly src: string; readonly dst: string; readonly dport: number },
): Twin {
  const [, protocol = "TCP"] = /\/(\w+)/.exec(drawn.ports ?? "") ?? [];
  const built = new Map(Object.entries(drawn).map(([key, value]) => [key, of(String(value))]));
  const cluster = clusterOf()
    .clusterCIDRs(of("10.244.0.0/16"))
    .serviceCIDRs(of("10.96.0.0/12"))
    .node("here", of(NODE), of("10.244.8.0/24"))
    .service("shop/web", Object.fromEntries(built) as ServiceFields)
    .slice("shop/web", `http:8080/${protocol}`, ...texts.map(of))
    .build();
  const packet = { src: ip(of(src)), dst: ip(of(dst)), protocol: protocol as Protocol, dport };
  const local = [ip(of(NODE))];
  return {
    cluster,
    node: nodeOf(cluster, "here"),
    packet: { ...packet, fromNode: src === NODE },
    local,
  };
}

/** The same cluster and packet in IPv4 and in IPv6. */
export const drawnTwins: fc.Arbitrary<readonly [four: Twin, six: Twin]> = fc
  .tuple(fields, endpoints, packets)
  .map(([drawn, marks, packet]) => {
    const texts = marks.map(([home, mark], index) => `10.244.8.${20 + index}${home}${mark}`);
    return [twinOf((text) => text, drawn, texts, packet), twinOf(sixAll, drawn, texts, packet)] as const;
  });
