import { describe, expect, it } from "vitest";
import { parsePrefix, printPrefix } from "../../../src/net/prefix.js";
import { clusterOf, notesOf, printServices, refusalOf } from "../yaml.js";

const service = (name: string, spec: string, more = "") =>
  `apiVersion: v1\nkind: Service\nmetadata: { name: ${name} }\nspec: { ports: [{ port: 80 }], ${spec} }\n${more}`;
const all = (...documents: string[]) => documents.join("---\n");
const printed = (yaml: string) => printServices(clusterOf(yaml)).map((line) => line.replace("default/", ""));
const prefix = (text: string) => parsePrefix(text) ?? undefined;

describe("ClusterIPs", () => {
  it("are given upward past the band for static ones, around those that are taken", () => {
    expect(
      printed(
        all(
          service("a", ""),
          service("b", "clusterIP: 10.96.1.2"),
          service("c", 'clusterIP: ""'),
          service("d", "clusterIP: None"),
        ),
      ),
    ).toEqual([
      "a ClusterIP 10.96.1.1 80",
      "b ClusterIP 10.96.1.2 80",
      "c ClusterIP 10.96.1.3 80",
      "d ClusterIP  80",
    ]);
  });

  it("stay as they are when a Service is added at the end", () => {
    const before = all(service("a", ""), service("b", ""));
    expect(printed(all(before, service("c", ""))).slice(0, 2)).toEqual(printed(before));
  });

  it("keep 10.96.0.1 and 10.96.0.10 for kubernetes and kube-dns", () => {
    const named = (namespace: string, name: string) =>
      service(name, "").replace("{ name", `{ namespace: ${namespace}, name`);
    const cluster = clusterOf(
      all(named("kube-system", "kube-dns"), named("default", "kubernetes"), named("x", "kubernetes")),
    );
    expect(printServices(cluster)).toEqual([
      "kube-system/kube-dns ClusterIP 10.96.0.10 80",
      "default/kubernetes ClusterIP 10.96.0.1 80",
      "x/kubernetes ClusterIP 10.96.1.1 80",
    ]);
  });

  it("fill a small Service network, its static band last, and no more", () => {
    const serviceCIDR = prefix("10.9.0.0/27");
    const services = Array.from({ length: 28 }, (_, index) => service(`s${index}`, ""));
    const options = serviceCIDR === undefined ? {} : { serviceCIDR };
    const ips = clusterOf(all(...services), options).services.map(
      ({ clusterIPs }) => Number(clusterIPs[0]) & 255,
    );
    const upper = Array.from({ length: 14 }, (_, index) => 17 + index);
    expect(ips).toEqual([...upper, ...[2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16]]);
    expect(refusalOf(all(...services, service("more", "")), options)).toEqual([
      "t.yaml: document 29: Service default/more: no ClusterIP is free in 10.9.0.0/27: widen the serviceCIDR.",
    ]);
  });

  it("tell the Service network where they lie outside of kubeadm's", () => {
    const networks = (...ips: string[]) =>
      clusterOf(all(...ips.map((ip, index) => service(`s${index}`, `clusterIP: "${ip}"`)))).serviceCIDRs.map(
        printPrefix,
      );
    expect(networks("10.96.3.4")).toEqual(["10.96.0.0/12"]);
    expect(networks("10.233.0.1", "10.233.9.9")).toEqual(["10.233.0.0/16"]);
    expect(networks("10.43.0.1", "10.100.0.1")).toEqual(["10.43.0.0/16", "10.96.0.0/12"]);
    expect(networks("172.18.0.77")).toEqual(["10.96.0.0/12", "172.18.0.64/28"]);
    const asked = clusterOf(service("a", "clusterIP: 10.9.5.1"), {
      serviceCIDR: { address: 0x0a090000, length: 24 },
    });
    expect(asked.serviceCIDRs.map(printPrefix)).toEqual(["10.9.0.0/24", "10.9.5.0/24"]);
    expect(printed(all(service("a", "clusterIP: 10.233.0.1"), service("b", "")))[1]).toBe(
      "b ClusterIP 10.233.1.1 80",
    );
  });

  it("have the families that Pods have", () => {
    const dual = `apiVersion: v1\nkind: Node\nmetadata: { name: a }\nspec: { podCIDRs: [10.0.0.0/24, "fd00:244::/64"] }\n`;
    const wish = service("s", "ipFamilies: [IPv6, IPv4]");
    expect(printed(all(dual, wish))[0]).toBe("s ClusterIP fd00:10:96::101,10.96.1.1 80");
    const single = clusterOf(wish);
    expect(printServices(single)).toEqual(["default/s ClusterIP 10.96.1.1 80"]);
    expect(notesOf(single)).toEqual([
      "warning: t.yaml: document 1: Service default/s: spec.ipFamilies: IPv6 is left out: no Node has a podCIDR of that family.",
    ]);
  });
});

