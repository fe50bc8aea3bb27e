import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildCluster, type Cluster } from "../../../src/model/cluster.js";
import type { ManifestObject } from "../../../src/model/manifest.js";
import { clusterOf, notesOf, printSlices } from "../yaml.js";

const pod = (name: string, ip: string, more = "", metadata = "") =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name}, labels: { app: web }${metadata} }\nspec: { nodeName: n, containers: [{ ports: [{ name: http, containerPort: ${more || 8080} }] }] }\nstatus: { podIP: ${ip} }\n`;
const service = (name: string, spec: string) =>
  `apiVersion: v1\nkind: Service\nmetadata: { name: ${name} }\nspec: { ports: [{ name: http, port: 80, targetPort: http }], ${spec} }\n`;
const all = (...documents: string[]) => documents.join("---\n");

describe("EndpointSlices", () => {
  it("hold the Pods that a selector finds, by address, with the port their container gives the name", () => {
    const cluster = clusterOf(
      all(
        service("web", "selector: { app: web }"),
        pod("b", "10.244.0.10"),
        pod("a", "10.244.0.9"),
        pod("c", "10.244.0.3", "9090"),
      ),
    );
    expect(printSlices(cluster)).toEqual([
      "default/web http=8080/TCP: 10.244.0.9 10.244.0.10",
      "default/web http=9090/TCP: 10.244.0.3",
    ]);
    expect(cluster.endpointSlices[0]?.endpoints[0]).toEqual({
      address: 0x0af40009,
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: "n",
      targetRef: "pod/default/a",
      hintZones: [],
      hintNodes: [],
    });
  });

  it("tell ready, serving and terminating apart", () => {
    const unready = "{ podIP: 10.244.0.2, conditions: [{ type: Ready, status: 'False' }] }";
    const pods = all(
      pod("up", "10.244.0.1"),
      pod("down", "x").replace("{ podIP: x }", unready),
      pod("leaving", "10.244.0.3", "", ", deletionTimestamp: '2026-01-01T00:00:00Z'"),
      pod("gone", "10.244.0.4").replace("{ podIP: 10.244.0.4 }", "{ podIP: 10.244.0.4, phase: Failed }"),
    );
    const conditions = (spec: string) =>
      clusterOf(all(pods, service("web", spec))).endpointSlices[0]?.endpoints.map((endpoint) =>
        Object.values(endpoint.conditions).map(Number).join(""),
      );
    expect(conditions("selector: { app: web }")).toEqual(["110", "000", "011"]);
    expect(conditions("selector: { app: web }, publishNotReadyAddresses: true")).toEqual([
      "110",
      "100",
      "111",
    ]);
  });

  it("are empty where nothing is selected, and absent without a selector", () => {
    const cluster = clusterOf(
      all(
        service("empty", "selector: { app: nobody }"),
        service("manual", "type: ClusterIP"),
        service("name", "type: ExternalName, selector: { app: web }"),
        pod("a", "10.244.0.9"),
      ),
    );
    expect(printSlices(cluster)).toEqual(["default/empty :"]);
  });

  it("are found for headless Services, even without ports", () => {
    const headless =
      "apiVersion: v1\nkind: Service\nmetadata: { name: h }\nspec: { clusterIP: None, selector: { app: web } }\n";
    expect(printSlices(clusterOf(all(headless, pod("a", "10.244.0.9"))))).toEqual(["default/h : 10.244.0.9"]);
  });

  it("miss Pods without a port of that name and protocol, which a warning says if none has it", () => {
    const udp = service("udp", "selector: { app: web }").replace("port: 80", "port: 80, protocol: UDP");
    const cluster = clusterOf(all(udp, pod("a", "10.244.0.9"), pod("b", "10.244.0.8")));
    expect(printSlices(cluster)).toEqual(["default/udp :"]);
    expect(notesOf(cluster)).toEqual([
      "warning: t.yaml: document 1: Service default/udp: spec.ports[0].targetPort: none of the 2 selected Pods has a UDP port named «http»: the Service has no endpoints there.",
    ]);
  });

  it("hold at most a hundred endpoints each", () => {
    const deployment =
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { replicas: 250, template: { metadata: { labels: { app: web } }, spec: { containers: [{ ports: [{ name: http, containerPort: 1 }] }] } } }\n";
    const { endpointSlices } = clusterOf(all(deployment, service("web", "selector: { app: web }")));
    expect(endpointSlices.map(({ endpoints }) => endpoints.length)).toEqual([100, 100, 50]);
    expect(new Set(endpointSlices.map(({ name }) => name)).size).toBe(3);
  });

  it("that are given need a name at each port, though it be empty; Endpoints do not", () => {
    const slice = `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: web-1, labels: { kubernetes.io/service-name: web } }
