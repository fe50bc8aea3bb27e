import fc from "fast-check";
import type { ClusterChange } from "../src/model/change.js";
import type { Cluster } from "../src/model/cluster.js";
import type { EndpointSlice } from "../src/model/endpointslice.js";
import type { Service } from "../src/model/service.js";
import { ClusterBuilder, clusterOf, type ServiceFields } from "./proxy/cluster-of.js";

const names = fc.constantFrom("a/one", "a/two", "b/one");
const policy = fc.constantFrom("Cluster" as const, "Cluster" as const, "Local" as const);

/** Few addresses and ports, so that Services clash. */
const fields: fc.Arbitrary<ServiceFields> = fc.record({
  type: fc.constantFrom("ClusterIP", "NodePort", "LoadBalancer", "LoadBalancer", "ExternalName"),
  headless: fc.constantFrom(false, false, false, false, true),
  clusterIPs: fc.constantFrom(
    "10.96.0.1",
    "10.96.0.2",
    "10.96.0.3",
    "10.96.0.1 fd00:96::1",
    "fd00:96::2",
    "",
  ),
  externalIPs: fc.constantFrom(
    "",
    "",
    "192.0.2.1",
    "192.0.2.1 192.0.2.2",
    "172.18.0.2",
    "2001:db8::1 192.0.2.1",
  ),
  ingress: fc.constantFrom("", "", "198.51.100.1", "192.0.2.1", "198.51.100.2!", "2001:db8::1"),
  sourceRanges: fc.constantFrom("", "", "203.0.113.0/24", "172.18.0.0/16", "2001:db8:113::/48 192.0.2.0/24"),
  ports: fc.constantFrom(
    "http:80",
    "http:80>30080",
    "http:80/UDP>30080",
    "http:80>30080 dns:53/UDP>30081",
    "http:443>30081 dns:80>30080",
    "http:80/SCTP>30080",
  ),
  externalTrafficPolicy: policy,
  internalTrafficPolicy: policy,
  healthCheckNodePort: fc.constantFrom(0, 0, 32000, 32001),
  affinitySeconds: fc.constantFrom(undefined, undefined, 60),
  labels: fc.constantFrom({}, {}, {}, { "service.kubernetes.io/service-proxy-name": "other" }),
});

const services: fc.Arbitrary<Service> = fc
  .tuple(names, fields)
  .map(([name, drawn]) => clusterOf().service(name, drawn).build().services[0] as Service);

/** Where the endpoints of a slice may be: of one family. */
const WHERES = [
  ["10.244.1.2@worker-1", "10.244.1.3@worker-1", "10.244.2.2@worker-2", "10.244.2.10"],
  ["fd00:244:0:1::2@worker-1", "fd00:244:0:1::3@worker-1", "fd00:244:0:2::2@worker-2", "fd00:244:0:2::10"],
] as const;

const endpointsAt = (wheres: readonly string[]) =>
  fc.array(
    fc
      .tuple(
        fc.constantFrom(...wheres),
        fc.constantFrom("", "", "", " !ready", " !ready terminating", " !ready !serving terminating"),
      )
      .map(([where, marks]) => `${where}${marks}`),
    { maxLength: 4 },
  );
const endpoints = fc.oneof(...WHERES.map(endpointsAt));

const slices: fc.Arbitrary<EndpointSlice> = fc
  .tuple(
    names,
    fc.constantFrom("slice-1", "slice-2", "slice-3"),
    fc.constantFrom("http:8080", "http:8080/UDP", "http:8081", "dns:5353/UDP", "dns:8080"),
    endpoints,
  )
  .map(([owner, name, port, texts]) => {
    const [slice] = clusterOf()
      .slice(owner, port, ...texts)
      .build().endpointSlices;
    return { ...(slice as EndpointSlice), name };
  });

const change: fc.Arbitrary<ClusterChange> = fc.oneof(
  { weight: 4, arbitrary: services.map((service) => ({ kind: "service-set" as const, service })) },
  {
    weight: 2,
    arbitrary: services.map(({ namespace, name }) => ({ kind: "service-deleted" as const, namespace, name })),
  },
  {
    weight: 6,
    arbitrary: slices.map((endpointSlice) => ({ kind: "endpointslice-set" as const, endpointSlice })),
  },
  {
    weight: 1,
    arbitrary: slices.map(({ namespace, name }) => {
      return { kind: "endpointslice-deleted" as const, namespace, name };
    }),
  },
);

/** Changes of few objects, one after another; some delete what is not there. */
export const drawnChanges: fc.Arbitrary<readonly ClusterChange[]> = fc.array(change, {
  minLength: 1,
  maxLength: 12,
});

/** Two nodes of both families and no Service. */
export const EMPTY: Cluster = new ClusterBuilder()
  .clusterCIDRs("10.244.0.0/16 fd00:244::/48")
  .serviceCIDRs("10.96.0.0/12 fd00:96::/112")
  .node("worker-1", "172.18.0.2 fd00:18::2", "10.244.1.0/24 fd00:244:0:1::/64")
  .node("worker-2", "172.18.0.3 fd00:18::3", "10.244.2.0/24 fd00:244:0:2::/64")
  .build();

const setService = (name: string, given: ServiceFields): ClusterChange[] => {
  const { services: made } = clusterOf().service(name, given).build();
  return made.map((service) => ({ kind: "service-set", service }));
};

const setSlice = (owner: string, ...texts: readonly string[]): ClusterChange[] => {
  const { endpointSlices: made } = clusterOf()
    .slice(owner, "http:8080", ...texts)
    .build();
  return made.map((slice) => ({ kind: "endpointslice-set", endpointSlice: { ...slice, name: "slice-1" } }));
};

/** Of a Service with everything, and of another that claims the same, from beginning to end: steps of every kind. */
export const EVENTFUL: readonly ClusterChange[] = [
  ...setService("a/one", {
    type: "LoadBalancer",
    clusterIPs: "10.96.0.1",
    externalIPs: "192.0.2.1",
    ports: "http:80>30080",
    affinitySeconds: 60,
  }),
  ...setSlice("a/one", "10.244.1.2@worker-1", "10.244.2.2@worker-2"),
  ...setService("b/one", { type: "ClusterIP", clusterIPs: "10.96.0.1", ports: "http:80" }),
  ...setSlice("b/one", "10.244.1.3@worker-1"),
  { kind: "service-deleted", namespace: "b", name: "one" },
  ...setSlice("a/one", "10.244.1.2@worker-1"),
  { kind: "endpointslice-deleted", namespace: "a", name: "slice-1" },
  { kind: "service-deleted", namespace: "a", name: "one" },
];
