import type { Diagnostic } from "../../diagnostics.js";
import { type Family, familyOf, type Ip } from "../../net/ip.js";
import { type Prefix, printPrefix } from "../../net/prefix.js";
import type { LoadBalancerIngress, ServiceManifest } from "../service.js";
import { AddressPool } from "./address-pool.js";
import { withNodePorts } from "./node-ports.js";

export interface ServiceNetworks {
  readonly serviceCIDRs: readonly Prefix[];
  /** Families of the Pod networks. */
  readonly families: ReadonlySet<Family>;
  readonly loadBalancerPool: Prefix | undefined;
}

const BOTH = [4, 6] as const;

/** The Services with the ClusterIPs, nodePorts and load balancer addresses that they lack. */
export function completeServices(
  services: readonly ServiceManifest[],
  networks: ServiceNetworks,
  diagnostics: Diagnostic[],
): readonly ServiceManifest[] {
  const addressed = withClusterIPs(services, networks, diagnostics);
  return withIngress(withNodePorts(addressed, diagnostics), networks.loadBalancerPool, diagnostics);
}

function withClusterIPs(
  services: readonly ServiceManifest[],
  { serviceCIDRs, families }: ServiceNetworks,
  diagnostics: Diagnostic[],
): readonly ServiceManifest[] {
  const used = new Set(services.flatMap(({ clusterIPs }) => clusterIPs));
  const pools = new Map(
    ([4, 6] as const).map((family) => [family, clusterIpPool(serviceCIDRs, family, used)]),
  );
  return services.map((service) => {
    const { type, headless, clusterIPs, place } = service;
    if (type === "ExternalName") return service;
    const wanted = wantedFamilies(service, families, diagnostics);
    if (headless) return { ...service, families: wanted };
    const given = wanted.map(
      (family) =>
        clusterIPs.find((ip) => familyOf(ip) === family) ??
        wellKnown(service, serviceCIDRs, family, used) ??
        pools.get(family)?.next(),
    );
    if (given.includes(undefined)) {
      const message = `no ClusterIP is free in ${serviceCIDRs.map(printPrefix).join(", ")}: widen the serviceCIDR.`;
      diagnostics.push({ severity: "error", place, message });
    }
    return { ...service, families: wanted, clusterIPs: given.filter((ip) => ip !== undefined) };
  });
}

/**
 * The families asked for, as far as Pods have them, and those of the addresses that are given; a Service that asks for
 * none gets the first there is, and the other one too where it would have both.
 */
function wantedFamilies(
  { families, clusterIPs, familyPolicy, place }: ServiceManifest,
  available: ReadonlySet<Family>,
  diagnostics: Diagnostic[],
): readonly Family[] {
  const [first = 4] = available;
  const named = families.length === 0 ? [first] : families;
  const asked = familyPolicy === "SingleStack" ? named : [...new Set([...named, ...BOTH])];
  const isThere = (family: Family) =>
    available.has(family) ||
    (available.size === 0 && family === 4) ||
    clusterIPs.some((ip) => familyOf(ip) === family);
  const lacking = asked.filter((family) => !isThere(family));
  // PreferDualStack is content with one family.
  const missed =
    familyPolicy === "PreferDualStack" ? lacking.filter((family) => families.includes(family)) : lacking;
  if (missed.length > 0) {
    const message = `${missed.map((family) => `IPv${family}`).join(" and ")} is left out: no Node has a podCIDR of that family.`;
    diagnostics.push({ severity: "warning", place: { ...place, field: "spec.ipFamilies" }, message });
  }
  return asked.filter(isThere);
}

function networkOf(serviceCIDRs: readonly Prefix[], family: Family): Prefix | undefined {
  return serviceCIDRs.find(({ address }) => familyOf(address) === family);
}

/**
 * Upward from where Kubernetes begins to allocate: it keeps the first min(max(16, size / 16), 256) addresses for
 * those who choose their own (KEP-3070), and takes them last.
 */
function clusterIpPool(
  serviceCIDRs: readonly Prefix[],
  family: Family,
  given: ReadonlySet<Ip>,
): AddressPool | undefined {
  const network = networkOf(serviceCIDRs, family);
  if (network === undefined) return undefined;
  const size = 2 ** ((family === 4 ? 32 : 128) - network.length);
  const band = Math.min(Math.max(16, Math.floor(size / 16)), 256);
  const used = new Set([...given, ...[...WELL_KNOWN.values()].map((offset) => offsetOf(network, offset))]);
  return new AddressPool(network, { first: 1 + band, wrap: true, used });
}

function offsetOf({ address }: Prefix, offset: number): Ip {
  return typeof address === "number" ? address + offset : address + BigInt(offset);
}

/** Offsets in the Service network: the API server's own Service, and the cluster's DNS (kubeadm). */
const WELL_KNOWN: ReadonlyMap<string, number> = new Map([
  ["default/kubernetes", 1],
  ["kube-system/kube-dns", 10],
]);

function wellKnown(
  { namespace, name }: ServiceManifest,
  serviceCIDRs: readonly Prefix[],
  family: Family,
  used: ReadonlySet<Ip>,
): Ip | undefined {
  const offset = WELL_KNOWN.get(`${namespace}/${name}`);
  const network = networkOf(serviceCIDRs, family);
  if (offset === undefined || network === undefined) return undefined;
  const address = offsetOf(network, offset);
  return used.has(address) ? undefined : address;
}

/** Without a pool a load balancer stays pending, as in a cluster where no controller serves them. */
function withIngress(
  services: readonly ServiceManifest[],
  network: Prefix | undefined,
  diagnostics: Diagnostic[],
): readonly ServiceManifest[] {
  const isPending = ({ type, loadBalancerIngress }: ServiceManifest) =>
    type === "LoadBalancer" && loadBalancerIngress.length === 0;
  if (network === undefined) {
    const pending = services.filter(isPending);
    const hasNodePort = ({ ports }: ServiceManifest) => ports.some(({ nodePort }) => nodePort !== 0);
    notePending(pending.filter(hasNodePort), "its nodePorts work", diagnostics);
    notePending(
      pending.filter((one) => !hasNodePort(one)),
      "it has no nodePorts either",
      diagnostics,
    );
    return services;
  }
  const used = new Set(
    services.flatMap(({ loadBalancerIngress }) => loadBalancerIngress.map(({ ip }) => ip)),
  );
  const pool = new AddressPool(network, { first: 1, used });
  return services.map((service) => {
    if (!isPending(service)) return service;
    const wish = service.loadBalancerIP;
    const ip = wish !== undefined && !used.has(wish) ? wish : pool.next();
    if (ip === undefined) {
      const message = `no address is free in the load balancer pool ${printPrefix(network)}: widen it.`;
      diagnostics.push({ severity: "error", place: service.place, message });
      return service;
    }
    used.add(ip);
    const loadBalancerIngress: readonly LoadBalancerIngress[] = [{ ip, ipMode: "VIP" }];
    return { ...service, loadBalancerIngress };
  });
}

/** One note for all of them, at the first. */
function notePending(services: readonly ServiceManifest[], rest: string, diagnostics: Diagnostic[]): void {
  const [first, ...more] = services;
  if (first === undefined) return;
  const others = more.length === 0 ? "" : `; the same holds for ${more.length} more`;
  const message = `stays pending, as nothing here hands out external addresses: ${rest}${others}.`;
  diagnostics.push({ severity: "note", place: { ...first.place, field: "status.loadBalancer" }, message });
}