addressType: IPv4
ports: [{ port: 81 }, { name: null, port: 82 }, { name: "", port: 83 }]
endpoints: [{ addresses: [10.1.1.1] }]
`;
    const endpoints = `apiVersion: v1
kind: Endpoints
metadata: { name: db }
subsets: [{ addresses: [{ ip: 10.2.2.2 }], ports: [{ port: 84 }] }]
`;
    const cluster = clusterOf(
      all(slice, endpoints, service("web", "selector: {}"), service("db", "selector: {}")),
    );
    expect(printSlices(cluster)).toEqual(["default/web =83/TCP: 10.1.1.1", "default/db =84/TCP: 10.2.2.2"]);
    expect(cluster.diagnostics.filter(({ severity }) => severity === "warning")).toMatchObject(
      [0, 1].map((index) => ({ place: { field: `ports[${index}].name` } })),
    );
  });

  it("that are given win over those that would be made, and over Endpoints", () => {
    const slice = `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: web-1, labels: { kubernetes.io/service-name: web } }
addressType: IPv4
ports: [{ name: http, port: 81 }, { name: all }]
endpoints:
- { addresses: [10.1.1.1, 10.1.1.2], conditions: { ready: false }, nodeName: far, hints: { forZones: [{ name: z }], forNodes: [{ name: n }] } }
- { addresses: [] }
`;
    const endpoints = (name: string) => `apiVersion: v1
kind: Endpoints
metadata: { name: ${name} }
subsets:
- addresses: [{ ip: 10.2.2.2, nodeName: far, targetRef: { kind: Pod, namespace: default, name: x } }, { ip: "fd00::2" }]
  notReadyAddresses: [{ ip: 10.2.2.3 }]
  ports: [{ name: http, port: 82 }]
