import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Node } from "../../src/model/node.js";
import { serviceObjects } from "../../src/model/service-objects.js";
import { categorize, isReady, type ProxyEndpoint } from "../../src/proxy/endpoints.js";
import type { Frontend } from "../../src/proxy/frontends.js";
import { servedPorts } from "../../src/proxy/served-ports.js";
import { type TopologyHints, topologyHints } from "../../src/proxy/topology-hints.js";
import { type ClusterBuilder, clusterOf, nodeOf, type ServiceFields } from "./cluster-of.js";

function joined(cluster: ClusterBuilder): readonly string[] {
  return serviceObjects(cluster.build())
    .flatMap((objects) => servedPorts(objects))
    .map(({ frontend, endpoints }) => `${frontend.name} ${endpoints.map(({ name }) => name).join(" ")}`);
}

const web = (ports = "http:80") => clusterOf().service("shop/web", { clusterIPs: "10.96.0.1", ports });

describe("servedPorts", () => {
  it("joins on name and protocol, and takes the slice's port number", () => {
    const cluster = web("http:80 dns:53/UDP dns-tcp:53")
      .slice("shop/web", "http:8080", "10.244.1.1")
      .slice("shop/web", "dns:5353/UDP", "10.244.1.2")
      .slice("shop/web", "dns:5354/TCP", "10.244.1.3")
      .slice("other/web", "http:8080", "10.244.1.4");
    expect(joined(cluster)).toEqual([
      "shop/web:http 10.244.1.1:8080",
      "shop/web:dns 10.244.1.2:5353",
      "shop/web:dns-tcp ",
    ]);
  });

  it("orders by the octets of `ip:port`, over all slices", () => {
    const cluster = web()
      .slice("shop/web", "http:11", "10.1.1.1", "10.0.0.2")
      .slice("shop/web", "http:11", "10.1.1.11", "10.0.0.10");
    expect(joined(cluster)).toEqual(["shop/web:http 10.0.0.10:11 10.0.0.2:11 10.1.1.11:11 10.1.1.1:11"]);
  });

  it("takes the later of duplicates, unless that one is terminating", () => {
    const readyOf = (...texts: readonly string[]) => {
      const cluster = web();
      for (const text of texts) cluster.slice("shop/web", "http:8080", text);
      return serviceObjects(cluster.build())
        .flatMap((objects) => servedPorts(objects))
        .flatMap(({ endpoints }) => endpoints)
        .map((endpoint) => `${endpoint.given.nodeName} ${isReady(endpoint)}`);
    };
    expect(readyOf("10.244.1.1@a !ready", "10.244.1.1@b")).toEqual(["b true"]);
    expect(readyOf("10.244.1.1@a", "10.244.1.1@b !ready terminating")).toEqual(["a true"]);
    expect(readyOf("10.244.1.1@a !ready terminating", "10.244.1.1@b !ready")).toEqual(["b false"]);
  });
});

const POLICIES: readonly ServiceFields[] = [
  {},
  { internalTrafficPolicy: "Local" },
  { internalTrafficPolicy: "Local", externalIPs: "192.0.2.1" },
  { externalTrafficPolicy: "Local", externalIPs: "192.0.2.1" },
  { internalTrafficPolicy: "Local", externalTrafficPolicy: "Local", externalIPs: "192.0.2.1" },
];

interface Case {
  readonly frontend: Frontend;
  readonly endpoints: readonly ProxyEndpoint[];
  readonly node: Node;
}

function caseOf(fields: ServiceFields, endpoints: readonly string[], zone = ""): Case {
  const labels = zone === "" ? {} : { "topology.kubernetes.io/zone": zone };
  const cluster = clusterOf()
    .node("here", "172.18.0.9", "10.244.9.0/24", labels)
    .service("shop/web", { clusterIPs: "10.96.0.1", ports: "http:80", ...fields })
    .slice("shop/web", "http:80", ...endpoints)
    .build();
  const [port] = serviceObjects(cluster).flatMap((objects) => servedPorts(objects));
  if (port === undefined) throw new Error("no frontend");
  return { ...port, node: nodeOf(cluster, "here") };
}

