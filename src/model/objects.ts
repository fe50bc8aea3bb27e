import { type Diagnostic, InputError, printPlace } from "../diagnostics.js";
import type { Prefix } from "../net/prefix.js";
import { parseEndpoints } from "./endpoints.js";
import { type EndpointSlice, parseEndpointSlice } from "./endpointslice.js";
import { Field } from "./fields.js";
import { groupOf, type ManifestObject, objectName } from "./manifest.js";
import { parseMetadata } from "./metadata.js";
import { type NodeManifest, parseNode } from "./node.js";
import { type PodManifest, parsePod } from "./pod.js";
import { parseService, type ServiceManifest } from "./service.js";
import { parseWorkload, type Workload, type WorkloadKind } from "./workload.js";

/** Every object that the model knows, parsed, in the order of the input. */
export interface Objects {
  readonly nodes: readonly NodeManifest[];
  readonly namespaces: readonly string[];
  readonly pods: readonly PodManifest[];
  readonly workloads: readonly Workload[];
  readonly services: readonly ServiceManifest[];
  readonly endpointSlices: readonly EndpointSlice[];
  /** Of ServiceCIDR objects, in their order. */
  readonly serviceCIDRs: readonly Prefix[];
  /** v1 Endpoints, already as slices. */
  readonly endpoints: readonly EndpointSlice[];
}

type Lists = { -readonly [K in keyof Objects]: Objects[K] extends readonly (infer T)[] ? T[] : never };
type Read = (lists: Lists, object: Field) => void;

const workload =
  (kind: WorkloadKind): Read =>
  (lists, object) => {
    lists.workloads.push(parseWorkload(kind, object));
  };

const core: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["Node", (lists, object) => lists.nodes.push(parseNode(object))],
  ["Namespace", (lists, object) => lists.namespaces.push(parseMetadata(object).name)],
  ["Pod", (lists, object) => lists.pods.push(parsePod(object))],
  ["Service", (lists, object) => lists.services.push(parseService(object))],
  ["Endpoints", (lists, object) => lists.endpoints.push(...parseEndpoints(object))],
  ["ReplicationController", workload("ReplicationController")],
]);

const apps: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["Deployment", workload("Deployment")],
  ["ReplicaSet", workload("ReplicaSet")],
  ["StatefulSet", workload("StatefulSet")],
  ["DaemonSet", workload("DaemonSet")],
]);

/** What is read of which API group; kinds of the same name in other groups are other kinds. */
const READERS: ReadonlyMap<string, ReadonlyMap<string, Read>> = new Map<string, ReadonlyMap<string, Read>>([
  ["", core],
  ["apps", apps],
  ["extensions", apps],
  [
    "batch",
    new Map<string, Read>([
      ["Job", workload("Job")],
      ["CronJob", readCronJob],
    ]),
  ],
  ["networking.k8s.io", new Map<string, Read>([["ServiceCIDR", readServiceCIDR]])],
  ["discovery.k8s.io", new Map<string, Read>([["EndpointSlice", readEndpointSlice]])],
]);

/**
 * Parses what the model knows, of objects given twice the last, and counts what it does not: one note for each
 * skipped kind is added to the diagnostics. Throws one InputError with every error found in any object.
 */
export function readObjects(objects: readonly ManifestObject[], diagnostics: Diagnostic[]): Objects {
  const lists: Lists = {
    nodes: [],
    namespaces: [],
    pods: [],
    workloads: [],
    services: [],
    endpointSlices: [],
    serviceCIDRs: [],
    endpoints: [],
  };
  const skipped = new Map<string, number>();
  const last = new Map(objects.map((object) => [keyOf(object), object]));
  for (const object of objects) {
    const read = readerOf(object);
    const winner = last.get(keyOf(object)) ?? object;
    if (read === undefined) {
      const kind = skippedName(object);
      skipped.set(kind, (skipped.get(kind) ?? 0) + 1);
    } else if (winner === object) read(lists, Field.of(object, diagnostics));
    else Field.of(object, diagnostics).warning(givenAgain(winner));
  }
  for (const [kind, count] of skipped) diagnostics.push(skippedDiagnostic(kind, count));
  throwErrors(diagnostics);
  return lists;
}

function readerOf({ apiVersion, kind }: ManifestObject): Read | undefined {
  return READERS.get(groupOf(apiVersion))?.get(kind);
}

/** Whether an object is of a kind that the model knows and that may have to do with packets. */
export function isNetworked(object: ManifestObject): boolean {
  return readerOf(object) !== undefined && object.kind !== "Namespace";
}

/** Throws the errors among the diagnostics, each once, if there are any. */
export function throwErrors(diagnostics: readonly Diagnostic[]): void {
  const errors = new Map<string, Diagnostic>();
  for (const diagnostic of diagnostics) {
    if (diagnostic.severity === "error") {
      errors.set(`${printPlace(diagnostic.place)}\n${diagnostic.message}`, diagnostic);
    }
  }
  if (errors.size > 0) throw new InputError([...errors.values()]);
}

/** Objects of one key are one object to the API server; one without a name is only equal to itself. */
function keyOf(object: ManifestObject): unknown {
  const name = objectName(object.kind, object.value.metadata);
  return name === object.kind ? object : `${groupOf(object.apiVersion)} ${name}`;
}

/** As with `kubectl apply -f folder`, what comes later replaces what came before. */
function givenAgain(winner: ManifestObject): string {
  const { object: _, ...rest } = winner.place;
  const where = printPlace(rest);
  return `is given again${where === "" ? "" : ` in ${where}`}: the later one counts.`;
}

function readCronJob(_lists: Lists, object: Field): void {
  parseMetadata(object);
  object.note("runs nothing until its hour: no Pods are made for a CronJob.");
}

function readServiceCIDR(lists: Lists, object: Field): void {
  const prefixes = object
    .at("spec")
    .at("cidrs")
    .items()
    .map((field) => field.prefix());
  for (const prefix of prefixes) if (prefix !== undefined) lists.serviceCIDRs.push(prefix);
}

function readEndpointSlice(lists: Lists, object: Field): void {
  const slice = parseEndpointSlice(object);
  if (slice !== undefined) lists.endpointSlices.push(slice);
}

/** `ConfigMap`, but `Service (serving.knative.dev)` where the model knows a kind of that name elsewhere. */
function skippedName({ apiVersion, kind }: ManifestObject): string {
  const known = [...READERS.values()].some((kinds) => kinds.has(kind));
  return known ? `${kind} (${apiVersion})` : kind;
}

function skippedDiagnostic(kind: string, count: number): Diagnostic {
  const isPolicy = kind.endsWith("NetworkPolicy");
  return {
    severity: isPolicy ? "warning" : "note",
    place: {},
    message: isPolicy
      ? `skipped ${count} ${kind}: not modelled, so packets that it forbids are let through.`
      : `skipped ${count} ${kind}.`,
  };
}
