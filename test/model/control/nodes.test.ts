import { describe, expect, it } from "vitest";
import { parseIp } from "../../../src/net/ip.js";
import { parsePrefix, prefixContains, prefixOverlaps, printPrefix } from "../../../src/net/prefix.js";
import { clusterOf, notesOf, printNodes, printPods, refusalOf } from "../yaml.js";

const networks = (yaml: string) => clusterOf(yaml).clusterCIDRs.map(printPrefix);
const prefix = (text: string) => {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
};

describe("Nodes", () => {
  it("are three where none is given, as kind makes them", () => {
    const cluster = clusterOf("");
    expect(printNodes(cluster)).toEqual([
      "worker-1 172.18.0.2 10.244.0.0/24",
      "worker-2 172.18.0.3 10.244.1.0/24",
      "worker-3 172.18.0.4 10.244.2.0/24",
    ]);
    expect(cluster.clusterCIDRs.map(printPrefix)).toEqual(["10.244.0.0/16"]);
    expect(cluster.nodes[0]?.labels.get("kubernetes.io/os")).toBe("linux");
    expect(cluster.namespaces).toEqual(["default"]);
  });

  it("keep their addresses when more are asked for, also past 256", () => {
    const few = printNodes(clusterOf("", { nodes: 5 }));
    const many = clusterOf("", { nodes: 3000 });
    expect(printNodes(many).slice(0, 5)).toEqual(few);
    expect(many.clusterCIDRs.map(printPrefix)).toEqual(["10.240.0.0/12"]);
    expect(printNodes(many)[300]).toBe("worker-301 172.18.1.46 10.245.44.0/24");
    const podCIDRs = many.nodes.flatMap((node) => node.podCIDRs.map(printPrefix));
    expect(new Set(podCIDRs).size).toBe(3000);
    for (const node of many.nodes) {
      expect(node.podCIDRs.every(({ address }) => prefixContains(prefix("10.240.0.0/12"), address))).toBe(
        true,
      );
    }
  });

  it("share a small clusterCIDR, as far as it goes", () => {
    expect(printNodes(clusterOf("", { clusterCIDR: prefix("10.0.0.0/25"), nodes: 5 }))).toEqual([
      "worker-1 172.18.0.2 10.0.0.0/28",
      "worker-2 172.18.0.3 10.0.0.16/28",
      "worker-3 172.18.0.4 10.0.0.32/28",
      "worker-4 172.18.0.5 10.0.0.48/28",
      "worker-5 172.18.0.6 10.0.0.64/28",
    ]);
    expect(refusalOf("", { clusterCIDR: prefix("10.0.0.0/26"), nodes: 5 })).toEqual([
      "Node worker-5: has no podCIDR, and 10.0.0.0/26 has no room for another: widen the clusterCIDR.",
    ]);
  });

  it("are told of where they are made", () => {
    const told = (yaml: string, nodes?: number) =>
      clusterOf(yaml, nodes === undefined ? {} : { nodes }).diagnostics.map(
        ({ severity, message }) => `${severity}: ${message}`,
      );
    expect(told("")).toEqual(["note: no Node is given: made 3 (worker-1 … worker-3)."]);
    expect(told("", 2)).toEqual(["note: no Node is given: made 2 (worker-1, worker-2)."]);
    expect(told("", 1)).toEqual(["note: no Node is given: made 1 (worker-1)."]);
    const node = "apiVersion: v1\nkind: Node\nmetadata: { name: a }\n";
    expect(told(node)).toEqual([]);
    expect(told(node, 5)).toEqual(["note: 1 Node is given: no others are made, though 5 were asked for."]);
  });

  it("have the families of the networks that are asked for", () => {
    const dual = clusterOf("", {
      nodes: 2,
      clusterCIDR: "10.50.0.0/16,fd00:50::/56",
      serviceCIDR: "fd00:96::/112",
    });
    expect(printNodes(dual)).toEqual([
      "worker-1 172.18.0.2,fc00:f853:ccd:e793::2 10.50.0.0/24,fd00:50::/64",
      "worker-2 172.18.0.3,fc00:f853:ccd:e793::3 10.50.1.0/24,fd00:50:0:1::/64",
    ]);
    expect(dual.clusterCIDRs.map(printPrefix)).toEqual(["10.50.0.0/16", "fd00:50::/56"]);
    expect(dual.serviceCIDRs.map(printPrefix)).toEqual(["fd00:96::/112", "10.96.0.0/12"]);
  });

  it("have IPv6 alone where nothing else is given", () => {
    const slice = `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: web-1, labels: { kubernetes.io/service-name: web } }
addressType: IPv6
endpoints: [{ addresses: ["fd00:10:244:9::7"], nodeName: six }]
ports: [{ name: http, port: 80 }]
`;
    expect(printNodes(clusterOf(slice))).toEqual(["six fc00:f853:ccd:e793::2 fd00:10:244::/64"]);
    const node = `apiVersion: v1
kind: Node
metadata: { name: six }
status: { addresses: [{ type: InternalIP, address: "2001:db8::6" }] }
`;
    expect(printNodes(clusterOf(node))).toEqual(["six 2001:db8::6 fd00:10:244::/64"]);
    const pod = `---
apiVersion: v1
kind: Pod
metadata: { name: a }
spec: { nodeName: six }
status: { podIPs: [{ ip: "fd00:7:8:9::7" }] }
`;
    expect(printNodes(clusterOf(node + pod))).toEqual(["six 2001:db8::6 fd00:7:8:9::/64"]);
  });

  it("may be fewer than endpoints name: those of others are remote", () => {
    const yaml = `apiVersion: v1
kind: Node
metadata: { name: a }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: web-1, labels: { kubernetes.io/service-name: web } }
addressType: IPv4
endpoints: [{ addresses: [10.244.9.7], nodeName: elsewhere, targetRef: { kind: Pod, name: gone } }]
ports: [{ name: http, port: 80 }]
`;
    const cluster = clusterOf(yaml);
    expect(printNodes(cluster)).toEqual(["a 172.18.0.2 10.244.0.0/24"]);
    expect(cluster.endpointSlices[0]?.endpoints[0]?.nodeName).toBe("elsewhere");
    expect(notesOf(cluster)).toEqual([]);
  });

  it("that are given get what they lack, and no others are made", () => {
    const cluster = clusterOf(
      `
apiVersion: v1
kind: Node
metadata: { name: a }
---
apiVersion: v1
kind: Node
metadata: { name: b }
spec: { podCIDR: 10.244.0.0/24 }
status: { addresses: [{ type: Hostname, address: b }, { type: InternalIP, address: 172.18.0.2 }, { type: ExternalIP, address: 192.0.2.1 }] }
---
apiVersion: v1
kind: Node
metadata: { name: c }
spec: { podCIDRs: [10.244.2.0/24, "fd00:244::/64"] }
`,
      { nodes: 9 },
    );
    expect(printNodes(cluster)).toEqual([
      "a 172.18.0.3 10.244.1.0/24",
      "b 172.18.0.2 10.244.0.0/24",
      "c 172.18.0.4,fc00:f853:ccd:e793::2 10.244.2.0/24,fd00:244::/64",
    ]);
    expect(cluster.nodes[1]?.externalIPs).toEqual([parseIp("192.0.2.1")]);
    expect(cluster.clusterCIDRs.map(printPrefix)).toEqual(["10.244.0.0/16", "fd00:244::/56"]);
    expect(notesOf(cluster)).toEqual([
      "note: 3 Nodes are given: no others are made, though 9 were asked for.",
    ]);
  });

  it("are made where only Pods name them, with the hostIP and the /24 of their Pods", () => {
    const pod = (name: string, nodeName: string, podIP: string, hostIP: string) =>
      `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\nspec: { nodeName: ${nodeName} }\nstatus: { podIP: ${podIP}, hostIP: ${hostIP} }\n`;
    const pods = [
      pod("p", "vm2", "10.242.1.4", "10.241.0.21"),
      pod("q", "vm1", "10.242.0.5", "10.241.0.20"),
      pod("r", "vm1", "10.242.0.6", "10.241.0.20"),
      pod("s", "vm3", "10.242.7.6", "10.241.0.22"),
      pod("t", "vm3", "10.242.8.6", "10.241.0.22"),
    ].join("---\n");
    const cluster = clusterOf(pods, { nodes: 4 });
    expect(printNodes(cluster)).toEqual([
      "vm1 10.241.0.20 10.242.0.0/24",
      "vm2 10.241.0.21 10.242.1.0/24",
      "vm3 10.241.0.22 10.244.0.0/24",
      "worker-1 172.18.0.2 10.244.1.0/24",
    ]);
    expect(printPods(cluster)[0]).toBe("default/p vm2 10.242.1.4");
    expect(notesOf(cluster)).toEqual([
      "warning: t.yaml: document 4: Pod default/s: status.podIPs: 10.242.7.6 lies outside the podCIDRs of Node vm3, 10.244.0.0/24 (and 1 more of its Pods): no route leads there.",
    ]);
    const shared = [pod("p", "vm1", "10.242.0.4", "10.241.0.1"), pod("q", "vm2", "10.242.0.5", "10.241.0.2")];
    expect(printNodes(clusterOf(shared.join("---\n")))).toEqual([
      "vm1 10.241.0.1 10.244.0.0/24",
      "vm2 10.241.0.2 10.244.1.0/24",
    ]);
    expect(printNodes(clusterOf(pods)).map((line) => line.split(" ")[0])).toEqual(["vm1", "vm2", "vm3"]);
  });

  it("give the cluster a Pod network around their podCIDRs that holds no Node and no Service", () => {
    const node = (podCIDR: string, ip: string) =>
      `apiVersion: v1\nkind: Node\nmetadata: { name: a }\nspec: { podCIDR: ${podCIDR} }\nstatus: { addresses: [{ type: InternalIP, address: ${ip} }] }\n`;
    expect(networks(node("10.42.3.0/24", "192.168.0.1"))).toEqual(["10.42.0.0/16"]);
    expect(networks(node("10.42.3.0/24", "10.42.200.1"))).toEqual(["10.42.3.0/24"]);
    expect(networks(node("10.0.0.0/14", "192.168.0.1"))).toEqual(["10.0.0.0/14"]);
    const service =
      "---\napiVersion: v1\nkind: Service\nmetadata: { name: s }\nspec: { clusterIP: 10.42.128.1, ports: [{ port: 1 }] }\n";
    const cluster = clusterOf(node("10.42.3.0/24", "192.168.0.1") + service);
    expect(cluster.clusterCIDRs.map(printPrefix)).toEqual(["10.42.3.0/24"]);
    expect(cluster.serviceCIDRs.map(printPrefix)).toEqual(["10.42.128.0/20"]);
  });

  it("have one Pod network around them all, where no Node and no Service lies between", () => {
    const node = (name: string, podCIDR: string, ip: string) =>
      `---\napiVersion: v1\nkind: Node\nmetadata: { name: ${name} }\nspec: { podCIDR: "${podCIDR}" }\nstatus: { addresses: [{ type: InternalIP, address: "${ip}" }] }\n`;
    const both = (a: string, b: string, ip: string) =>
      networks(node("a", a, ip) + node("b", b, "192.168.0.2"));
    expect(both("10.4.0.0/24", "10.5.0.0/24", "192.168.0.1")).toEqual(["10.4.0.0/15"]);
    expect(both("10.42.3.0/24", "10.42.4.0/24", "10.42.200.1")).toEqual(["10.42.0.0/21"]);
    expect(both("10.4.0.0/24", "10.7.0.0/24", "10.6.0.1")).toEqual(["10.4.0.0/16", "10.7.0.0/16"]);
    const six = node("a", "fd01:1::/64", "2001:db8::1") + node("b", "fd01:2::/64", "2001:db8::2");
    expect(networks(six)).toEqual(["fd01::/30"]);
  });

  it("keep clear of a Service network that their podCIDRs lie in", () => {
    const node =
      "apiVersion: v1\nkind: Node\nmetadata: { name: a }\nspec: { podCIDR: 10.100.3.0/24 }\nstatus: { addresses: [{ type: InternalIP, address: 192.168.0.1 }] }\n";
    const { clusterCIDRs, serviceCIDRs } = clusterOf(node);
    expect(serviceCIDRs.map(printPrefix)).toEqual(["10.43.0.0/16"]);
    expect(clusterCIDRs.some((a) => serviceCIDRs.some((b) => prefixOverlaps(a, b)))).toBe(false);
  });
});
