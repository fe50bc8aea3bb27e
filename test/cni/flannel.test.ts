import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type FlannelOptions, flannel } from "../../src/cni/flannel.js";
import { printDiagnostic } from "../../src/diagnostics.js";
import type { Cluster } from "../../src/model/cluster.js";
import { type Ip4, printIp, printIp4 } from "../../src/net/ip.js";
import { printMac } from "../../src/net/mac.js";
import { prefixContains } from "../../src/net/prefix.js";
import { printNeighbours } from "../../src/ruleset/neighbours.js";
import { type Interface, printRoutes } from "../../src/ruleset/routes.js";
import { printFdb } from "../../src/ruleset/vxlan.js";
import { ip } from "../proxy/cluster-of.js";
import { clusterWith, node, pod } from "./small-cluster.js";

const KIND = clusterWith(
  [
    node("worker-1", "172.18.0.3", "10.244.1.0/24"),
    node("worker-2", "172.18.0.4", "10.244.2.0/24"),
    node("worker-3", "172.18.0.5", "10.244.3.0/24"),
  ],
  [
    pod("shop/cart", "worker-1", "10.244.1.7"),
    pod("kube-system/proxy", "worker-1", "172.18.0.3", true),
    pod("shop/web", "worker-2", "10.244.2.9"),
  ],
);

function on(name: string, cluster: Cluster = KIND, options: FlannelOptions = {}) {
  const self = cluster.nodes.find((candidate) => candidate.name === name);
  if (self === undefined) throw new Error(`no node ${name}`);
  return flannel(cluster, self, options);
}

function printInterface({ name, kind, mac, mtu, addresses, vxlan }: Interface): string {
  const where = addresses.map(({ address, length }) => `${printIp(address)}/${length}`).join(",");
  const tunnel =
    vxlan === undefined ? "" : ` id ${vxlan.vni} port ${vxlan.port} local ${printIp(vxlan.local)}`;
  return `${name} ${kind} ${printMac(mac)} mtu ${mtu} ${where}${tunnel}`;
}

const warnings = (found: ReturnType<typeof on>) =>
  found.diagnostics.filter(({ severity }) => severity === "warning").map(printDiagnostic);

describe("flannel over VXLAN", () => {
  it("leaves the interfaces that a node of kind has", () => {
    expect(on("worker-1").interfaces.map(printInterface)).toEqual([
      "lo loopback 00:00:00:00:00:00 mtu 65536 127.0.0.1/8",
      "eth0 uplink 02:42:ac:12:00:03 mtu 1500 172.18.0.3/16",
      "cni0 bridge 0a:58:0a:f4:01:01 mtu 1450 10.244.1.1/24",
      "flannel.1 vxlan 0e:f1:0a:f4:01:00 mtu 1450 10.244.1.0/32 id 1 port 8472 local 172.18.0.3",
    ]);
  });

  it("leaves the routes, neighbours and forwarding entries", () => {
    const { routes, neighbours, fdb } = on("worker-1");
    expect(printRoutes(routes)).toBe(`\
default via 172.18.0.1 dev eth0
10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1
10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink
10.244.3.0/24 via 10.244.3.0 dev flannel.1 onlink
172.18.0.0/16 dev eth0 proto kernel scope link src 172.18.0.3
`);
    expect(printNeighbours(neighbours)).toBe(`\
172.18.0.1 dev eth0 lladdr 02:42:ac:12:00:01 PERMANENT
172.18.0.4 dev eth0 lladdr 02:42:ac:12:00:04 PERMANENT
172.18.0.5 dev eth0 lladdr 02:42:ac:12:00:05 PERMANENT
10.244.1.7 dev cni0 lladdr 0a:58:0a:f4:01:07 PERMANENT
10.244.2.0 dev flannel.1 lladdr 0e:f1:0a:f4:02:00 PERMANENT
10.244.3.0 dev flannel.1 lladdr 0e:f1:0a:f4:03:00 PERMANENT
`);
    expect(printFdb(fdb)).toBe(`\
0e:f1:0a:f4:02:00 dev flannel.1 dst 172.18.0.4 self permanent
0e:f1:0a:f4:03:00 dev flannel.1 dst 172.18.0.5 self permanent
`);
  });

  it("names every address people may meet; hostNetwork Pods go by their node's", () => {
    const { names } = on("worker-1");
    expect(Object.fromEntries(Array.from(names, ([address, name]) => [printIp(address), name]))).toEqual({
      "172.18.0.1": "gateway",
      "172.18.0.3": "node/worker-1",
      "172.18.0.4": "node/worker-2",
      "172.18.0.5": "node/worker-3",
      "10.244.1.0": "vtep/worker-1",
      "10.244.2.0": "vtep/worker-2",
      "10.244.3.0": "vtep/worker-3",
      "10.244.1.1": "bridge/worker-1",
      "10.244.2.1": "bridge/worker-2",
      "10.244.3.1": "bridge/worker-3",
      "10.244.1.7": "pod/shop/cart",
      "10.244.2.9": "pod/shop/web",
    });
  });

  it("has nothing to warn of where every Pod has an address of its node's podCIDR, or its node's own", () => {
    expect(warnings(on("worker-1"))).toEqual([]);
  });

  it("calls the device by the VNI", () => {
    const { interfaces, fdb } = on("worker-1", KIND, { vni: 7, port: 4789 });
    expect(interfaces.at(-1)).toMatchObject({ name: "flannel.7", vxlan: { vni: 7, port: 4789 } });
    expect(fdb.map(({ dev }) => dev)).toEqual(["flannel.7", "flannel.7"]);
  });
});