describe("ipFamilyPolicy", () => {
  const DUAL = `apiVersion: v1\nkind: Node\nmetadata: { name: a }\nspec: { podCIDRs: [10.0.0.0/24, "fd00:244::/64"] }\n`;
  const SIX_FIRST = `apiVersion: v1\nkind: Node\nmetadata: { name: a }\nspec: { podCIDRs: ["fd00:244::/64", 10.0.0.0/24] }\n`;

  it("asks for one family, or for both where there are two", () => {
    const given = (spec: string) => printed(all(DUAL, service("s", spec)))[0]?.split(" ")[2];
    expect(given("")).toBe("10.96.1.1");
    expect(given("ipFamilyPolicy: PreferDualStack")).toBe("10.96.1.1,fd00:10:96::101");
    expect(given("ipFamilyPolicy: RequireDualStack, ipFamilies: [IPv6]")).toBe("fd00:10:96::101,10.96.1.1");
    expect(given('ipFamilyPolicy: PreferDualStack, clusterIP: "fd00:10:96::7"')).toBe(
      "fd00:10:96::7,10.96.1.1",
    );
    expect(printed(all(SIX_FIRST, service("s", "")))[0]).toBe("s ClusterIP fd00:10:96::101 80");
  });

  it("is content with one family, or is warned of", () => {
    expect(notesOf(clusterOf(service("s", "ipFamilyPolicy: PreferDualStack")))).toEqual([]);
    expect(notesOf(clusterOf(service("s", "ipFamilyPolicy: RequireDualStack")))).toEqual([
      "warning: t.yaml: document 1: Service default/s: spec.ipFamilies: IPv6 is left out: no Node has a podCIDR of that family.",
    ]);
    expect(refusalOf(service("s", "ipFamilyPolicy: SingleStack, ipFamilies: [IPv4, IPv6]"))).toEqual([
      "t.yaml: document 1: Service default/s: spec.ipFamilyPolicy: is SingleStack, but two families are named: leave one, or write PreferDualStack.",
    ]);
  });

  it("makes slices of each family", () => {
    const pod = `apiVersion: v1\nkind: Pod\nmetadata: { name: p, labels: { app: s } }\nspec: { nodeName: a }\n`;
    const { endpointSlices } = clusterOf(
      all(DUAL, service("s", "selector: { app: s }, ipFamilyPolicy: PreferDualStack"), pod),
    );
    expect(endpointSlices.map(({ family, endpoints }) => [family, endpoints.length])).toEqual([
      [4, 1],
      [6, 1],
    ]);
  });
});

describe("ServiceCIDR objects", () => {
  const object = (version: string) =>
    `apiVersion: networking.k8s.io/${version}\nkind: ServiceCIDR\nmetadata: { name: kubernetes }\nspec: { cidrs: [10.8.0.0/16, "fd00:8::/112"] }\n`;

  it.each(["v1", "v1beta1"])("tell the Service networks (%s), unless others are asked for", (version) => {
    const cluster = clusterOf(all(object(version), service("s", "ipFamilyPolicy: PreferDualStack")));
    expect(cluster.serviceCIDRs.map(printPrefix)).toEqual(["10.8.0.0/16", "fd00:8::/112"]);
    expect(printServices(cluster)).toEqual(["default/s ClusterIP 10.8.1.1,fd00:8::101 80"]);
    const asked = clusterOf(object(version), { serviceCIDR: "10.9.0.0/16" });
    expect(asked.serviceCIDRs.map(printPrefix)).toEqual(["10.9.0.0/16"]);
  });
});

