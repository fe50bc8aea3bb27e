import fc from "fast-check";
import { compile } from "../src/compile.js";
import { Engine } from "../src/engine/engine.js";
import type { EngineOptions } from "../src/engine/options.js";
import type { Cluster } from "../src/model/cluster.js";
import type { Pod } from "../src/model/pod.js";
import type { DrawnEndpoint, DrawnService, Mode } from "./oracle/services.js";
import { clusterOf, ip } from "./proxy/cluster-of.js";

export const MODES = ["iptables", "ipvs", "nftables"] as const satisfies readonly Mode[];
export const NODE_IP = "172.18.0.2";
/** A Pod of worker-1 and one of worker-2 that are nobody's endpoints. */
export const POD = "10.244.1.100";
export const REMOTE_POD = "10.244.2.100";

const endpoints: fc.Arbitrary<DrawnEndpoint[]> = fc
  .array(
    fc.record({
      isLocal: fc.boolean(),
      state: fc.constantFrom("ready", "ready", "ready", "not ready", "draining"),
    } as const),
    { maxLength: 4 },
  )
  .map((drawn) =>
    drawn.map((endpoint, index) => ({
      ...endpoint,
      address: `10.244.${endpoint.isLocal ? 1 : 2}.${index + 9}`,
    })),
  );

const policy = fc.constantFrom("Cluster" as const, "Local" as const);

/** One to three Services with every kind of address, on a cluster of two nodes. */
export const drawnServices: fc.Arbitrary<DrawnService[]> = fc
  .array(
    fc.record({
      endpoints,
      internalPolicy: policy,
      externalPolicy: policy,
      protocol: fc.constantFrom("TCP" as const, "UDP" as const),
      port: fc.constantFrom(80, 443, 8080),
      targetPort: fc.constantFrom(80, 8080),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((drawn) =>
    drawn.map((service, index) => ({
      ...service,
      clusterIP: `10.96.0.${index + 10}`,
      externalIP: `203.0.113.${index + 10}`,
      vip: `192.0.2.${index + 10}`,
      nodePort: 30080 + index,
    })),
  );

const MARKS = { ready: "", "not ready": " !ready !serving", draining: " !ready terminating" } as const;

function podOf(address: string): Pod {
  return {
    namespace: "shop",
    name: `pod-${address.replaceAll(".", "-")}`,
    labels: new Map(),
    nodeName: address.startsWith("10.244.1.") ? "worker-1" : "worker-2",
    hostNetwork: false,
    podIPs: [ip(address)],
    ports: [],
    ready: true,
    terminating: false,
  };
}

export function clusterFrom(services: readonly DrawnService[]): Cluster {
  const builder = clusterOf();
  for (const [index, service] of services.entries()) {
    const { port, protocol, nodePort, targetPort } = service;
    builder
      .service(`shop/web-${index}`, {
        type: "LoadBalancer",
        clusterIPs: service.clusterIP,
        externalIPs: service.externalIP,
        ingress: service.vip,
        ports: `main:${port}/${protocol}>${nodePort}`,
        internalTrafficPolicy: service.internalPolicy,
        externalTrafficPolicy: service.externalPolicy,
      })
      .slice(
        `shop/web-${index}`,
        `main:${targetPort}/${protocol}`,
        ...service.endpoints.map(
          ({ address, isLocal, state }) => `${address}@worker-${isLocal ? 1 : 2}${MARKS[state]}`,
        ),
      );
  }
  const addresses = services.flatMap((service) => service.endpoints.map(({ address }) => address));
  return { ...builder.build(), pods: [...new Set([...addresses, POD, REMOTE_POD])].map(podOf) };
}

/** The engine of a node of the cluster; few connections, so that it is made quickly. */
export function engineOf(
  services: readonly DrawnService[],
  proxy: Mode,
  options: EngineOptions & { readonly node?: string } = {},
): Promise<Engine> {
  const { node = "worker-1", ...rest } = options;
  return Engine.load(compile(clusterFrom(services), { node, proxy }), { connections: 255, ...rest });
}
