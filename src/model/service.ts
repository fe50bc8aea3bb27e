import type { Place } from "../diagnostics.js";
import { type Family, familyOf, type Ip, printIp } from "../net/ip.js";
import type { Prefix } from "../net/prefix.js";
import type { Field } from "./fields.js";
import { parseMetadata } from "./metadata.js";
import { parseServicePorts, type ServicePort } from "./service-ports.js";

export type TrafficPolicy = "Cluster" | "Local";

export type FamilyPolicy = (typeof FAMILY_POLICIES)[number];

/** status.loadBalancer.ingress[]; entries with only a hostname are not kept. */
export interface LoadBalancerIngress {
  readonly ip: Ip;
  readonly ipMode: "VIP" | "Proxy";
}

/** v1 Service under the API's own names. */
export interface Service {
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly type: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
  /** Absent (undefined) when the Service has no selector. */
  readonly selector: ReadonlyMap<string, string> | undefined;
  /** Empty for headless and ExternalName Services. */
  readonly clusterIPs: readonly Ip[];
  readonly headless: boolean;
  readonly ports: readonly ServicePort[];
  readonly externalIPs: readonly Ip[];
  readonly loadBalancerIngress: readonly LoadBalancerIngress[];
  readonly loadBalancerSourceRanges: readonly Prefix[];
  readonly externalTrafficPolicy: TrafficPolicy;
  readonly internalTrafficPolicy: TrafficPolicy;
  /** 0 for none. */
  readonly healthCheckNodePort: number;
  /** Seconds, for sessionAffinity: ClientIP; undefined for None. */
  readonly affinitySeconds: number | undefined;
  readonly publishNotReadyAddresses: boolean;
  /** The annotation that asks for topology hints, of two names; "" for none. */
  readonly topologyMode: string;
  /** Where the Service stands in the input, for diagnostics of the compilers. */
  readonly place: Place;
}

/** A Service as written: control/ gives it the addresses and nodePorts that it still lacks. */
export interface ServiceManifest extends Service {
  /** spec.ipFamilies, else the families of the ClusterIPs; empty where neither is written. */
  readonly families: readonly Family[];
  /** spec.ipFamilyPolicy; where it is not written RequireDualStack if two families are, else SingleStack. */
  readonly familyPolicy: FamilyPolicy;
  /** spec.allocateLoadBalancerNodePorts */
  readonly allocateNodePorts: boolean;
  /** spec.loadBalancerIP, a wish. */
  readonly loadBalancerIP: Ip | undefined;
}

/** What a v1 ServiceSpec has (Kubernetes 1.35, core/v1 types.go), much of which packets do not tell. */
const SPEC_FIELDS = [
  ...["type", "selector", "ports", "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"],
  ...["externalName", "externalIPs", "externalTrafficPolicy", "internalTrafficPolicy", "healthCheckNodePort"],
  ...["loadBalancerIP", "loadBalancerSourceRanges", "loadBalancerClass", "allocateLoadBalancerNodePorts"],
  ...["sessionAffinity", "sessionAffinityConfig", "publishNotReadyAddresses", "trafficDistribution"],
];
const FAMILY_POLICIES = ["SingleStack", "PreferDualStack", "RequireDualStack"] as const;
const TYPES = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] as const;
const POLICIES = ["Cluster", "Local"] as const;
/** API default of sessionAffinityConfig.clientIP.timeoutSeconds: three hours. */
const DEFAULT_AFFINITY_SECONDS = 10800;

/** Whether a load balancer asks who serves the Service, at its healthCheckNodePort: otherwise that says nothing. */
export function hasHealthCheck({
  type,
  externalTrafficPolicy,
}: Pick<Service, "type" | "externalTrafficPolicy">): boolean {
  return type === "LoadBalancer" && externalTrafficPolicy === "Local";
}

/** Reads a Service; errors are added to the object's diagnostics. */
export function parseService(object: Field): ServiceManifest {
  const spec = object.at("spec");
  if (!spec.present) spec.error("is missing.");
  spec.warnBeside(SPEC_FIELDS, "v1 ServiceSpec");
  const type = spec.at("type").oneOf(TYPES, "ClusterIP");
  const { headless, clusterIPs } = parseClusterIPs(spec, type);
  const { namespace, name, labels } = parseMetadata(object);
  const selector = spec.at("selector").map();
  return {
    namespace,
    name,
    labels,
    type,
    selector: selector.size === 0 || type === "ExternalName" ? undefined : selector,
    clusterIPs,
    headless,
    ports: parseServicePorts(spec, headless || type === "ExternalName"),
    externalIPs: spec
      .at("externalIPs")
      .items()
      .map((item) => item.ip())
      .filter(isDefined),
    ...parseLoadBalancer(object),
    externalTrafficPolicy: spec.at("externalTrafficPolicy").oneOf(POLICIES, "Cluster"),
    internalTrafficPolicy: spec.at("internalTrafficPolicy").oneOf(POLICIES, "Cluster"),
    healthCheckNodePort: spec.at("healthCheckNodePort").integer(0, 65535) ?? 0,
    affinitySeconds: parseAffinity(spec),
    publishNotReadyAddresses: spec.at("publishNotReadyAddresses").flag(),
    topologyMode: parseTopologyMode(object.at("metadata").at("annotations")),
    ...parseFamilies(spec, clusterIPs),
    place: object.place,
  };
}

