import { type Diagnostic, InputError } from "../diagnostics.js";
import { type Family, familyOf } from "../net/ip.js";
import { type Prefix, parsePrefix, prefixOverlaps, printPrefix } from "../net/prefix.js";
import { checkObjects } from "./checks.js";
import { completeEndpointSlices } from "./control/endpoint-slices.js";
import { clusterCIDRsOf, type Foreign, serviceCIDRsOf } from "./control/networks.js";
import { completeNodes } from "./control/nodes.js";
import { clusterNetwork, clusterNetwork6, MAX_NODES } from "./control/pod-networks.js";
import { completePods } from "./control/pods.js";
import { completeServices } from "./control/services.js";
import type { EndpointSlice } from "./endpointslice.js";
import type { ManifestObject } from "./manifest.js";
import type { Node, NodeManifest } from "./node.js";
import { isNetworked, type Objects, readObjects, throwErrors } from "./objects.js";
import type { Pod } from "./pod.js";
import type { Service } from "./service.js";
import { checkServiceRanges } from "./service-ranges.js";

/**
 * A whole cluster: what was read, completed with what a control plane would have made. Deterministic: equal
 * input gives equal addresses.
 */
export interface Cluster {
  readonly nodes: readonly Node[];
  readonly namespaces: readonly string[];
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  /** Pod networks of the whole cluster (kube-proxy's --cluster-cidr), e.g. 10.244.0.0/16. */
  readonly clusterCIDRs: readonly Prefix[];
  /** Service networks, e.g. 10.96.0.0/12. */
  readonly serviceCIDRs: readonly Prefix[];
  /** Notes and warnings met while reading (skipped kinds, fields not modelled). */
  readonly diagnostics: readonly Diagnostic[];
}

/** What the control plane is told; all of it has defaults. */
export interface ClusterOptions {
  /** Nodes to make where none is given: 1 … 32768, 3 if not said. */
  readonly nodes?: number;
  /**
   * Network of the Pods, as text or parsed; 10.244.0.0/16 and fd00:10:244::/56 if not said, and wider for more than 256
   * Nodes. One a family, with a comma between: "10.244.0.0/16,fd00:10:244::/56".
   */
  readonly clusterCIDR?: Prefix | string;
  /** Network to allocate ClusterIPs from, one a family; those of ServiceCIDR objects, or 10.96.0.0/12, if not said. */
  readonly serviceCIDR?: Prefix | string;
  /** Network to give load balancers their addresses from; without it they stay pending. */
  readonly loadBalancerPool?: Prefix | string;
}

/** The same, read. */
interface Settings {
  readonly nodes?: number;
  readonly clusterCIDRs: readonly Prefix[];
  readonly serviceCIDRs: readonly Prefix[];
  readonly loadBalancerPool?: Prefix;
}

const NONE: readonly Prefix[] = [];

/**
 * Builds a cluster from Kubernetes objects: parses them, checks them against one another, and makes the Nodes,
 * Pods, addresses and EndpointSlices that are missing. Throws one InputError that names every error found.
 */
export function buildCluster(objects: readonly ManifestObject[], options: ClusterOptions = {}): Cluster {
  const settings = readOptions(options);
  const diagnostics: Diagnostic[] = [];
  const read = readObjects(objects, diagnostics);
  warnOfNothing(objects, diagnostics);
  checkObjects(read, diagnostics);
  throwErrors(diagnostics);

  const asked = settings.serviceCIDRs.length > 0 ? settings.serviceCIDRs : read.serviceCIDRs;
  checkServiceRanges(read.services, asked, diagnostics);
  const nodes = completeNodes(read, { ...settings, serviceCIDRs: asked }, diagnostics);
  throwErrors(diagnostics);
  const networks = networksOf(nodes, read, { ...settings, serviceCIDRs: asked });
  const pods = completePods(read, nodes, diagnostics);
  const services = completeServices(
    read.services,
    { ...networks, loadBalancerPool: settings.loadBalancerPool },
    diagnostics,
  );
  throwErrors(diagnostics);
  const endpointSlices = completeEndpointSlices(services, pods, read, diagnostics);
  const { clusterCIDRs, serviceCIDRs } = networks;
  const namespaces = namespacesOf(read);
  return { nodes, namespaces, pods, services, endpointSlices, clusterCIDRs, serviceCIDRs, diagnostics };
}

