import { type Family, familyOf, type Ip } from "../net/ip.js";
import type { Protocol } from "../net/port.js";
import type { Field } from "./fields.js";
import { parseMetadata } from "./metadata.js";

export interface EndpointConditions {
  /** undefined is the API's nil; kube-proxy reads nil ready and nil serving as true, nil terminating as false. */
  readonly ready: boolean | undefined;
  readonly serving: boolean | undefined;
  readonly terminating: boolean | undefined;
}

export interface Endpoint {
  /** Only addresses[0] counts. */
  readonly address: Ip;
  readonly conditions: EndpointConditions;
  /** undefined: no nodeName, the endpoint counts as remote. */
  readonly nodeName: string | undefined;
  /** `pod/namespace/name` of targetRef, for people. */
  readonly targetRef: string | undefined;
  readonly hintZones: readonly string[];
  readonly hintNodes: readonly string[];
}

export interface EndpointPort {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
}

/** discovery.k8s.io/v1 EndpointSlice, also made from v1 Endpoints. */
export interface EndpointSlice {
  readonly namespace: string;
  readonly name: string;
  /** Label kubernetes.io/service-name. */
  readonly serviceName: string;
  readonly family: 4 | 6;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
/** Slices of headless Services carry it (kube-proxy's own selector on the API). */
const HEADLESS_LABEL = "service.kubernetes.io/headless";

/** Reads an EndpointSlice; undefined where kube-proxy would pass it over, which a note then says. */
export function parseEndpointSlice(object: Field): EndpointSlice | undefined {
  const { namespace, name, labels } = parseMetadata(object);
  const type = object.at("addressType").oneOf(["IPv4", "IPv6", "FQDN"], "IPv4");
  const serviceName = labels.get(SERVICE_NAME_LABEL);
  const family = type === "IPv6" ? 6 : 4;
  if (type === "FQDN") object.at("addressType").note("is FQDN: kube-proxy passes the slice over.");
  else if (serviceName === undefined)
    object.note(`has no label ${SERVICE_NAME_LABEL}: it belongs to no Service.`);
  const isHeadless = labels.has(HEADLESS_LABEL);
  if (isHeadless) object.note(`has the label ${HEADLESS_LABEL}: kube-proxy passes the slice over.`);
  const ports = parseEndpointPorts(namedPorts(object.at("ports")));
  if (type === "FQDN" || serviceName === undefined || isHeadless) return undefined;
  const endpoints = object
    .at("endpoints")
    .items()
    .map((item) => parseEndpoint(item, family));
  return {
    namespace,
    name,
    serviceName,
    family,
    ports,
    endpoints: endpoints.filter((endpoint) => endpoint !== undefined),
  };
}

/** Of a slice's ports those that have a name, though it be "": kube-proxy skips the others. */
function namedPorts(list: Field): readonly Field[] {
  return list.items().filter((item) => {
    const name = item.at("name");
    if (!name.present)
      name.warning('is missing: kube-proxy passes the port over. Write name: "" for a port without a name.');
    return name.present;
  });
}

/** Ports of a slice, or of a subset of Endpoints; one without a number stands for all ports, which kube-proxy skips. */
export function parseEndpointPorts(items: readonly Field[]): readonly EndpointPort[] {
  const ports = items.map((item) => ({
    name: item.at("name").text() ?? "",
    protocol: item.at("protocol").oneOf(["TCP", "UDP", "SCTP"], "TCP"),
    port: item.at("port").integer(0, 65535) ?? 0,
  }));
  return ports.filter(({ port }) => port !== 0);
}

function parseEndpoint(endpoint: Field, family: Family): Endpoint | undefined {
  const first = endpoint.at("addresses").items()[0];
  const address = first?.ip();
  if (first === undefined || address === undefined) return undefined;
  if (familyOf(address) !== family) first.error(`is not of the slice's addressType, IPv${family}.`);
  const conditions = endpoint.at("conditions");
  const hints = endpoint.at("hints");
  return {
    address,
    conditions: {
      ready: optionalFlag(conditions.at("ready")),
      serving: optionalFlag(conditions.at("serving")),
      terminating: optionalFlag(conditions.at("terminating")),
    },
    nodeName: endpoint.at("nodeName").text(),
    targetRef: parseTargetRef(endpoint.at("targetRef")),
    hintZones: parseNames(hints.at("forZones")),
    hintNodes: parseNames(hints.at("forNodes")),
  };
}

function optionalFlag(field: Field): boolean | undefined {
  return field.present ? field.flag() : undefined;
}

function parseNames(list: Field): readonly string[] {
  return list.items().map((item) => item.at("name").requiredText());
}

/** `pod/shop/web-0`; undefined where there is no reference. */
export function parseTargetRef(reference: Field): string | undefined {
  if (!reference.present) return undefined;
  const kind = (reference.at("kind").text() ?? "").toLowerCase();
  return [kind, reference.at("namespace").text(), reference.at("name").text()]
    .filter((part) => part)
    .join("/");
}