`;
    const cluster = clusterOf(
      all(
        slice,
        endpoints("web"),
        endpoints("db"),
        service("web", "selector: { app: web }"),
        service("db", "selector: { app: web }"),
        pod("a", "10.244.0.9"),
      ),
    );
    expect(printSlices(cluster)).toEqual([
      "default/web http=81/TCP: !10.1.1.1",
      "default/db http=82/TCP: 10.2.2.2 !10.2.2.3",
      "default/db http=82/TCP: fd00::2",
    ]);
    expect(cluster.endpointSlices[0]?.endpoints[0]).toMatchObject({
      conditions: { ready: false, serving: undefined, terminating: undefined },
      nodeName: "far",
      hintZones: ["z"],
      hintNodes: ["n"],
    });
    expect(cluster.endpointSlices[1]?.endpoints[0]?.targetRef).toBe("pod/default/x");
    expect(cluster.nodes.map(({ name }) => name)).toEqual(["far", "n"]);
  });

  it("without a Service's label, of host names, or of headless Services, are passed over with a note", () => {
    const slice = (more: string) => `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n${more}\n`;
    const cluster = clusterOf(
      all(
        slice("metadata: { name: a }\naddressType: IPv4"),
        slice("metadata: { name: b, labels: { kubernetes.io/service-name: web } }\naddressType: FQDN"),
        slice(
          "metadata: { name: c, labels: { kubernetes.io/service-name: web, service.kubernetes.io/headless: '' } }",
        ),
      ),
    );
    expect(cluster.endpointSlices).toEqual([]);
    expect(notesOf(cluster)).toEqual([
      "note: t.yaml: document 1: EndpointSlice default/a: has no label kubernetes.io/service-name: it belongs to no Service.",
      "note: t.yaml: document 2: EndpointSlice default/b: addressType: is FQDN: kube-proxy passes the slice over.",
      "note: t.yaml: document 3: EndpointSlice default/c: has the label service.kubernetes.io/headless: kube-proxy passes the slice over.",
    ]);
  });
});

const namespace = fc.constantFrom("a", "b");
const labels = fc.dictionary(fc.constantFrom("x", "y", "z"), fc.constantFrom("1", "2"), {
  noNullPrototype: true,
});
const objectOf = (kind: string, value: Record<string, unknown>): ManifestObject => ({
  apiVersion: "v1",
  kind,
  value,
  place: {},
});
const podArbitrary = fc.record({
  namespace,
  labels,
  port: fc.constantFrom(1, 2, undefined),
  ready: fc.boolean(),
});
const serviceArbitrary = fc.record({
  namespace,
  selector: labels.filter((selector) => Object.keys(selector).length > 0),
  targetPort: fc.constantFrom("http", 7),
});

type PodDraw = typeof podArbitrary extends fc.Arbitrary<infer T> ? T : never;
type ServiceDraw = typeof serviceArbitrary extends fc.Arbitrary<infer T> ? T : never;

function podObject({ namespace, labels, port, ready }: PodDraw, index: number): ManifestObject {
  const ports = port === undefined ? [] : [{ name: "http", containerPort: port }];
  return objectOf("Pod", {
    metadata: { name: `p${index}`, namespace, labels },
    spec: { containers: [{ ports }] },
    status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  });
}

function serviceObject({ namespace, selector, targetPort }: ServiceDraw, index: number): ManifestObject {
  return objectOf("Service", {
    metadata: { name: `s${index}`, namespace },
    spec: { selector, ports: [{ port: 80, targetPort }] },
  });
}

/** `a/s0 p3 http 1 true` for every endpoint, by trying every Pod against every Service. */
function expected(pods: readonly PodDraw[], services: readonly ServiceDraw[]): readonly string[] {
  return services.flatMap((service, s) =>
    pods.flatMap((pod, p) => {
      const selected = Object.entries(service.selector).every(([key, value]) => pod.labels[key] === value);
      const port = service.targetPort === 7 ? 7 : pod.port;
      const isEndpoint = selected && service.namespace === pod.namespace && port !== undefined;
      return isEndpoint ? [`${service.namespace}/s${s} pod/${pod.namespace}/p${p} ${port} ${pod.ready}`] : [];
    }),
  );
}

function found({ endpointSlices }: Cluster): readonly string[] {
  return endpointSlices.flatMap(({ namespace, serviceName, ports, endpoints }) =>
    endpoints.map(
      ({ targetRef, conditions }) =>
        `${namespace}/${serviceName} ${targetRef} ${ports[0]?.port} ${conditions.ready}`,
    ),
  );
}

describe("selection", () => {
  it("finds what trying every Pod against every Service finds", () => {
    let endpoints = 0;
    fc.assert(
      fc.property(
        fc.array(podArbitrary, { maxLength: 30 }),
        fc.array(serviceArbitrary, { maxLength: 10 }),
        (pods, services) => {
          const cluster = buildCluster([...pods.map(podObject), ...services.map(serviceObject)]);
          const all = expected(pods, services);
          endpoints += all.length;
          expect([...found(cluster)].sort()).toEqual([...all].sort());
        },
      ),
      { numRuns: 1000 },
    );
    expect(endpoints).toBeGreaterThan(200);
  });
});