describe("flannel with host-gw", () => {
  it("routes to the nodes themselves and has no tunnel", () => {
    const { interfaces, routes, neighbours, fdb, names } = on("worker-2", KIND, { backend: "host-gw" });
    expect(interfaces.map(({ name, mtu }) => `${name} ${mtu}`)).toEqual([
      "lo 65536",
      "eth0 1500",
      "cni0 1500",
    ]);
    expect(printRoutes(routes)).toContain("10.244.1.0/24 via 172.18.0.3 dev eth0\n");
    expect(neighbours.filter(({ dev }) => dev !== "eth0").map(({ address }) => address)).toEqual([
      ip("10.244.2.9"),
    ]);
    expect(fdb).toEqual([]);
    expect(names.has(ip("10.244.1.0"))).toBe(false);
  });

  it("warns of nodes in another subnet", () => {
    const apart = clusterWith([
      node("a", "192.168.1.4", "10.244.1.0/24"),
      node("b", "10.20.1.4", "10.244.2.0/24"),
    ]);
    const found = on("a", apart, { backend: "host-gw" });
    expect(warnings(found)).toEqual([
      "Node b: status.addresses: is outside of the subnet 192.168.1.0/24; host-gw gets no route to its Pods.",
    ]);
    expect(printRoutes(found.routes)).not.toContain("10.244.2.0");
  });
});

const DUAL = clusterWith(
  [
    node("worker-1", "172.18.0.3 fc00:f853:ccd:e793::3", "10.244.1.0/24 fd00:10:244:1::/64"),
    node("worker-2", "172.18.0.4 fc00:f853:ccd:e793::4", "10.244.2.0/24 fd00:10:244:2::/64"),
  ],
  [
    pod("shop/cart", "worker-1", "10.244.1.7 fd00:10:244:1::7"),
    pod("shop/web", "worker-2", "fd00:10:244:2::9 10.244.2.9"),
  ],
);

