import type { Diagnostic } from "../diagnostics.js";
import { familyOf, type Ip, printIp } from "../net/ip.js";
import { type Prefix, prefixContains, printPrefix } from "../net/prefix.js";
import { FIRST_NODE_PORT, LAST_NODE_PORT } from "./control/node-ports.js";
import { hasHealthCheck, type ServiceManifest } from "./service.js";

type Claim = readonly [field: string, message: string];

function beyondPorts(field: string, number: number): readonly Claim[] {
  if (number === 0 || (number >= FIRST_NODE_PORT && number <= LAST_NODE_PORT)) return [];
  const message = `${number} is outside ${FIRST_NODE_PORT}-${LAST_NODE_PORT}: an API server takes it only with another --service-node-port-range.`;
  return [[field, message]];
}

function beyondNetworks(ip: Ip, serviceCIDRs: readonly Prefix[]): readonly Claim[] {
  const own = serviceCIDRs.filter(({ address }) => familyOf(address) === familyOf(ip));
  if (own.length === 0 || own.some((network) => prefixContains(network, ip))) return [];
  const message = `${printIp(ip)} is outside the Services' network ${own.map(printPrefix).join(", ")}: an API server does not take it.`;
  return [["spec.clusterIPs", message]];
}

function claimsBeyond(service: ServiceManifest, serviceCIDRs: readonly Prefix[]): readonly Claim[] {
  const { ports, clusterIPs, healthCheckNodePort } = service;
  const health = hasHealthCheck(service) ? healthCheckNodePort : 0;
  return [
    ...ports.flatMap(({ nodePort }, index) => beyondPorts(`spec.ports[${index}].nodePort`, nodePort)),
    ...beyondPorts("spec.healthCheckNodePort", health),
    ...clusterIPs.flatMap((ip) => beyondNetworks(ip, serviceCIDRs)),
  ];
}

/**
 * Warns of numbers that an API server as it comes would refuse: nodePorts beyond its range, and ClusterIPs beyond the
 * networks of Services, of a family in which those are known.
 */
export function checkServiceRanges(
  services: readonly ServiceManifest[],
  serviceCIDRs: readonly Prefix[],
  diagnostics: Diagnostic[],
): void {
  for (const service of services) {
    for (const [field, message] of claimsBeyond(service, serviceCIDRs)) {
      diagnostics.push({ severity: "warning", place: { ...service.place, field }, message });
    }
  }
}
