import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildCluster, type Cluster } from "../../src/model/cluster.js";
import type { ManifestObject } from "../../src/model/manifest.js";
import { prefixContains, printPrefix } from "../../src/net/prefix.js";
import { clusterOf, notesOf, printNodes, printPods, printServices, printSlices } from "./yaml.js";

describe("examples/shop.yaml", () => {
  const shop = clusterOf(readFileSync("examples/shop.yaml", "utf8"));

  it("is a cluster that loads without a word", () => {
    expect(notesOf(shop)).toEqual([]);
    expect(shop.namespaces).toEqual(["default", "shop"]);
    expect(shop.clusterCIDRs.map(printPrefix)).toEqual(["10.244.0.0/16"]);
    expect(shop.serviceCIDRs.map(printPrefix)).toEqual(["10.96.0.0/12"]);
  });

  it("has the Nodes and Pods that its head promises", () => {
    expect(printNodes(shop)).toEqual([
      "worker-1 172.18.0.3 10.244.1.0/24",
      "worker-2 172.18.0.4 10.244.2.0/24",
      "worker-3 172.18.0.5 10.244.3.0/24",
    ]);
    expect(printPods(shop)).toEqual([
      "shop/cart worker-1 10.244.1.7",
      "shop/web-6gsqzs8tmk-wzjr2 worker-2 10.244.2.2",
      "shop/web-6gsqzs8tmk-4h44j worker-3 10.244.3.2",
      "shop/web-6gsqzs8tmk-t6k2p worker-1 10.244.1.2",
      "shop/catalog-m9tkrgmc4b-5dzxg worker-2 10.244.2.3",
      "shop/catalog-m9tkrgmc4b-72tfz worker-3 10.244.3.3",
      "shop/dns-4rxxwxq8mb-72mxb worker-1 10.244.1.3",
      "shop/dns-4rxxwxq8mb-x2564 worker-2 10.244.2.4",
      "shop/db-0 worker-3 10.244.3.4",
      "shop/db-1 worker-1 10.244.1.4",
      "shop/agent-dj5d6 worker-1 172.18.0.3",
      "shop/agent-4lb6w worker-2 172.18.0.4",
      "shop/agent-g8rns worker-3 172.18.0.5",
    ]);
  });

  it("has Services of every kind", () => {
    expect(printServices(shop)).toEqual([
      "shop/web NodePort 10.96.12.3 80:30080",
      "shop/storefront LoadBalancer 10.96.12.4 80:30081 203.0.113.10",
      "shop/cart ClusterIP 10.96.1.1 7070",
      "shop/catalog ClusterIP 10.96.1.2 80,9102",
      "shop/dns ClusterIP 10.96.12.53 53,53",
      "shop/db ClusterIP 10.96.1.3 5432",
      "shop/db-pods ClusterIP  5432",
      "shop/agent ClusterIP 10.96.1.4 9100",
      "shop/empty ClusterIP 10.96.12.99 80",
      "shop/payments ExternalName  ",
    ]);
    expect(printSlices(shop)).toEqual([
      "shop/web http=8080/TCP: 10.244.1.2 10.244.2.2 10.244.3.2",
      "shop/storefront http=8080/TCP: 10.244.1.2 10.244.2.2 10.244.3.2",
      "shop/cart =7070/TCP: 10.244.1.7",
      "shop/catalog http=8000/TCP,metrics=9102/TCP: 10.244.2.3 10.244.3.3",
      "shop/dns dns=5353/UDP,dns-tcp=5353/TCP: 10.244.1.3 10.244.2.4",
      "shop/db sql=5432/TCP: 10.244.1.4 10.244.3.4",
      "shop/db-pods sql=5432/TCP: 10.244.1.4 10.244.3.4",
      "shop/agent stats=9100/TCP: 172.18.0.3 172.18.0.4 172.18.0.5",
      "shop/empty :",
    ]);
  });
});

const KINDS = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"] as const;
const draws = fc.record({
  nodes: fc.integer({ min: 1, max: 12 }),
  given: fc.array(fc.integer({ min: 2, max: 30 }), { maxLength: 5 }),
  workloads: fc.array(fc.tuple(fc.constantFrom(...KINDS), fc.integer({ min: 0, max: 15 })), {
    maxLength: 12,
  }),
  services: fc.array(
    fc.tuple(
      fc.constantFrom("ClusterIP", "NodePort", "LoadBalancer"),
      fc.option(fc.integer({ min: 255, max: 270 })),
    ),
    { maxLength: 12 },
  ),
});
type Draw = typeof draws extends fc.Arbitrary<infer T> ? T : never;