describe("flannel of two families", () => {
  it("gives devices an address of each, and one MAC address", () => {
    expect(on("worker-1", DUAL).interfaces.map(printInterface)).toEqual([
      "lo loopback 00:00:00:00:00:00 mtu 65536 127.0.0.1/8,::1/128",
      "eth0 uplink 02:42:ac:12:00:03 mtu 1500 172.18.0.3/16,fc00:f853:ccd:e793::3/64",
      "cni0 bridge 0a:58:0a:f4:01:01 mtu 1450 10.244.1.1/24,fd00:10:244:1::1/64",
      "flannel.1 vxlan 0e:f1:0a:f4:01:00 mtu 1450 10.244.1.0/32 id 1 port 8472 local 172.18.0.3",
    ]);
  });

  it("routes IPv6 to the nodes themselves, and says so", () => {
    const { routes, neighbours, names, diagnostics } = on("worker-1", DUAL);
    expect(printRoutes(routes)).toBe(`\
default via 172.18.0.1 dev eth0
10.244.1.0/24 dev cni0 proto kernel scope link src 10.244.1.1
10.244.2.0/24 via 10.244.2.0 dev flannel.1 onlink
172.18.0.0/16 dev eth0 proto kernel scope link src 172.18.0.3
fc00:f853:ccd:e793::/64 dev eth0 proto kernel metric 256 pref medium
fd00:10:244:1::/64 dev cni0 proto kernel metric 256 pref medium
fd00:10:244:2::/64 via fc00:f853:ccd:e793::4 dev eth0 metric 1024 pref medium
default via fc00:f853:ccd:e793::1 dev eth0 metric 1024 pref medium
`);
    expect(printNeighbours(neighbours.filter(({ address }) => typeof address === "bigint"))).toBe(`\
fc00:f853:ccd:e793::1 dev eth0 lladdr 02:42:00:00:00:01 PERMANENT
fc00:f853:ccd:e793::4 dev eth0 lladdr 02:42:ac:12:00:04 PERMANENT
fd00:10:244:1::7 dev cni0 lladdr 0a:58:0a:f4:01:07 PERMANENT
`);
    expect(names.get(ip("fd00:10:244:2::9"))).toBe("pod/shop/web");
    expect(names.get(ip("fd00:10:244:2::1"))).toBe("bridge/worker-2");
    expect(diagnostics.map(printDiagnostic)).toContain(
      "flannel: Backend: VXLAN over IPv6 is not modelled: IPv6 to other nodes goes by routes, as with host-gw.",
    );
    expect(on("worker-1", DUAL, { backend: "host-gw" }).diagnostics).toHaveLength(1);
  });

  it("may be IPv6 alone", () => {
    const cluster = clusterWith(
      [node("a", "2001:db8::a", "fd00:1::/64"), node("b", "2001:db8::b", "fd00:2::/64")],
      [pod("shop/cart", "a", "fd00:1::7")],
    );
    const { interfaces, neighbours, families } = on("a", cluster);
    expect(families).toEqual([6]);
    expect(interfaces.map(printInterface)).toEqual([
      "lo loopback 00:00:00:00:00:00 mtu 65536 ::1/128",
      "eth0 uplink 02:42:00:00:00:0a mtu 1500 2001:db8::a/64",
      "cni0 bridge 0a:58:00:00:00:01 mtu 1500 fd00:1::1/64",
    ]);
    expect(printNeighbours(neighbours)).toContain("fd00:1::7 dev cni0 lladdr 0a:58:00:00:00:07");
  });

  it("has further addresses on the uplink", () => {
    const self = DUAL.nodes[0];
    if (self === undefined) throw new Error("no node");
    const { interfaces, names } = flannel(DUAL, self, {}, [ip("203.0.113.9"), ip("2001:db8::9")]);
    expect(interfaces.map(printInterface)[1]).toBe(
      "eth0 uplink 02:42:ac:12:00:03 mtu 1500 172.18.0.3/16,fc00:f853:ccd:e793::3/64,203.0.113.9/32,2001:db8::9/128",
    );
    expect(names.get(ip("2001:db8::9"))).toBe("node/worker-1");
  });
});

describe("the nodes' subnet", () => {
  const subnetOf = (...addresses: readonly string[]) => {
    const nodes = addresses.map((address, index) => node(`n${index}`, address, `10.244.${index}.0/24`));
    const { routes, interfaces } = on("n0", clusterWith(nodes));
    const eth0 = interfaces.find(({ name }) => name === "eth0")?.addresses[0];
    return `/${eth0?.length} via ${printIp(routes[0]?.via ?? 0)}`;
  };

  it("is kind's /16, or the longest prefix up to /24 that holds every node", () => {
    expect(subnetOf("172.18.0.2", "172.18.3.2")).toBe("/16 via 172.18.0.1");
    expect(subnetOf("192.168.1.10")).toBe("/24 via 192.168.1.1");
    expect(subnetOf("192.168.1.10", "192.168.1.200")).toBe("/24 via 192.168.1.1");
    expect(subnetOf("192.168.1.10", "192.168.2.10")).toBe("/22 via 192.168.0.1");
  });

  it("is a /24 where the nodes are far apart, or where the prefix would swallow Pods or Services", () => {
    expect(subnetOf("192.168.1.10", "10.0.0.1")).toBe("/24 via 192.168.1.1");
    expect(subnetOf("192.168.1.10", "130.0.0.1")).toBe("/24 via 192.168.1.1");
    expect(subnetOf("10.0.0.10", "10.250.0.10")).toBe("/24 via 10.0.0.1");
  });

  it("has its gateway on the first address that no node has", () => {
    expect(subnetOf("192.168.1.1", "192.168.1.2")).toBe("/24 via 192.168.1.3");
  });
});

