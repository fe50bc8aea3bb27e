import { describe, expect, it } from "vitest";
import { syntheticCluster } from "../../src/model/synthetic.js";
import { prefixContains, printPrefix } from "../../src/net/prefix.js";
import { printNodes, printPods, printServices, printSlices, sentencesOf } from "./yaml.js";

describe("syntheticCluster", () => {
  it("deals the endpoints of Services over the Nodes", () => {
    const cluster = syntheticCluster({ services: 2, endpoints: 2 });
    expect(printNodes(cluster)).toEqual([
      "worker-1 172.18.0.2 10.244.0.0/24",
      "worker-2 172.18.0.3 10.244.1.0/24",
      "worker-3 172.18.0.4 10.244.2.0/24",
    ]);
    expect(printServices(cluster)).toEqual([
      "scale/svc-00001 ClusterIP 10.96.1.1 80",
      "scale/svc-00002 ClusterIP 10.96.1.2 80",
    ]);
    expect(printPods(cluster)).toEqual([
      "scale/svc-00001-0 worker-1 10.244.0.2",
      "scale/svc-00001-1 worker-2 10.244.1.2",
      "scale/svc-00002-0 worker-3 10.244.2.2",
      "scale/svc-00002-1 worker-1 10.244.0.3",
    ]);
    expect(printSlices(cluster)).toEqual([
      "scale/svc-00001 =8080/TCP: 10.244.0.2 10.244.1.2",
      "scale/svc-00002 =8080/TCP: 10.244.0.3 10.244.2.2",
    ]);
  });

  it.each([
    { services: 3, endpoints: 250, nodes: 3 },
    { services: 500, endpoints: 4, nodes: 3, seed: 1 },
    { services: 10, endpoints: 3, nodes: 300, seed: 2 },
    { services: 0, endpoints: 4 },
    { services: 4, endpoints: 0 },
  ])("gives distinct addresses inside the networks: %o", (options) => {
    const { nodes, pods, services, endpointSlices, clusterCIDRs, serviceCIDRs } = syntheticCluster(options);
    const podIPs = pods.flatMap((pod) => pod.podIPs);
    const clusterIPs = services.flatMap((service) => service.clusterIPs);
    expect(new Set(podIPs).size).toBe(options.services * options.endpoints);
    expect(new Set(clusterIPs).size).toBe(options.services);
    const podCIDRs = new Map(nodes.map((node) => [node.name, node.podCIDRs]));
    const inside = pods.every((pod) =>
      podCIDRs.get(pod.nodeName)?.every((cidr) => prefixContains(cidr, pod.podIPs[0] ?? 0)),
    );
    expect(inside).toBe(true);
    const isWithin = (ip: number | bigint) => clusterCIDRs.some((cidr) => prefixContains(cidr, ip));
    expect(podIPs.every(isWithin)).toBe(true);
    expect(clusterIPs.every((ip) => serviceCIDRs.some((cidr) => prefixContains(cidr, ip)))).toBe(true);
    expect(endpointSlices.every((slice) => slice.endpoints.length <= 100)).toBe(true);
    expect(endpointSlices.flatMap((slice) => slice.endpoints.map(({ address }) => address)).length).toBe(
      podIPs.length,
    );
  });

  it("takes larger podCIDRs for more endpoints: a /15 for 250,000 on three Nodes", () => {
    const { nodes, pods, services, clusterCIDRs } = syntheticCluster({
      services: 5000,
      endpoints: 50,
      seed: 3,
    });
    expect(clusterCIDRs.map(printPrefix)).toEqual(["10.128.0.0/9"]);
    expect(nodes.flatMap(({ podCIDRs }) => podCIDRs.map(printPrefix))).toEqual([
      "10.128.0.0/15",
      "10.130.0.0/15",
      "10.132.0.0/15",
    ]);
    expect(new Set(pods.map(({ podIPs }) => podIPs[0])).size).toBe(250_000);
    expect(new Set(services.map(({ clusterIPs }) => clusterIPs[0])).size).toBe(5000);
  });

  it("scatters ClusterIPs by the seed, the same each time, and keeps them when Services are added", () => {
    const ips = (seed: number, services = 20) =>
      syntheticCluster({ services, endpoints: 1, seed }).services.map(({ clusterIPs }) => clusterIPs[0]);
    expect(ips(1)).toEqual(ips(1));
    expect(ips(1)).not.toEqual(ips(2));
    expect(ips(1, 40).slice(0, 20)).toEqual(ips(1));
    const halves = ips(1, 1000).filter((ip) => Number(ip) < 0x0a680000).length;
    expect(halves).toBeGreaterThan(400);
    expect(halves).toBeLessThan(600);
  });

  it("refuses numbers that do not fit", () => {
    expect(sentencesOf(() => syntheticCluster({ services: -1, endpoints: 4 }))).toEqual([
      "services: -1 is not a whole number from 0 to 1000000.",
    ]);
    expect(sentencesOf(() => syntheticCluster({ services: 1, endpoints: 4, nodes: 0 }))).toEqual([
      "nodes: 0 is not a whole number from 1 to 1000000.",
    ]);
    expect(sentencesOf(() => syntheticCluster({ services: 1_000_000, endpoints: 100 }))[0]).toMatch(
      /do not fit in 10\.128\.0\.0\/9/,
    );
  });
});
