import { type Family, familyOf, type Ip } from "../../net/ip.js";
import { type Prefix, prefixContains, prefixOf, prefixOverlaps } from "../../net/prefix.js";

/** What kubeadm, flannel and kind use where nothing else is said. */
export const DEFAULT_CLUSTER_CIDR: Prefix = { address: 0x0af40000, length: 16 };

/** fd00:10:244::/56, as kind has it. */
export const DEFAULT_CLUSTER_CIDR6: Prefix = { address: 0xfd00_0010_0244n << 80n, length: 56 };

/** Service networks to choose from, kubeadm's first; the others serve where Pods or Nodes lie in it. */
const SERVICE_CIDRS: readonly Prefix[] = [
  { address: 0x0a600000, length: 12 },
  { address: 0x0a2b0000, length: 16 },
  { address: 0xac1e0000, length: 16 },
];
/** fd00:10:96::/112, as kind has it. */
const SERVICE_CIDR_IP6: Prefix = { address: 0xfd00_0010_0096n << 80n, length: 112 };

/** Addresses that a network must not hold, in both forms the checks want. */
export interface Foreign {
  readonly prefixes: readonly Prefix[];
  readonly addresses: readonly Ip[];
}

function isFree(network: Prefix, foreign: Foreign): boolean {
  if (foreign.prefixes.some((prefix) => prefixOverlaps(prefix, network))) return false;
  return !foreign.addresses.some((address) => prefixContains(network, address));
}

/** The widest network of these lengths around the address that holds nothing foreign; else the last length's. */
function cover(address: Ip, lengths: readonly number[], foreign: Foreign): Prefix {
  const networks = lengths.map((length) => prefixOf(address, length));
  return networks.find((network) => isFree(network, foreign)) ?? prefixOf(address, lengths.at(-1) ?? 0);
}

/** Drops networks that lie within others; the order stays. */
function widest(networks: readonly Prefix[]): readonly Prefix[] {
  return networks.filter(
    (network) =>
      !networks.some((other) => other.length < network.length && prefixContains(other, network.address)),
  );
}

/** The narrowest network that holds both. */
function around(a: Prefix, b: Prefix): Prefix {
  let whole = prefixOf(a.address, Math.min(a.length, b.length));
  while (!prefixContains(whole, b.address)) whole = prefixOf(a.address, whole.length - 1);
  return whole;
}

/** One network of a family in the place of several, if none but Pods can live in it. */
function united(networks: readonly Prefix[], family: Family, foreign: Foreign): readonly Prefix[] {
  const own = networks.filter(({ address }) => familyOf(address) === family);
  if (own.length < 2) return own;
  const whole = own.reduce(around);
  return isFree(whole, foreign) ? [whole] : own;
}

/**
 * The Pod networks of the cluster (kube-proxy's --cluster-cidr) around the Nodes' podCIDRs: a known network
 * where it holds them, else the /16 (IPv6: /56) around each, unless Nodes or Services live in that one too. Where that makes
 * several of a family, it is the one around them all, on the same condition.
 */
export function clusterCIDRsOf(
  known: readonly Prefix[],
  podCIDRs: readonly Prefix[],
  foreign: Foreign,
): readonly Prefix[] {
  const found: Prefix[] = [];
  for (const { address, length } of podCIDRs) {
    if (found.some((network) => network.length <= length && prefixContains(network, address))) continue;
    const widths = (familyOf(address) === 4 ? [16] : [56]).filter((width) => width < length);
    const holder = known.find((one) => one.length <= length && prefixContains(one, address));
    found.push(holder ?? cover(address, [...widths, length], foreign));
  }
  const networks = widest(found);
  return ([4, 6] as const).flatMap((family) => united(networks, family, foreign));
}

/**
 * The Service networks: those that are asked for, or kubeadm's, and a covering one for each ClusterIP outside.
 * The first of a family is the one to allocate from.
 */
export function serviceCIDRsOf(
  asked: readonly Prefix[],
  clusterIPs: readonly Ip[],
  families: ReadonlySet<number>,
  foreign: Foreign,
): readonly Prefix[] {
  const found: Prefix[] = [...asked];
  const avoid = { ...foreign, prefixes: [...foreign.prefixes, ...found] };
  for (const address of clusterIPs) {
    if (!found.some((network) => prefixContains(network, address))) found.push(serviceCover(address, avoid));
  }
  const isRoomy = (network: Prefix) =>
    asked.includes(network) || network.length <= 24 || familyOf(network.address) === 6;
  const roomy = found.filter(isRoomy);
  if (families.has(4) && !roomy.some(({ address }) => familyOf(address) === 4)) {
    roomy.push(SERVICE_CIDRS.find((network) => isFree(network, avoid)) ?? (SERVICE_CIDRS[0] as Prefix));
  }
  if (families.has(6) && !roomy.some(({ address }) => familyOf(address) === 6)) roomy.push(SERVICE_CIDR_IP6);
  return widest([...roomy, ...found.filter((network) => !isRoomy(network))]);
}

function serviceCover(address: Ip, foreign: Foreign): Prefix {
  if (familyOf(address) === 6) return prefixOf(address, SERVICE_CIDR_IP6.length);
  const usual = SERVICE_CIDRS.find((network) => prefixContains(network, address) && isFree(network, foreign));
  return usual ?? cover(address, [16, 20, 24, 28, 32], foreign);
}