/** Objects were given, but none that has to do with packets: likely not what was meant. */
function warnOfNothing(objects: readonly ManifestObject[], diagnostics: Diagnostic[]): void {
  if (objects.length === 0 || objects.some(isNetworked)) return;
  const message = "no Node, Service, Pod or workload is given: nothing of the input has to do with packets.";
  diagnostics.push({ severity: "warning", place: {}, message });
}

/** Networks as text with a comma between, or one parsed; undefined for what is none, or two of a family. */
function networksIn(given: Prefix | string | undefined): readonly Prefix[] | undefined {
  if (given === undefined) return [];
  if (typeof given !== "string") return [given];
  const networks = given.split(",").map((text) => parsePrefix(text.trim()));
  if (!networks.every((network) => network !== undefined)) return undefined;
  return new Set(networks.map(({ address }) => familyOf(address))).size === networks.length
    ? networks
    : undefined;
}

function readOptions({ nodes, ...texts }: ClusterOptions): Settings {
  const errors: string[] = [];
  const networks = { clusterCIDR: NONE, serviceCIDR: NONE, loadBalancerPool: NONE };
  for (const name of ["clusterCIDR", "serviceCIDR", "loadBalancerPool"] as const) {
    const given = texts[name];
    const found = networksIn(given);
    if (found !== undefined && (name !== "loadBalancerPool" || found.length < 2)) networks[name] = found;
    else errors.push(`${name}: «${given}» is not a network such as 10.244.0.0/16.`);
  }
  const [pool] = networks.loadBalancerPool;
  const settings: Settings = {
    ...(nodes === undefined ? {} : { nodes }),
    clusterCIDRs: networks.clusterCIDR,
    serviceCIDRs: networks.serviceCIDR,
    ...(pool === undefined ? {} : { loadBalancerPool: pool }),
  };
  errors.push(...faultsOf(settings));
  if (errors.length === 0) return settings;
  throw new InputError(errors.map((message) => ({ severity: "error", place: {}, message })));
}

function faultsOf({ nodes, clusterCIDRs, serviceCIDRs }: Settings): readonly string[] {
  const errors: string[] = [];
  if (nodes !== undefined && !(Number.isInteger(nodes) && nodes >= 1 && nodes <= MAX_NODES)) {
    errors.push(`nodes: ${nodes} is not a number of Nodes from 1 to ${MAX_NODES}.`);
  }
  for (const pods of clusterCIDRs) {
    const other = serviceCIDRs.find((services) => prefixOverlaps(pods, services));
    if (other !== undefined)
      errors.push(`clusterCIDR: ${printPrefix(pods)} overlaps the serviceCIDR ${printPrefix(other)}.`);
  }
  return errors;
}

interface Networks {
  readonly clusterCIDRs: readonly Prefix[];
  readonly serviceCIDRs: readonly Prefix[];
  readonly families: ReadonlySet<Family>;
}

function networksOf(nodes: readonly NodeManifest[], { services }: Objects, options: Settings): Networks {
  const podCIDRs = nodes.flatMap((node) => node.podCIDRs);
  const clusterIPs = services.flatMap((service) => service.clusterIPs);
  const nodeIPs = nodes.flatMap(({ internalIPs }) => internalIPs);
  const of = (family: Family) => podCIDRs.filter(({ address }) => familyOf(address) === family).length;
  const given = (family: Family) => options.clusterCIDRs.find(({ address }) => familyOf(address) === family);
  const known = [clusterNetwork(given(4), of(4)), clusterNetwork6(given(6), of(6))];
  const elsewhere: Foreign = {
    prefixes: options.serviceCIDRs,
    addresses: [...nodeIPs, ...clusterIPs],
  };
  const clusterCIDRs = clusterCIDRsOf(known, podCIDRs, elsewhere);
  const families = new Set(podCIDRs.map(({ address }) => familyOf(address)));
  const foreign: Foreign = { prefixes: clusterCIDRs, addresses: nodeIPs };
  const serviceCIDRs = serviceCIDRsOf(options.serviceCIDRs, clusterIPs, families, foreign);
  return { clusterCIDRs, serviceCIDRs, families };
}

/** Those given and those that objects live in, sorted. */
function namespacesOf({
  namespaces,
  pods,
  workloads,
  services,
  endpointSlices,
  endpoints,
}: Objects): readonly string[] {
  const used = new Set(["default", ...namespaces]);
  for (const { namespace } of [...pods, ...workloads, ...services, ...endpointSlices, ...endpoints]) {
    used.add(namespace);
  }
  return [...used].sort();
}
