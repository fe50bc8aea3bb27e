import { expect } from "vitest";
import { Compilation } from "../../../src/compilation.js";
import type { CompileOptions } from "../../../src/compile.js";
import { Engine } from "../../../src/engine/engine.js";
import type { Outcome } from "../../../src/explore/outcome.js";
import type { Cluster } from "../../../src/model/cluster.js";
import type { Family } from "../../../src/net/ip.js";
import { tcp } from "../../../src/packet/build.js";
import { type ProxyMode, printRuleset, type Ruleset } from "../../../src/ruleset/ruleset.js";
import { type ClusterBuilder, clusterOf, type ServiceFields } from "../cluster-of.js";
import { clusterTwin, twinText } from "../cluster-twin.js";

export const FAMILIES = [4, 6] as const;
export const MODES = ["iptables", "nftables", "ipvs"] as const;
/** Those that choose endpoints by rules. */
export const RULE_MODES = ["iptables", "nftables"] as const;

export const NODE = "172.18.0.2";
/** The node's address on its Pods' bridge. */
export const BRIDGE = "10.244.1.1";
export const POD = "10.244.1.7";
export const OUTSIDER = "203.0.113.2";
export const CLUSTER_IP = "10.96.0.1:80";
export const EXTERNAL_IP = "192.0.2.1:80";
export const VIP = "198.51.100.1:80";
export const NODE_PORT = `${NODE}:30080`;
/** What externalTrafficPolicy is about. */
export const EXTERNAL = [EXTERNAL_IP, VIP, NODE_PORT] as const;

/** Every address that a Service can have. */
export const EVERYWHERE: ServiceFields = {
  type: "LoadBalancer",
  clusterIPs: "10.96.0.1",
  externalIPs: "192.0.2.1",
  ingress: "198.51.100.1",
  ports: "http:80>30080",
};
export const EXTERNAL_LOCAL: ServiceFields = { ...EVERYWHERE, externalTrafficPolicy: "Local" };
export const INTERNAL_LOCAL: ServiceFields = { ...EVERYWHERE, internalTrafficPolicy: "Local" };

export const NEAR = "10.244.1.21@worker-1";
export const FAR = "10.244.2.22@worker-2";

/** shop/web as said, and POD, which a slice of no Service tells of. */
export function web(fields: ServiceFields, ...endpoints: readonly string[]): ClusterBuilder {
  return clusterOf()
    .slice("shop/client", "http:8080", `${POD}@worker-1`)
    .service("shop/web", fields)
    .slice("shop/web", "http:8080", ...endpoints);
}

/** A cluster of IPv4 that is made when it is asked for. */
type Buildable = Pick<ClusterBuilder, "build">;

/** The cluster, or its twin of IPv6. */
export function clusterIn(family: Family, cluster: Buildable): Cluster {
  return family === 4 ? cluster.build() : clusterTwin(cluster.build());
}

/** What worker-1 has of it. */
export function compilationOf(
  mode: ProxyMode,
  cluster: Buildable,
  family: Family = 4,
  options: CompileOptions = {},
): Compilation {
  const cni = { plugin: "flannel", backend: "host-gw" } as const;
  const given = { node: "worker-1", proxy: mode, cni, ...options };
  return new Compilation(clusterIn(family, cluster), given);
}

/** The node with its rules, the same whenever it is asked. */
export function engineOf(ruleset: Ruleset): Promise<Engine> {
  return Engine.load(ruleset, { seed: 1, connections: 64, ipvsConnections: 128 });
}

/** An IPv4 address, or its twin. */
export function addressIn(family: Family, address: string): string {
  return family === 4 ? address : twinText(address);
}

/** `10.244.1.7:80` with the address of that family. */
export function inFamily(family: Family, hostPort: string): string {
  const [address = "", port] = hostPort.split(":");
  return family === 4 ? hostPort : `[${addressIn(family, address)}]:${port}`;
}

/** Endpoints by their address's last octet. */
function endOf({ verdict, destination, masquerade }: Outcome): string {
  if (verdict === "DROP" || verdict === "REJECT") return verdict;
  if (destination === undefined) return "*";
  const port = destination.port === 8080 ? "" : `:${destination.port}`;
  return `${BigInt(destination.address) & 0xffn}${port}${masquerade ? " masquerade" : ""}`;
}

/** Where a packet may go next, as `ways` says it. */
export function endsOf(engine: Engine, frame: Uint8Array, now = 0): string {
  return engine.explore(frame, { now }).map(endOf).sort().join(", ");
}

/** Where a packet goes that is sent: with a scheduler that takes turns, the one whose turn it is. */
export function endOfSent(engine: Engine, frame: Uint8Array): string {
  const outcomes = engine.explore(frame).filter(({ isNext }) => isNext);
  engine.follow(frame);
  return outcomes.map(endOf).join(", ");
}

/** As `ways`, of one family. */
export async function waysIn(
  family: Family,
  mode: ProxyMode,
  cluster: Buildable,
  [from, to]: readonly [from: string, to: string],
  options: CompileOptions = {},
): Promise<string> {
  const engine = await engineOf(compilationOf(mode, cluster, family, options).ruleset);
  return endsOf(engine, tcp(inFamily(family, `${from}:41000`), inFamily(family, to)));
}

/**
 * Where the first packet of a TCP connection may go on worker-1: `21, 22 masquerade` are endpoints, `*` is a packet
 * that is left alone. In the IPv6 twin of the cluster it goes to the same.
 */
export async function ways(
  mode: ProxyMode,
  cluster: Buildable,
  from: string,
  to: string,
  options: CompileOptions = {},
): Promise<string> {
  const [four, six] = await Promise.all(
    FAMILIES.map((family) => waysIn(family, mode, cluster, [from, to], options)),
  );
  expect(six, `${from} > ${to} of IPv6`).toBe(four);
  return four ?? "";
}

const FORMATS = {
  iptables: { 4: "iptables-save", 6: "ip6tables-save" },
  nftables: { 4: "nft", 6: "nft" },
  ipvs: { 4: "ipvsadm-save", 6: "ipvsadm-save" },
} as const;

/** What leads to endpoints on worker-1, as the mode's own tool lists it. */
export function listing(
  mode: ProxyMode,
  cluster: Buildable,
  family: Family = 4,
  options: CompileOptions = {},
): string {
  return printRuleset(compilationOf(mode, cluster, family, options).ruleset, FORMATS[mode][family]);
}
