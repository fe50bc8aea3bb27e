import type { Diagnostic } from "../../diagnostics.js";
import { hasHealthCheck, type ServiceManifest } from "../service.js";
import type { ServicePort } from "../service-ports.js";

/** The API server's --service-node-port-range, where nothing else is said. */
export const FIRST_NODE_PORT = 30000;
export const LAST_NODE_PORT = 32767;
/** Where it begins to allocate: it keeps min(max(16, size / 32), 128) ports for those who choose (KEP-3668). */
const FIRST_DYNAMIC_PORT = FIRST_NODE_PORT + 86;

/** The Services with the nodePorts and healthCheckNodePorts that their type asks for. */
export function withNodePorts(
  services: readonly ServiceManifest[],
  diagnostics: Diagnostic[],
): readonly ServiceManifest[] {
  const next = freePorts(services);
  return services.map((service) => {
    const wanted = wantsNodePorts(service);
    const ports = wanted ? portsOf(service.ports, next) : service.ports;
    const lacksHealthCheck = hasHealthCheck(service) && service.healthCheckNodePort === 0;
    const healthCheckNodePort = lacksHealthCheck ? next() : service.healthCheckNodePort;
    if (healthCheckNodePort === undefined || ports.includes(undefined)) {
      const message = `no nodePort is free in ${FIRST_NODE_PORT}-${LAST_NODE_PORT}: give fewer Services one.`;
      diagnostics.push({ severity: "error", place: { ...service.place, field: "spec.ports" }, message });
      return service;
    }
    return { ...service, ports: ports as readonly ServicePort[], healthCheckNodePort };
  });
}

function wantsNodePorts({ type, allocateNodePorts }: ServiceManifest): boolean {
  return type === "NodePort" || (type === "LoadBalancer" && allocateNodePorts);
}

/** One number for each port; the same port over two protocols shares one, as in the API server. */
function portsOf(
  ports: readonly ServicePort[],
  next: () => number | undefined,
): readonly (ServicePort | undefined)[] {
  const chosen = new Map<number, number>();
  for (const { port, nodePort } of ports) if (nodePort !== 0 && !chosen.has(port)) chosen.set(port, nodePort);
  return ports.map((port) => {
    if (port.nodePort !== 0) return port;
    const nodePort = chosen.get(port.port) ?? next();
    if (nodePort === undefined) return undefined;
    chosen.set(port.port, nodePort);
    return { ...port, nodePort };
  });
}

/** Numbers that no Service has taken, upward from the dynamic band, then the band below it. */
function freePorts(services: readonly ServiceManifest[]): () => number | undefined {
  const used = new Set(services.map(({ healthCheckNodePort }) => healthCheckNodePort));
  for (const { ports } of services) for (const { nodePort } of ports) used.add(nodePort);
  const size = LAST_NODE_PORT - FIRST_NODE_PORT + 1;
  let tried = 0;
  return () => {
    while (tried < size) {
      const port = FIRST_NODE_PORT + ((FIRST_DYNAMIC_PORT - FIRST_NODE_PORT + tried++) % size);
      if (!used.has(port)) return port;
    }
    return undefined;
  };
}
