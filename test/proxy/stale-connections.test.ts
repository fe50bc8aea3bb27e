import { describe, expect, it } from "vitest";
import { Compilation } from "../../src/compilation.js";
import { Engine } from "../../src/engine/engine.js";
import { type ServiceObjects, serviceObjects } from "../../src/model/service-objects.js";
import { tcp, udp } from "../../src/packet/build.js";
import type { KubernetesVersion } from "../../src/proxy/kubernetes-version.js";
import {
  type ServiceChange,
  staleConnections,
  type TrackedConnection,
} from "../../src/proxy/stale-connections.js";
import { type ClusterBuilder, clusterOf, ip, type ServiceFields } from "./cluster-of.js";

interface NamedFlow extends TrackedConnection {
  readonly name: string;
}

/** `10.96.0.10:53 10.244.1.1:5353`: where the first packet was sent, and who answers. */
function flow(name: string): NamedFlow {
  const [[dst, dstPort] = [], [replySrc, replySrcPort] = []] = name
    .split(" ")
    .map((end) => /^\[?(.*?)\]?:(\d+)$/.exec(end)?.slice(1) ?? []);
  return {
    name,
    protocol: 17,
    original: { dst: ip(dst ?? ""), dstPort: Number(dstPort) },
    reply: { src: ip(replySrc ?? ""), srcPort: Number(replySrcPort) },
  };
}

const DNS: ServiceFields = {
  clusterIPs: "10.96.0.10 fd00:96::10",
  externalIPs: "192.0.2.10",
  ingress: "198.51.100.10",
  ports: "dns:53/UDP>30053 dns-tcp:53/TCP>30053",
};

function dns(...endpoints: readonly string[]): ClusterBuilder {
  const cluster = clusterOf().service("kube-system/dns", DNS);
  return endpoints.length === 0 ? cluster : cluster.slice("kube-system/dns", "dns:5353/UDP", ...endpoints);
}

/** What became of each Service of two clusters. */
function changesOf(
  before: readonly ServiceObjects[],
  after: readonly ServiceObjects[],
): readonly ServiceChange[] {
  const find = (all: readonly ServiceObjects[], of: ServiceObjects) =>
    all.find(({ namespace, name }) => namespace === of.namespace && name === of.name);
  return [
    ...before.map((objects) => ({ before: objects, after: find(after, objects) })),
    ...after
      .filter((objects) => find(before, objects) === undefined)
      .map((objects) => ({ before: undefined, after: objects })),
  ];
}

function stale(
  before: ClusterBuilder,
  after: ClusterBuilder,
  names: readonly string[],
  version?: KubernetesVersion,
): readonly string[] {
  const old = serviceObjects(before.build());
  const now = serviceObjects(after.build());
  return staleConnections(changesOf(old, now), () => now, names.map(flow), version).map(({ name }) => name);
}

const ONE = "10.244.1.1@worker-1";
const TWO = "10.244.2.2@worker-2";
const OLD = ["1.31", "1.32"] as const;
const NEW = ["1.33", "1.34", "1.35"] as const;

const TO_EVERY_ADDRESS = [
  "10.96.0.10:53 10.244.1.1:5353",
  "192.0.2.10:53 10.244.1.1:5353",
  "198.51.100.10:53 10.244.1.1:5353",
  "172.18.0.2:30053 10.244.1.1:5353",
];

