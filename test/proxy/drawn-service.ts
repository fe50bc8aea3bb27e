import fc from "fast-check";
import { type ClusterBuilder, clusterOf, ip, type ServiceFields } from "./cluster-of.js";
import type { Walker } from "./nft-walk.js";

const marks = fc.tuple(
  fc.constantFrom("@worker-1", "@worker-2", ""),
  fc.constantFrom("", "", "", " !ready", " !ready terminating", " !ready !serving terminating"),
);

const fields: fc.Arbitrary<ServiceFields> = fc.record({
  type: fc.constantFrom("ClusterIP" as const, "NodePort" as const, "LoadBalancer" as const),
  clusterIPs: fc.constant("10.96.0.1"),
  externalIPs: fc.constantFrom("", "192.0.2.1"),
  ingress: fc.constantFrom("", "198.51.100.1"),
  ports: fc.constantFrom("http:80", "http:80>30080", "http:80/UDP>30080"),
  externalTrafficPolicy: fc.constantFrom("Cluster" as const, "Local" as const),
  internalTrafficPolicy: fc.constantFrom("Cluster" as const, "Local" as const),
});

function clusterWith(drawn: ServiceFields, endpoints: readonly (readonly [string, string])[]) {
  const protocol = drawn.ports?.includes("UDP") ? "/UDP" : "";
  const texts = endpoints.map(
    ([home, mark], index) => `10.244.${home.endsWith("1") ? 1 : 2}.${20 + index}${home}${mark}`,
  );
  const cluster = clusterOf()
    .service("shop/web", drawn)
    .slice("shop/web", `http:8080${protocol}`, ...texts);
  return { cluster, fields: drawn };
}

const endpoints = fc.array(marks, { maxLength: 4 });
const clusters = fc.tuple(fields, endpoints).map(([drawn, made]) => clusterWith(drawn, made));

/** From a Pod, an outsider, the node worker-1 itself or an endpoint, to an address that the Service may have. */
const packets: fc.Arbitrary<Walker> = fc
  .tuple(
    fc.constantFrom("10.244.1.7", "203.0.113.2", "172.18.0.2", "10.244.1.20"),
    fc.constantFrom(
      "10.96.0.1:80",
      "192.0.2.1:80",
      "198.51.100.1:80",
      "172.18.0.2:30080",
      "10.244.1.1:30080",
    ),
    fc.constantFrom("TCP" as const, "UDP" as const),
  )
  .map(([src, to, protocol]) => {
    const [dst = "", dport] = to.split(":");
    return { src: ip(src), dst: ip(dst), protocol, dport: Number(dport), fromNode: src === "172.18.0.2" };
  });

/** A cluster of one Service shop/web, and a packet that may concern it. */
export interface Drawn {
  readonly cluster: ClusterBuilder;
  readonly fields: ServiceFields;
  readonly packet: Walker;
}

export const drawnService: fc.Arbitrary<Drawn> = fc
  .tuple(clusters, packets)
  .map(([made, packet]) => ({ ...made, packet }));

/** The node's own packet to an external IP of policy Local, whatever endpoints there are. */
export const fromNodeToLocal: fc.Arbitrary<Drawn> = endpoints.map((made) => {
  const drawn: ServiceFields = {
    clusterIPs: "10.96.0.1",
    externalIPs: "192.0.2.1",
    ports: "http:80",
    externalTrafficPolicy: "Local",
  };
  const packet: Walker = {
    src: ip("172.18.0.2"),
    dst: ip("192.0.2.1"),
    protocol: "TCP",
    dport: 80,
    fromNode: true,
  };
  return { ...clusterWith(drawn, made), packet };
});
