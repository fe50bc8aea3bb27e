import { describe, expect, it } from "vitest";
import { clusterOf, notesOf, refusalOf } from "./yaml.js";

const node = (name: string, podCIDR: string, ip: string) =>
  `apiVersion: v1\nkind: Node\nmetadata: { name: ${name} }\nspec: { podCIDR: ${podCIDR} }\nstatus: { addresses: [{ type: InternalIP, address: ${ip} }] }\n`;
const service = (name: string, spec: string) =>
  `apiVersion: v1\nkind: Service\nmetadata: { name: ${name}, namespace: shop }\nspec: { ports: [{ port: 80 }], ${spec} }\n`;
const pod = (name: string, spec: string, status = "{}") =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\nspec: ${spec}\nstatus: ${status}\n`;
const all = (...documents: string[]) => documents.join("---\n");

describe("what must hold between objects", () => {
  it("is that podCIDRs do not overlap", () => {
    const nodes = all(
      node("a", "10.244.0.0/16", "172.18.0.2"),
      node("b", "10.245.0.0/24", "172.18.0.3"),
      node("c", "10.244.9.0/24", "172.18.0.4"),
      node("d", "10.244.9.128/25", "172.18.0.5"),
    );
    expect(refusalOf(nodes)).toEqual([
      "t.yaml: document 3: Node c: spec.podCIDRs: 10.244.9.0/24 overlaps 10.244.0.0/16 of Node a: give each Node a network of its own.",
      "t.yaml: document 4: Node d: spec.podCIDRs: 10.244.9.128/25 overlaps 10.244.0.0/16 of Node a: give each Node a network of its own.",
    ]);
    expect(refusalOf(node("a", "10.244.1.5/24", "172.18.0.2"))).toEqual([
      "t.yaml: document 1: Node a: spec.podCIDR: «10.244.1.5/24» is not a network without host bits, such as 10.244.1.0/24.",
    ]);
  });

  it("is that podCIDRs do not meet in a single address, while they may touch", () => {
    const nodes = (second: string) =>
      all(node("a", "10.244.0.0/24", "172.18.0.2"), node("b", second, "172.18.0.3"));
    expect(refusalOf(nodes("10.244.0.255/32"))).toHaveLength(1);
    expect(clusterOf(nodes("10.244.1.0/24")).nodes).toHaveLength(2);
  });

  it("is that addresses have one owner", () => {
    expect(
      refusalOf(all(node("a", "10.244.0.0/24", "172.18.0.2"), node("b", "10.244.1.0/24", "172.18.0.2"))),
    ).toEqual([
      "t.yaml: document 2: Node b: status.addresses: InternalIP 172.18.0.2 already belongs to Node a.",
    ]);
    expect(
      refusalOf(all(service("a", "clusterIP: 10.96.0.5"), service("b", "clusterIP: 10.96.0.5"))),
    ).toEqual([
      "t.yaml: document 2: Service shop/b: spec.clusterIPs: 10.96.0.5 already belongs to Service shop/a.",
    ]);
    expect(
      refusalOf(all(pod("a", "{}", "{ podIP: 10.244.0.9 }"), pod("b", "{}", "{ podIP: 10.244.0.9 }"))),
    ).toEqual([
      "t.yaml: document 2: Pod default/b: status.podIPs: 10.244.0.9 already belongs to Pod default/a.",
    ]);
  });

  it("lets Pods share an address on the host network, or after they have finished", () => {
    const host = "{ hostNetwork: true, nodeName: n }";
    const cluster = clusterOf(
      all(
        pod("a", host, "{ podIP: 10.0.0.9 }"),
        pod("b", host, "{ podIP: 10.0.0.9 }"),
        pod("c", "{ nodeName: n }", "{ podIP: 10.244.0.9, phase: Running }"),
        pod("d", "{ nodeName: n }", "{ podIP: 10.244.0.9, phase: Succeeded }"),
      ),
    );
    expect(cluster.pods.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect(notesOf(cluster)).toEqual(["note: left out 1 Pod that ran to completion (Succeeded or Failed)."]);
  });

  it("is that nodePorts have one owner for each protocol", () => {
    const port = (name: string, protocol: string) =>
      `apiVersion: v1\nkind: Service\nmetadata: { name: ${name} }\nspec: { type: NodePort, ports: [{ port: 80, nodePort: 30080, protocol: ${protocol} }] }\n`;
    const health = "type: LoadBalancer, healthCheckNodePort: 30080";
    expect(clusterOf(all(port("a", "TCP"), port("b", "UDP"))).services).toHaveLength(2);
    expect(refusalOf(all(port("a", "TCP"), port("b", "TCP")))).toEqual([
      "t.yaml: document 2: Service default/b: spec.ports[0].nodePort: 30080/TCP already belongs to Service default/a.",
    ]);
    expect(refusalOf(all(port("a", "TCP"), service("b", `${health}, externalTrafficPolicy: Local`)))).toEqual(
      [
        "t.yaml: document 2: Service shop/b: spec.healthCheckNodePort: 30080/TCP already belongs to Service default/a.",
      ],
    );
    // Who is not asked there does not take it.
    expect(clusterOf(all(port("a", "TCP"), service("b", health))).services).toHaveLength(2);
  });

  it("is that nodePorts are where the API server takes them, which is only warned of", () => {
    const nodePort = (name: string, number: number) =>
      service(name, "type: NodePort").replace("port: 80", `port: 80, nodePort: ${number}`);
    const health = (name: string, spec: string) => service(name, `healthCheckNodePort: 32768, ${spec}`);
    const asked = health("d", "type: LoadBalancer, externalTrafficPolicy: Local");
    const cluster = clusterOf(
      all(
        nodePort("a", 80),
        nodePort("b", 30000),
        nodePort("c", 32767),
        asked,
        health("e", "type: NodePort"),
      ),
    );
    const range =
      "is outside 30000-32767: an API server takes it only with another --service-node-port-range.";
    expect(notesOf(cluster).filter((note) => note.startsWith("warning"))).toEqual([
      `warning: t.yaml: document 1: Service shop/a: spec.ports[0].nodePort: 80 ${range}`,
      `warning: t.yaml: document 4: Service shop/d: spec.healthCheckNodePort: 32768 ${range}`,
    ]);
  });

  it("is that ClusterIPs are in the Services' networks, which is only warned of where these are known", () => {
    const text = service("a", "clusterIP: 10.43.0.5");
    const told = (known: string) =>
      `warning: t.yaml: document 1: Service shop/a: spec.clusterIPs: 10.43.0.5 is outside the Services' network ${known}: an API server does not take it.`;
    expect(notesOf(clusterOf(text))).toEqual([]);
    expect(notesOf(clusterOf(text, { serviceCIDR: "10.40.0.0/13" }))).toEqual([]);
    expect(notesOf(clusterOf(text, { serviceCIDR: "fd00:10:96::/112" }))).toEqual([]);
    expect(notesOf(clusterOf(text, { serviceCIDR: "10.96.0.0/12" }))).toEqual([told("10.96.0.0/12")]);
    const cidr = (prefix: string) =>
      `apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: { name: s }\nspec: { cidrs: [${prefix}] }\n`;
    expect(notesOf(clusterOf(all(text, cidr("10.96.0.0/16"))))).toEqual([told("10.96.0.0/16")]);
    expect(notesOf(clusterOf(all(text, cidr("10.43.0.0/16"))))).toEqual([]);
  });

  it("is that external addresses are claimed once, which is only warned of", () => {
    const cluster = clusterOf(
      all(
        service("a", "clusterIP: 10.96.0.5, externalIPs: [192.0.2.1]"),
        service("b", "clusterIP: 10.96.0.6, externalIPs: [192.0.2.1]"),
      ),
    );
    expect(notesOf(cluster)).toEqual([
      "warning: t.yaml: document 2: Service shop/b: 192.0.2.1 port 80/TCP is also claimed by Service shop/a: which of the two a node serves is not defined.",
    ]);
  });

  it("is not that names are given once: the later object counts, as with kubectl apply", () => {
    const cluster = clusterOf(
      all(
        service("a", "clusterIP: 10.96.0.5"),
        service("b", "clusterIP: 10.96.0.7"),
        service("a", "clusterIP: 10.96.0.6"),
      ),
    );
    expect(cluster.services.map(({ name, clusterIPs }) => [name, clusterIPs[0]])).toEqual([
      ["b", 0x0a600007],
      ["a", 0x0a600006],
    ]);
    expect(notesOf(cluster)).toEqual([
      "warning: t.yaml: document 1: Service shop/a: is given again in t.yaml: document 3: the later one counts.",
    ]);
  });

  it("is that Pods name Nodes that are given, if any is", () => {
    const named = pod("p", "{ nodeName: nowhere }");
    expect(refusalOf(all(node("a", "10.244.0.0/24", "172.18.0.2"), named))).toEqual([
      "t.yaml: document 2: Pod default/p: spec.nodeName: names nowhere, which is none of the Nodes given: a.",
    ]);
    expect(clusterOf(named).nodes.map(({ name }) => name)).toEqual(["nowhere"]);
  });

  it("counts what is skipped, and tells kinds of one name apart by their group", () => {
    const cluster = clusterOf(
      all(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: b }\n",
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: { name: b }\n",
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: b }\n",
      ),
    );
    expect(notesOf(cluster)).toEqual([
      "note: skipped 2 ConfigMap.",
      "note: skipped 1 Service (serving.knative.dev/v1).",
      "warning: skipped 1 NetworkPolicy: not modelled, so packets that it forbids are let through.",
      "warning: no Node, Service, Pod or workload is given: nothing of the input has to do with packets.",
    ]);
  });

  it("holds for options too", () => {
    expect(refusalOf("", { clusterCIDR: "10.0.0.1/8", serviceCIDR: "ten", loadBalancerPool: "" })).toEqual([
      "clusterCIDR: «10.0.0.1/8» is not a network such as 10.244.0.0/16.",
      "serviceCIDR: «ten» is not a network such as 10.244.0.0/16.",
      "loadBalancerPool: «» is not a network such as 10.244.0.0/16.",
    ]);
    expect(clusterOf("", { clusterCIDR: "10.50.0.0/16" })).toEqual(
      clusterOf("", { clusterCIDR: { address: 0x0a320000, length: 16 } }),
    );
    expect(refusalOf("", { nodes: 0 })).toEqual(["nodes: 0 is not a number of Nodes from 1 to 32768."]);
    const clusterCIDR = { address: 0x0a600000, length: 16 };
    expect(refusalOf("", { clusterCIDR, serviceCIDR: { address: 0x0a600000, length: 12 } })).toEqual([
      "clusterCIDR: 10.96.0.0/16 overlaps the serviceCIDR 10.96.0.0/12.",
    ]);
    expect(refusalOf("", { clusterCIDR: "10.50.0.0/16,10.60.0.0/16" })).toEqual([
      "clusterCIDR: «10.50.0.0/16,10.60.0.0/16» is not a network such as 10.244.0.0/16.",
    ]);
  });
});
