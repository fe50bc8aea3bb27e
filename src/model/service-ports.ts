import type { Protocol } from "../net/port.js";
import type { Field } from "./fields.js";

export interface ServicePort {
  /** "" when the manifest gives none. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  /** 0 for none. */
  readonly nodePort: number;
  /** Port number or the name of a container port. kube-proxy never reads it; EndpointSlices are made from it. */
  readonly targetPort: number | string;
}

/** What a v1 ServicePort has (Kubernetes 1.35, core/v1 types.go). */
const FIELDS = ["name", "protocol", "appProtocol", "port", "targetPort", "nodePort"];

/** Reads spec.ports of a Service and holds them to the API's rules; only headless Services may have none. */
export function parseServicePorts(spec: Field, mayBeEmpty: boolean): readonly ServicePort[] {
  const fields = spec.at("ports").items();
  const ports = fields.map(parsePort);
  if (ports.length === 0 && !mayBeEmpty)
    spec.at("ports").error("is empty: a Service needs at least one port.");
  checkUnique(fields, ports, "name", (port) => port.name || undefined);
  checkUnique(fields, ports, "port", (port) => `${port.port}/${port.protocol}`);
  checkUnique(fields, ports, "nodePort", (port) =>
    port.nodePort ? `${port.nodePort}/${port.protocol}` : undefined,
  );
  if (ports.length > 1) for (const field of fields) requireName(field);
  return ports;
}

function parsePort(field: Field): ServicePort {
  field.warnBeside(FIELDS, "v1 ServicePort");
  const number = field.at("port");
  if (!number.present) number.error("is missing.");
  const port = number.integer(1, 65535) ?? 0;
  return {
    name: field.at("name").text() ?? "",
    protocol: field.at("protocol").oneOf(["TCP", "UDP", "SCTP"], "TCP"),
    port,
    nodePort: field.at("nodePort").integer(0, 65535) ?? 0,
    targetPort: parseTargetPort(field.at("targetPort")) ?? port,
  };
}

/** The API takes a port number or the name of a container port, and 0 for «the same as port». */
function parseTargetPort(field: Field): number | string | undefined {
  const target = field.numberOrText();
  if (typeof target === "number") return field.integer(0, 65535) || undefined;
  if (target === undefined || target === "") return undefined;
  if (/^[0-9]+$/.test(target)) field.error(`«${target}» is text: write the port number without quotes.`);
  return target;
}

function requireName(field: Field): void {
  const name = field.at("name");
  if (!name.present || name.text() === "")
    name.error("is missing: each of several ports needs a name of its own.");
}

function checkUnique(
  fields: readonly Field[],
  ports: readonly ServicePort[],
  fieldName: string,
  keyOf: (port: ServicePort) => string | undefined,
): void {
  const seen = new Map<string, Field>();
  ports.forEach((port, index) => {
    const key = keyOf(port);
    const field = fields[index];
    if (key === undefined || field === undefined) return;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, field);
    else field.at(fieldName).error(`«${key}» is already taken by ${first.path}.`);
  });
}