function objectsOf({ given, workloads, services }: Draw): readonly ManifestObject[] {
  const object = (apiVersion: string, kind: string, name: string, rest: object): ManifestObject => ({
    apiVersion,
    kind,
    value: { metadata: { name }, ...rest },
    place: { object: `${kind} default/${name}` },
  });
  const offsets = new Set(services.map(([, offset]) => offset));
  return [
    ...[...new Set(given)].map((host) =>
      object("v1", "Pod", `p${host}`, { status: { podIP: `10.244.${host % 3}.${host}` } }),
    ),
    ...workloads.map(([kind, replicas], index) =>
      object("apps/v1", kind, `w${index}`, {
        spec: { replicas, template: { metadata: { labels: { w: `${index}` } } } },
      }),
    ),
    ...services.map(([type, offset], index) => {
      const clusterIP =
        offset !== null && offsets.delete(offset) ? `10.96.${offset >> 8}.${offset & 255}` : "";
      return object("v1", "Service", `s${index}`, { spec: { type, clusterIP, ports: [{ port: 80 }] } });
    }),
  ];
}

const build = (draw: Draw): Cluster => buildCluster(objectsOf(draw), { nodes: draw.nodes });
const isDistinct = (items: readonly unknown[]) => new Set(items).size === items.length;

describe("buildCluster", () => {
  it("gives every Pod and Service an address of its own, inside its network", () => {
    let made = 0;
    fc.assert(
      fc.property(draws, (draw) => {
        const { pods, nodes, services, serviceCIDRs } = build(draw);
        expect(isDistinct(pods.flatMap(({ podIPs }) => podIPs))).toBe(true);
        expect(isDistinct(pods.map(({ namespace, name }) => `${namespace}/${name}`))).toBe(true);
        expect(isDistinct(services.flatMap(({ clusterIPs }) => clusterIPs))).toBe(true);
        const nodePorts = services
          .flatMap(({ ports }) => ports.map(({ nodePort }) => nodePort))
          .filter(Boolean);
        expect(isDistinct(nodePorts)).toBe(true);
        expect(nodePorts.every((port) => port >= 30000 && port <= 32767)).toBe(true);
        for (const { podIPs, nodeName, name } of pods.filter((pod) => pod.name.startsWith("w"))) {
          const podCIDR = nodes.find((node) => node.name === nodeName)?.podCIDRs[0];
          expect(
            podCIDR !== undefined && podIPs.length === 1 && prefixContains(podCIDR, podIPs[0] ?? 0),
            name,
          ).toBe(true);
          expect((Number(podIPs[0]) & 255) > 1 && (Number(podIPs[0]) & 255) < 255).toBe(true);
          made++;
        }
        for (const { clusterIPs } of services) {
          expect(
            clusterIPs.length === 1 && serviceCIDRs.some((cidr) => prefixContains(cidr, clusterIPs[0] ?? 0)),
          ).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
    expect(made).toBeGreaterThan(1000);
  });

  it("gives equal clusters for equal input, and moves nothing for what is added at the end", () => {
    fc.assert(
      fc.property(draws, (draw) => {
        const cluster = build(draw);
        expect(build(draw)).toEqual(cluster);
        const more = build({
          ...draw,
          workloads: [...draw.workloads, ["Deployment", 3]],
          services: [...draw.services, ["NodePort", null]],
        });
        expect(more.pods.slice(0, cluster.pods.length)).toEqual(cluster.pods);
        expect(more.services.slice(0, cluster.services.length)).toEqual(cluster.services);
        expect(more.nodes).toEqual(cluster.nodes);
      }),
      { numRuns: 60 },
    );
  });

  it("spreads the Pods of a workload, and all Pods, evenly", () => {
    fc.assert(
      fc.property(draws, (draw) => {
        const { pods, nodes } = build({ ...draw, given: [] });
        const loads = (prefix: string) =>
          nodes.map(
            ({ name }) => pods.filter((pod) => pod.nodeName === name && pod.name.startsWith(prefix)).length,
          );
        const spread = (counts: readonly number[]) => Math.max(...counts) - Math.min(...counts);
        expect(spread(loads("w"))).toBeLessThanOrEqual(1);
        draw.workloads.forEach((_, index) => {
          expect(spread(loads(`w${index}-`))).toBeLessThanOrEqual(1);
        });
      }),
      { numRuns: 60 },
    );
  });
});