describe("staleConnections", () => {
  it.each([...OLD, ...NEW])(
    "%s: flows to an endpoint that left go, those to one that stays do not",
    (version) => {
      const staying = TO_EVERY_ADDRESS.map((text) => text.replace("10.244.1.1", "10.244.2.2"));
      const flows = [
        ...TO_EVERY_ADDRESS,
        ...staying,
        "10.96.0.99:53 10.244.1.1:5353",
        "10.244.1.1:5353 10.244.1.1:5353",
      ];
      expect(stale(dns(ONE, TWO), dns(TWO), flows, version)).toEqual(TO_EVERY_ADDRESS);
    },
  );

  it.each([...OLD, ...NEW])("%s: an endpoint that terminates but serves keeps its flows", (version) => {
    const serving = dns(`${ONE} !ready terminating`, TWO);
    expect(stale(dns(ONE, TWO), serving, TO_EVERY_ADDRESS, version)).toEqual([]);
    const left = dns(`${ONE} !ready !serving terminating`, TWO);
    expect(stale(dns(ONE, TWO), left, TO_EVERY_ADDRESS, version)).toEqual(TO_EVERY_ADDRESS);
  });

  it.each([...OLD, ...NEW])(
    "%s: a Service that gets its first endpoint loses the flows that went nowhere",
    (version) => {
      const astray = ["10.96.0.10:53 10.96.0.10:53", "172.18.0.2:30053 172.18.0.2:30053"];
      expect(stale(dns(), dns(ONE), astray, version)).toEqual(astray);
    },
  );

  it.each([...OLD, ...NEW])("%s: each family is cleaned by its own endpoints", (version) => {
    const flows = ["10.96.0.10:53 10.244.1.1:5353", "[fd00:96::10]:53 [fd00::1]:5353"];
    const six = (at: string) => dns(ONE).slice("kube-system/dns", "dns:5353/UDP", at);
    expect(stale(six("fd00::1@worker-1"), six("fd00::2@worker-1"), flows, version)).toEqual(flows.slice(1));
  });

  it("1.33 and later look at all Services once an endpoint of UDP changes, by address and port", () => {
    const other = (cluster: ClusterBuilder) =>
      cluster
        .service("shop/log", { clusterIPs: "10.96.0.20", ports: ":514/UDP" })
        .slice("shop/log", ":514/UDP", "10.244.1.9");
    const lost = ["10.96.0.20:514 10.244.1.77:514", "10.96.0.20:514 10.244.1.9:515"];
    const flows = [...lost, "10.96.0.20:514 10.244.1.9:514"];
    const [before, after] = [other(dns(ONE)), other(dns(TWO))];
    for (const version of NEW) expect(stale(before, after, flows, version)).toEqual(lost);
    for (const version of OLD) expect(stale(before, after, flows, version)).toEqual([]);
  });

  it("1.33 and later know a nodePort by its number, on any address", () => {
    const flows = ["203.0.113.9:30053 203.0.113.9:30053"];
    for (const version of NEW) expect(stale(dns(ONE), dns(TWO), flows, version)).toEqual(flows);
    for (const version of OLD) expect(stale(dns(ONE), dns(TWO), flows, version)).toEqual([]);
  });

  it("up to 1.32 the ClusterIP of a port that is gone loses its flows, later ones need a change of endpoints", () => {
    const gone = clusterOf().service("kube-system/dns", { ...DNS, ports: "dns-tcp:53/TCP>30053" });
    for (const version of OLD)
      expect(stale(dns(ONE), gone, TO_EVERY_ADDRESS, version)).toEqual(TO_EVERY_ADDRESS.slice(0, 1));
    for (const version of NEW) expect(stale(dns(ONE), gone, TO_EVERY_ADDRESS, version)).toEqual([]);
  });

  it("nothing is cleaned where only TCP endpoints change", () => {
    const cluster = (at: string) =>
      clusterOf()
        .service("shop/web", { clusterIPs: "10.96.0.30", ports: "http:80>30080" })
        .slice("shop/web", "http:80", at);
    const flows = ["10.96.0.30:80 10.244.1.1:80", "172.18.0.2:30080 10.244.1.1:80"];
    for (const version of [...OLD, ...NEW])
      expect(stale(cluster(ONE), cluster(TWO), flows, version)).toEqual([]);
  });

  it("connections of other protocols stay, whatever they were sent to", () => {
    const [old, now] = [dns(ONE), dns(TWO)].map((cluster) => serviceObjects(cluster.build()));
    const others = TO_EVERY_ADDRESS.map((name) => ({ ...flow(name), protocol: 6 }));
    expect(staleConnections(changesOf(old ?? [], now ?? []), () => now ?? [], others)).toEqual([]);
  });

  it("nothing is cleaned where nothing changes, however stale", () => {
    const built = serviceObjects(dns(TWO).build());
    const flows = TO_EVERY_ADDRESS.map(flow);
    expect(staleConnections(changesOf(built, built), () => built, flows)).toEqual([]);
  });
});

describe("a Compilation", () => {
  it("tells the stale connections of the changes since it was last asked, once", () => {
    const cluster = dns(ONE).service("shop/other", { clusterIPs: "10.96.0.99", ports: ":80" }).build();
    const flows = TO_EVERY_ADDRESS.map(flow);
    const [slice] = cluster.endpointSlices;
    const [moved] = dns(TWO).build().endpointSlices;
    if (slice === undefined || moved === undefined) throw new Error("no slice");
    for (const kubernetesVersion of ["1.32", "1.33"] as const) {
      const compilation = new Compilation(cluster, { kubernetesVersion });
      expect(compilation.staleConnections(flows)).toEqual([]);
      compilation.apply({ kind: "service-deleted", namespace: "shop", name: "other" });
      expect(compilation.staleConnections(flows)).toEqual([]);
      compilation.apply({ kind: "endpointslice-set", endpointSlice: { ...moved, name: slice.name } });
      expect(compilation.staleConnections(flows)).toEqual(flows);
      expect(compilation.staleConnections(flows)).toEqual([]);
    }
  });

  it("and an engine forget what kube-proxy forgets: UDP goes on to an endpoint that is there, TCP does not", async () => {
    const fields: ServiceFields = { clusterIPs: "10.96.0.10", ports: "dns:53/UDP web:53/TCP" };
    const both = (at: string) =>
      clusterOf()
        .service("kube-system/dns", fields)
        .slice("kube-system/dns", "dns:53/UDP", at)
        .slice("kube-system/dns", "web:53/TCP", at)
        .build();
    const [before, after] = [both(ONE), both(TWO)];
    const compilation = new Compilation(before, { node: "worker-1" });
    const engine = await Engine.load(compilation.ruleset, { seed: 1 });
    const [client, service] = ["10.244.1.7:4000", "10.96.0.10:53"];
    const ways = (flags: string) =>
      [udp(client, service), tcp(client, service, { flags })].map((frame) => engine.trace(frame));
    for (const way of ways("S")) expect(way).toContain("10.244.1.1");
    engine.trace(tcp("10.244.1.1:53", client, { flags: "SA" }));
    for (const endpointSlice of after.endpointSlices) {
      engine.apply(compilation.apply({ kind: "endpointslice-set", endpointSlice }));
    }
    for (const way of ways("A")) expect(way).toContain("10.244.1.1");
    const stale = compilation.staleConnections(engine.listConnections());
    expect(stale.map(({ protocol }) => protocol)).toEqual([17]);
    engine.closeConnections(stale);
    const [overUdp, overTcp] = ways("A");
    expect(overUdp).toContain("10.244.2.2");
    expect(overTcp).toContain("10.244.1.1");
  });
});