describe("nodePorts", () => {
  it("are given to NodePort and LoadBalancer Services, from 30086 up", () => {
    const ports =
      "ports: [{ name: a, port: 53, protocol: UDP }, { name: b, port: 53 }, { name: c, port: 9 }]";
    const dns = `apiVersion: v1\nkind: Service\nmetadata: { name: dns }\nspec: { type: NodePort, ${ports} }\n`;
    const cluster = clusterOf(
      all(
        service("a", "type: LoadBalancer, externalTrafficPolicy: Local"),
        service("b", "type: LoadBalancer, allocateLoadBalancerNodePorts: false"),
        service("c", "type: ClusterIP").replace("port: 80", "port: 80, nodePort: 30088"),
        dns,
      ),
    );
    expect(printServices(cluster).map((line) => line.split(" ").at(-1))).toEqual([
      "80:30086",
      "80",
      "80:30088",
      "53:30089,53:30089,9:30090",
    ]);
    expect(cluster.services.map(({ healthCheckNodePort }) => healthCheckNodePort)).toEqual([30087, 0, 0, 0]);
  });

  it("run out", () => {
    const many = Array.from({ length: 2769 }, (_, index) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: `s${index}` },
      spec: { type: "NodePort", ports: [{ port: 80 }] },
    }));
    const list = (items: readonly unknown[]) => JSON.stringify({ kind: "List", items });
    const { services } = clusterOf(list(many.slice(1)));
    expect(new Set(services.map(({ ports }) => ports[0]?.nodePort)).size).toBe(2768);
    expect(refusalOf(list(many))).toEqual([
      "t.yaml: document 1: Service default/s2768: spec.ports: no nodePort is free in 30000-32767: give fewer Services one.",
    ]);
  });
});

describe("load balancers", () => {
  const pending = all(
    service("a", "type: LoadBalancer"),
    service("b", "type: LoadBalancer, loadBalancerIP: 198.51.100.3"),
  );

  it("stay pending, with one note", () => {
    const cluster = clusterOf(pending);
    expect(cluster.services.flatMap(({ loadBalancerIngress }) => loadBalancerIngress)).toEqual([]);
    expect(notesOf(cluster)).toEqual([
      "note: t.yaml: document 1: Service default/a: status.loadBalancer: stays pending, as nothing here hands out external addresses: its nodePorts work; the same holds for 1 more.",
    ]);
  });

  it("are not said to have nodePorts where none are allocated", () => {
    const bare = service("c", "type: LoadBalancer, allocateLoadBalancerNodePorts: false");
    expect(notesOf(clusterOf(all(bare)))).toEqual([
      "note: t.yaml: document 1: Service default/c: status.loadBalancer: stays pending, as nothing here hands out external addresses: it has no nodePorts either.",
    ]);
    expect(notesOf(clusterOf(all(pending, bare))).map((note) => note.split(": ").at(-1))).toEqual([
      "its nodePorts work; the same holds for 1 more.",
      "it has no nodePorts either.",
    ]);
  });

  it("get addresses of a pool, their wish first", () => {
    const loadBalancerPool = { address: 0xc6336400, length: 29 };
    const given = service(
      "c",
      "type: LoadBalancer",
      "status: { loadBalancer: { ingress: [{ ip: 198.51.100.1 }] } }\n",
    );
    const cluster = clusterOf(all(pending, given), { loadBalancerPool });
    expect(printServices(cluster).map((line) => line.split(" ").at(-1))).toEqual([
      "198.51.100.2",
      "198.51.100.3",
      "198.51.100.1",
    ]);
    const many = Array.from({ length: 7 }, (_, index) => service(`s${index}`, "type: LoadBalancer"));
    expect(refusalOf(all(...many), { loadBalancerPool })).toEqual([
      "t.yaml: document 7: Service default/s6: no address is free in the load balancer pool 198.51.100.0/29: widen it.",
    ]);
  });
});