describe("what flannel refuses or warns of", () => {
  it("a node without an address of its podCIDR's family", () => {
    const cluster = clusterWith([node("six", "fd00::5", "10.244.1.0/24")]);
    expect(() => on("six", cluster)).toThrow(
      "Node six: status.addresses: no InternalIP of its podCIDR's family: give the node one.",
    );
  });

  it("a node that has one of two things of a family", () => {
    const cluster = clusterWith([node("a", "10.0.0.1", "10.244.0.0/24 fd00:244::/64")]);
    expect(warnings(on("a", cluster))).toEqual([
      "Node a: status.addresses: none of IPv6: the node's network is without that family.",
    ]);
  });

  it("a node without a podCIDR, or with one too small", () => {
    expect(() => on("a", clusterWith([node("a", "10.0.0.1")]))).toThrow(
      "Node a: spec.podCIDR: flannel needs a podCIDR: give the node one, such as 10.244.0.0/24.",
    );
    expect(() => on("a", clusterWith([node("a", "10.0.0.1", "10.244.0.0/31")]))).toThrow("/30 or larger");
    expect(() => on("a", clusterWith([node("a", "fd00::1", "fd00:1::/127")]))).toThrow("/126 or larger");
  });

  it("other nodes that lack one", () => {
    const cluster = clusterWith([node("a", "10.0.0.1", "10.244.0.0/24"), node("b", "10.0.0.2")]);
    expect(warnings(on("a", cluster))).toEqual([
      "Node b: spec.podCIDR: none of IPv4; Node a gets no route to its Pods.",
    ]);
  });

  it("Pods with addresses outside of the podCIDR", () => {
    const nodes = [node("a", "10.0.0.1", "10.244.0.0/24")];
    const found = on("a", clusterWith(nodes, [pod("x/y", "a", "10.9.8.7"), pod("x/z", "a", "10.244.0.9")]));
    expect(warnings(found)).toEqual([
      "Node a: spec.podCIDR: Pods of the node have addresses outside of 10.244.0.0/24 (1, the first 10.9.8.7); " +
        "the bridge does not reach them.",
    ]);
    expect(found.neighbours.filter(({ dev }) => dev === "cni0")).toHaveLength(1);
  });
});

describe("laws of a flannel network", () => {
  const addresses = fc.uniqueArray(fc.integer({ min: 0, max: 65533 }), { minLength: 2, maxLength: 12 });

  it("every Pod is one longest-prefix match, one neighbour and at most one FDB entry away", () => {
    let remote = 0;
    fc.assert(
      fc.property(addresses, fc.nat(250), (hosts, pick) => {
        const nodes = hosts.map((host, index) =>
          node(`n${index}`, printIp4(0xac120000 + host + 1), `10.244.${index}.0/24`),
        );
        const pods = nodes.map((owner, index) =>
          pod(`p/${index}`, owner.name, `10.244.${index}.${pick + 2}`),
        );
        const cluster = clusterWith(nodes, pods);
        for (const self of nodes) {
          const { routes, neighbours, fdb } = flannel(cluster, self);
          for (const target of pods) {
            const dst = target.podIPs[0] as Ip4;
            const route = routes
              .filter(({ prefix }) => prefixContains(prefix, dst))
              .reduce((best, next) => (next.prefix.length > best.prefix.length ? next : best));
            const hop = route.via ?? dst;
            const found = neighbours.filter(({ address, dev }) => address === hop && dev === route.dev);
            expect(found).toHaveLength(1);
            const tunnels = fdb.filter(({ mac, dev }) => mac === found[0]?.mac && dev === route.dev);
            const owner = nodes.find(({ name }) => name === target.nodeName);
            expect(tunnels.map(({ dst }) => dst)).toEqual(owner === self ? [] : owner?.internalIPs);
            remote += tunnels.length;
          }
        }
      }),
      { numRuns: 30 },
    );
    expect(remote).toBeGreaterThan(30);
  });
});