function isDefined<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/** clusterIPs wins over clusterIP, which the API keeps as its first. */
function parseClusterIPs(spec: Field, type: Service["type"]): Pick<Service, "headless" | "clusterIPs"> {
  const list = spec.at("clusterIPs").items();
  const fields = (list.length === 0 ? [spec.at("clusterIP")] : list).filter(
    (field) => (field.text() ?? "") !== "",
  );
  if (type === "ExternalName") return { headless: false, clusterIPs: [] };
  if (fields.some((field) => field.text() === "None")) return { headless: true, clusterIPs: [] };
  return { headless: false, clusterIPs: parseAddresses(fields) };
}

/** At most one of each family, as the API has it. */
function parseAddresses(fields: readonly Field[]): readonly Ip[] {
  const firsts = new Map<Family, Field>();
  return fields.flatMap((field) => {
    const ip = field.ip();
    if (ip === undefined) return [];
    const special = specialKind(ip);
    if (special !== undefined) field.error(`${printIp(ip)} is ${special}, and no address of a Service.`);
    const family = familyOf(ip);
    const first = firsts.get(family);
    if (first === undefined) firsts.set(family, field);
    else field.error(`is a second IPv${family} address beside ${first.path}: leave one of each family.`);
    return [ip];
  });
}

/** What kind of address a Service cannot have; undefined for one that it can. */
function specialKind(ip: Ip): string | undefined {
  const isIp4 = typeof ip === "number";
  if (isIp4 ? ip === 0 : ip === 0n) return "the unspecified address";
  if (isIp4 ? ip >>> 24 === 127 : ip === 1n) return "a loopback address";
  if (isIp4 ? ip >>> 28 === 0xe : ip >> 120n === 0xffn) return "a multicast address";
  return undefined;
}

/** The API defaults a policy that is not written by the families that are. */
function parseFamilies(
  spec: Field,
  clusterIPs: readonly Ip[],
): Pick<ServiceManifest, "families" | "familyPolicy"> {
  const asked = spec
    .at("ipFamilies")
    .items()
    .map((item) => (item.oneOf(["IPv4", "IPv6"], "IPv4") === "IPv4" ? 4 : 6));
  const families = asked.length > 0 ? asked : clusterIPs.map(familyOf);
  const policy = spec.at("ipFamilyPolicy");
  const familyPolicy = policy.oneOf(
    FAMILY_POLICIES,
    families.length > 1 ? "RequireDualStack" : "SingleStack",
  );
  if (familyPolicy === "SingleStack" && families.length > 1)
    policy.error("is SingleStack, but two families are named: leave one, or write PreferDualStack.");
  return { families, familyPolicy };
}

function parseAffinity(spec: Field): number | undefined {
  if (spec.at("sessionAffinity").oneOf(["None", "ClientIP"], "None") === "None") return undefined;
  const seconds = spec.at("sessionAffinityConfig").at("clientIP").at("timeoutSeconds").integer(1, 86400);
  return seconds ?? DEFAULT_AFFINITY_SECONDS;
}

/** The older name wins, though it be empty. */
function parseTopologyMode(annotations: Field): string {
  const older = annotations.at("service.kubernetes.io/topology-aware-hints");
  const newer = annotations.at("service.kubernetes.io/topology-mode");
  return (older.present ? older : newer).text() ?? "";
}

function parseLoadBalancer(object: Field) {
  const spec = object.at("spec");
  const wish = spec.at("loadBalancerIP");
  const nodePorts = spec.at("allocateLoadBalancerNodePorts");
  return {
    loadBalancerIngress: object
      .at("status")
      .at("loadBalancer")
      .at("ingress")
      .items()
      .map(parseIngress)
      .filter(isDefined),
    loadBalancerSourceRanges: spec
      .at("loadBalancerSourceRanges")
      .items()
      .map((item) => item.loosePrefix())
      .filter(isDefined),
    loadBalancerIP: wish.text() === "" ? undefined : wish.ip(),
    allocateNodePorts: !nodePorts.present || nodePorts.flag(),
  };
}

function parseIngress(ingress: Field): LoadBalancerIngress | undefined {
  const address = ingress.at("ip");
  if ((address.text() ?? "") === "") {
    ingress.note("names no ip: kube-proxy ignores it, as packets cannot be matched by a host name.");
    return undefined;
  }
  const ip = address.ip();
  return ip === undefined ? undefined : { ip, ipMode: ingress.at("ipMode").oneOf(["VIP", "Proxy"], "VIP") };
}
