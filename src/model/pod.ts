import type { Place } from "../diagnostics.js";
import type { Ip } from "../net/ip.js";
import type { Protocol } from "../net/port.js";
import type { Field } from "./fields.js";
import { type Metadata, parseMetadata } from "./metadata.js";
import { type Placement, parsePlacement } from "./placement.js";

export interface ContainerPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
}

/** v1 Pod, the fields that packets depend on. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly nodeName: string;
  readonly hostNetwork: boolean;
  /** status.podIPs; given by the model where the manifest has none. */
  readonly podIPs: readonly Ip[];
  readonly ports: readonly ContainerPort[];
  /** The Ready condition; true where the manifest has no status. */
  readonly ready: boolean;
  readonly terminating: boolean;
}

/** A PodSpec, as a Pod and the template of a workload have it. */
export interface PodSpec {
  /** "" where the scheduler is to choose. */
  readonly nodeName: string;
  readonly hostNetwork: boolean;
  readonly ports: readonly ContainerPort[];
  readonly placement: Placement;
}

/** A Pod as written: it may still lack a Node and addresses. */
export interface PodManifest extends Metadata {
  readonly spec: PodSpec;
  readonly podIPs: readonly Ip[];
  readonly hostIP: Ip | undefined;
  readonly ready: boolean;
  /** status.phase Succeeded or Failed: it has given its address back. */
  readonly finished: boolean;
  readonly place: Place;
}

const PHASES = ["Pending", "Running", "Succeeded", "Failed", "Unknown"] as const;

/** Reads a Pod; errors are added to the object's diagnostics. */
export function parsePod(object: Field): PodManifest {
  const status = object.at("status");
  const phase = status.at("phase").oneOf(PHASES, "Running");
  return {
    ...parseMetadata(object),
    spec: parsePodSpec(object.at("spec")),
    podIPs: parsePodIPs(status),
    hostIP: status.at("hostIP").text() === "" ? undefined : status.at("hostIP").ip(),
    ready: phase !== "Pending" && isReady(status),
    finished: phase === "Succeeded" || phase === "Failed",
    place: object.place,
  };
}

/** Reads spec of a Pod or spec.template.spec of a workload. */
export function parsePodSpec(spec: Field): PodSpec {
  const sidecars = spec
    .at("initContainers")
    .items()
    .filter((container) => container.at("restartPolicy").text() === "Always");
  const containers = [...spec.at("containers").items(), ...sidecars];
  const ports = containers.flatMap((container) => container.at("ports").items());
  const hostNetwork = spec.at("hostNetwork").flag();
  if (!hostNetwork) ports.forEach(warnOfHostPort);
  return {
    nodeName: spec.at("nodeName").text() ?? "",
    hostNetwork,
    ports: ports.map(parseContainerPort),
    placement: parsePlacement(spec),
  };
}

/** The portmap CNI plugin would translate it; on the host network it is the container's port itself. */
function warnOfHostPort(port: Field): void {
  const hostPort = port.at("hostPort");
  const number = hostPort.integer(0, 65535) ?? 0;
  if (number !== 0) hostPort.warning(`is not modelled: nothing listens on port ${number} of the node.`);
}

function parseContainerPort(port: Field): ContainerPort {
  const number = port.at("containerPort");
  if (!number.present) number.error("is missing.");
  return {
    name: port.at("name").text() ?? "",
    port: number.integer(1, 65535) ?? 0,
    protocol: port.at("protocol").oneOf(["TCP", "UDP", "SCTP"], "TCP"),
  };
}

function parsePodIPs(status: Field): readonly Ip[] {
  const list = status
    .at("podIPs")
    .items()
    .map((item) => item.at("ip"));
  const single = status.at("podIP");
  const fields = list.length === 0 && single.text() !== "" ? [single] : list;
  return fields.map((field) => field.ip()).filter((ip) => ip !== undefined);
}

function isReady(status: Field): boolean {
  const conditions = status.at("conditions").items();
  const ready = conditions.find((condition) => condition.at("type").text() === "Ready");
  return ready === undefined ? conditions.length === 0 : ready.at("status").text() === "True";
}
