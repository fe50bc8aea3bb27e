import fc from "fast-check";
import { compile } from "../src/compile.js";
import { Engine } from "../src/engine/engine.js";
import type { EngineOptions } from "../src/engine/options.js";
import type { Cluster } from "../src/model/cluster.js";
import type { Pod } from "../src/model/pod.js";
import { printIp } from "../src/net/ip.js";
import type { DrawnEndpoint, DrawnService, Mode } from "./oracle/services.js";
import { ClusterBuilder, clusterOf, ip } from "./proxy/cluster-of.js";

export const MODES = ["iptables", "ipvs", "nftables"] as const satisfies readonly Mode[];
export const NODE_IP = "172.18.0.2";
/** A Pod of worker-1 and one of worker-2 that are nobody's endpoints. */
export const POD = "10.244.1.100";
export const REMOTE_POD = "10.244.2.100";

type State = DrawnEndpoint["state"];
type Drawn = Omit<DrawnEndpoint, "address">;

const MIXED = ["ready", "ready", "ready", "not ready", "draining"] as const;

function drawnEndpoints(isLocal: fc.Arbitrary<boolean>, states: readonly State[], minLength = 0) {
  return fc.array(fc.record({ isLocal, state: fc.constantFrom(...states) }), { minLength, maxLength: 4 });
}

const anyEndpoints = drawnEndpoints(fc.boolean(), MIXED);

/** Such as policy Local cannot use: one of another node that serves, and none of this one. */
const endpointsElsewhere = fc
  .tuple(
    drawnEndpoints(fc.constant(false), ["ready", "draining"], 1),
    drawnEndpoints(fc.boolean(), ["not ready"]),
  )
  .map((parts) => parts.flat());

const policy = fc.constantFrom("Cluster" as const, "Local" as const);

/** What stands for an IPv4 address in IPv6: 10.244.1.9 → fd00:10:244:1::9, so that a /24 is a /64. */
export function as6(address: string): string {
  const [a, b, c, d] = address.split(".");
  return printIp(ip(`fd00:${a}:${b}:${c}::${d}`));
}

/** The same Services at the addresses that stand for theirs. */
export function mirrored(services: readonly DrawnService[]): DrawnService[] {
  return services.map((service) => ({
    ...service,
    clusterIP: as6(service.clusterIP),
    externalIP: as6(service.externalIP),
    vip: as6(service.vip),
    endpoints: service.endpoints.map((one) => ({ ...one, address: as6(one.address) })),
  }));
}

/** The families of a cluster's networks: of a dual one everything has an address of each. */
export type Stack = "IPv4" | "IPv6" | "dual";
const FAMILIES = { IPv4: [4], IPv6: [6], dual: [4, 6] } as const;

function drawnService(endpoints: fc.Arbitrary<Drawn[]>) {
  return fc.record({
    endpoints,
    internalPolicy: policy,
    externalPolicy: policy,
    protocol: fc.constantFrom("TCP" as const, "UDP" as const),
    port: fc.constantFrom(80, 443, 8080),
    targetPort: fc.constantFrom(80, 8080),
  });
}

type Unaddressed = ReturnType<typeof drawnService> extends fc.Arbitrary<infer T> ? T : never;

/** Gives Services, and the endpoints of each, addresses and ports of their own. */
function addressed(drawn: readonly Unaddressed[]): DrawnService[] {
  return drawn.map((service, index) => ({
    ...service,
    endpoints: service.endpoints.map((endpoint, at) => ({
      ...endpoint,
      address: `10.244.${endpoint.isLocal ? 1 : 2}.${at + 9}`,
    })),
    clusterIP: `10.96.0.${index + 10}`,
    externalIP: `203.0.113.${index + 10}`,
    vip: `192.0.2.${index + 10}`,
    nodePort: 30080 + index,
  }));
}

/** One to three Services with every kind of address, on a cluster of two nodes. */
export const drawnServices: fc.Arbitrary<DrawnService[]> = fc
  .array(drawnService(anyEndpoints), { minLength: 1, maxLength: 3 })
  .map(addressed);

/** Three Services: any, one that no endpoint serves, and one that only other nodes serve. */
export const servicesOfEveryKind: fc.Arbitrary<DrawnService[]> = fc
  .tuple(
    drawnService(anyEndpoints),
    drawnService(drawnEndpoints(fc.boolean(), ["not ready"])),
    drawnService(endpointsElsewhere),
  )
  .map(addressed);

const MARKS = { ready: "", "not ready": " !ready !serving", draining: " !ready terminating" } as const;

/** An IPv4 address as a stack has it. */
function inStack(stack: Stack, address: string): string[] {
  return FAMILIES[stack].map((family) => (family === 4 ? address : as6(address)));
}

function podOf(address: string, stack: Stack): Pod {
  return {
    namespace: "shop",
    name: `pod-${address.replaceAll(".", "-")}`,
    labels: new Map(),
    nodeName: address.startsWith("10.244.1.") ? "worker-1" : "worker-2",
    hostNetwork: false,
    podIPs: inStack(stack, address).map(ip),
    ports: [],
    ready: true,
    terminating: false,
  };
}

function nodesIn(stack: Stack): ClusterBuilder {
  if (stack === "IPv4") return clusterOf();
  const both = (ip4: string, ip6: string) => (stack === "dual" ? `${ip4} ${ip6}` : ip6);
  return new ClusterBuilder()
    .clusterCIDRs(both("10.244.0.0/16", "fd00:10:244::/48"))
    .serviceCIDRs(both("10.96.0.0/12", "fd00:10:96::/112"))
    .node("worker-1", both(NODE_IP, as6(NODE_IP)), both("10.244.1.0/24", "fd00:10:244:1::/64"))
    .node("worker-2", both("172.18.0.3", as6("172.18.0.3")), both("10.244.2.0/24", "fd00:10:244:2::/64"));
}

export function clusterFrom(services: readonly DrawnService[], stack: Stack = "IPv4"): Cluster {
  const builder = nodesIn(stack);
  const all = (address: string) => inStack(stack, address).join(" ");
  for (const [index, service] of services.entries()) {
    const { port, protocol, nodePort, targetPort } = service;
    builder.service(`shop/web-${index}`, {
      type: "LoadBalancer",
      clusterIPs: all(service.clusterIP),
      externalIPs: all(service.externalIP),
      ingress: all(service.vip),
      ports: `main:${port}/${protocol}>${nodePort}`,
      internalTrafficPolicy: service.internalPolicy,
      externalTrafficPolicy: service.externalPolicy,
    });
    for (const family of FAMILIES[stack]) {
      const endpoints = service.endpoints.map(({ address, isLocal, state }) => {
        const own = family === 4 ? address : as6(address);
        return `${own}@worker-${isLocal ? 1 : 2}${MARKS[state]}`;
      });
      builder.slice(`shop/web-${index}`, `main:${targetPort}/${protocol}`, ...endpoints);
    }
  }
  const addresses = services.flatMap((service) => service.endpoints.map(({ address }) => address));
  const pods = [...new Set([...addresses, POD, REMOTE_POD])].map((address) => podOf(address, stack));
  return { ...builder.build(), pods };
}

/** The engine of a node of the cluster; few connections, so that it is made quickly. */
export function engineOf(
  services: readonly DrawnService[],
  proxy: Mode,
  options: EngineOptions & { readonly node?: string; readonly stack?: Stack } = {},
): Promise<Engine> {
  const { node = "worker-1", stack = "IPv4", ...rest } = options;
  return Engine.load(compile(clusterFrom(services, stack), { node, proxy }), { connections: 255, ...rest });
}