function print({ frontend, endpoints, node }: Case, hints?: TopologyHints): string {
  const { cluster, local, reachable, hasAny } = categorize(frontend, endpoints, node, hints);
  const names = (some: readonly ProxyEndpoint[] | undefined) =>
    some === undefined ? "-" : `[${some.map(({ name }) => name.split(".")[3]?.split(":")[0]).join(" ")}]`;
  return `cluster ${names(cluster)} local ${names(local)} reachable ${names(reachable)} any ${hasAny}`;
}

const [CLUSTER = {}, INTERNAL_LOCAL = {}, , EXTERNAL_LOCAL = {}] = POLICIES;

describe("categorize", () => {
  it.each([
    [
      "ready ones only",
      CLUSTER,
      ["10.0.0.1@a", "10.0.0.2@a !ready"],
      "cluster [1] local - reachable [1] any true",
    ],
    [
      "terminating ones that serve, where none is ready",
      CLUSTER,
      ["10.0.0.1@a !ready terminating", "10.0.0.2@a !ready !serving terminating", "10.0.0.3@a !ready"],
      "cluster [1] local - reachable [1] any true",
    ],
    ["none", CLUSTER, ["10.0.0.1@a !ready"], "cluster [] local - reachable [] any false"],
    [
      "nil, not empty, where no packet follows Cluster",
      INTERNAL_LOCAL,
      ["10.0.0.1@a"],
      "cluster - local [] reachable [] any true",
    ],
    [
      "each policy falls back for itself",
      EXTERNAL_LOCAL,
      ["10.0.0.1@a", "10.0.0.2@here !ready terminating"],
      "cluster [1] local [2] reachable [1 2] any true",
    ],
    ["no nodeName is remote", EXTERNAL_LOCAL, ["10.0.0.1"], "cluster [1] local [] reachable [1] any true"],
  ] as const)("%s", (_, fields, endpoints, expected) => {
    expect(print(caseOf(fields, endpoints))).toBe(expected);
  });

  it.each([
    ["hints of this zone", "east", ["10.0.0.1@a zone=east", "10.0.0.2@a zone=west"], "cluster [1]"],
    ["one without a hint switches them off", "east", ["10.0.0.1@a zone=east", "10.0.0.2@a"], "cluster [1 2]"],
    ["one not ready does not", "east", ["10.0.0.1@a zone=east", "10.0.0.2@a !ready"], "cluster [1]"],
    ["no hint names this zone", "north", ["10.0.0.1@a zone=east", "10.0.0.2@a zone=west"], "cluster [1 2]"],
    ["the node has no zone", "", ["10.0.0.1@a zone=east"], "cluster [1]"],
    [
      "node before zone",
      "east",
      ["10.0.0.1@a node=here zone=west", "10.0.0.2@a node=a zone=east"],
      "cluster [1]",
    ],
    [
      "zone where no hint names this node",
      "east",
      ["10.0.0.1@a node=b zone=west", "10.0.0.2@a node=a zone=east"],
      "cluster [2]",
    ],
  ] as const)("topology: %s", (_, zone, endpoints, expected) => {
    expect(print(caseOf(CLUSTER, endpoints, zone)).split(" local")[0]).toBe(expected);
  });

  it.each([
    ["1.31", {}, "cluster [2]"],
    ["1.32", { TopologyAwareHints: false }, "cluster [1 2]"],
    ["1.33", {}, "cluster [2]"],
    ["1.33", { PreferSameTrafficDistribution: true }, "cluster [1]"],
    ["1.33", { AllAlpha: true }, "cluster [1]"],
    ["1.33", { AllAlpha: true, PreferSameTrafficDistribution: false }, "cluster [2]"],
    ["1.33", { TopologyAwareHints: false }, "cluster [2]"],
    ["1.34", {}, "cluster [1]"],
    ["1.34", { AllBeta: false }, "cluster [2]"],
    ["1.34", { PreferSameTrafficDistribution: false }, "cluster [2]"],
    ["1.35", {}, "cluster [1]"],
    ["1.35", { PreferSameTrafficDistribution: false, AllBeta: false }, "cluster [1]"],
  ] as const)(
    "hints of this node and of its zone: kube-proxy %s with gates %j has %s",
    (version, gates, expected) => {
      const endpoints = ["10.0.0.1@a node=here zone=west", "10.0.0.2@a node=a zone=east"];
      const printed = print(caseOf(CLUSTER, endpoints, "east"), topologyHints(version, gates));
      expect(printed.split(" local")[0]).toBe(expected);
    },
  );

  it.each([
    ["1.31", { ServiceTrafficDistribution: false }, "", "cluster [1 2]"],
    ["1.31", { ServiceTrafficDistribution: false }, "disabled", "cluster [1 2]"],
    ["1.32", { ServiceTrafficDistribution: false }, "Auto", "cluster [2]"],
    ["1.32", { AllBeta: false }, "Auto", "cluster [1 2]"],
    ["1.32", { AllBeta: false, TopologyAwareHints: true }, "", "cluster [1 2]"],
    ["1.32", { AllBeta: false, TopologyAwareHints: true }, "Auto", "cluster [2]"],
    ["1.32", {}, "disabled", "cluster [2]"],
    ["1.33", { ServiceTrafficDistribution: false }, "disabled", "cluster [2]"],
  ] as const)(
    "hints of its zone: kube-proxy %s with gates %j and the annotation «%s» has %s",
    (version, gates, topologyMode, expected) => {
      const endpoints = ["10.0.0.1@a zone=west", "10.0.0.2@a zone=east"];
      const printed = print(caseOf({ topologyMode }, endpoints, "east"), topologyHints(version, gates));
      expect(printed.split(" local")[0]).toBe(expected);
    },
  );

  it("never lets hints touch the Local set", () => {
    const endpoints = ["10.0.0.1@here zone=west", "10.0.0.2@a zone=east"];
    expect(print(caseOf(EXTERNAL_LOCAL, endpoints, "east"))).toBe(
      "cluster [2] local [1] reachable [1 2] any true",
    );
  });

  it("agrees with the rules said one by one, on any endpoints", () => {
    const mark = (text: string) => fc.constantFrom("", "", text);
    const home = fc.constantFrom("@here", "@a", "");
    const text = fc.tuple(home, mark(" !ready"), mark(" !serving"), mark(" terminating"), mark(" zone=east"));
    let fallbacks = 0;
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), fc.constantFrom(...POLICIES), (texts, fields) => {
        const made = caseOf(
          fields,
          texts.map((marks, index) => `10.0.0.${index + 1}${marks.join("")}`),
          "east",
        );
        const { frontend, endpoints, node } = made;
        const { cluster, local, reachable, hasAny } = categorize(frontend, endpoints, node);
        const ready = endpoints.filter(({ given }) => given.conditions.ready !== false);
        const late = endpoints.filter(
          ({ given: { conditions } }) => conditions.serving !== false && conditions.terminating === true,
        );
        const hinted = ready.every(({ given }) => given.hintZones.length > 0)
          ? ready.filter(({ given }) => given.hintZones.includes("east"))
          : ready;
        const near = ready.filter(({ given }) => given.nodeName === "here");
        const nearLate = late.filter(({ given }) => given.nodeName === "here");
        if (ready.length === 0 && late.length > 0) fallbacks += 1;
        expect(cluster).toEqual(
          frontend.usesClusterEndpoints ? (hinted.length > 0 ? hinted : late) : undefined,
        );
        expect(local).toEqual(frontend.usesLocalEndpoints ? (near.length > 0 ? near : nearLate) : undefined);
        expect(reachable).toEqual(endpoints.filter((one) => cluster?.includes(one) || local?.includes(one)));
        expect(hasAny).toBe(ready.length > 0 || late.length > 0);
      }),
      { numRuns: 1000 },
    );
    expect(fallbacks).toBeGreaterThan(0);
  });
});
