import type { Field } from "./fields.js";

/** An entry of a Node's spec.taints. */
export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
}

/** An entry of a Pod's spec.tolerations; an empty key or effect stands for any. */
interface Toleration {
  readonly key: string;
  readonly operator: "Equal" | "Exists";
  readonly value: string;
  readonly effect: string;
}

/** A node selector requirement, on a label or (`metadata.name`) on the Node's name. */
interface Requirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
  readonly values: readonly string[];
  readonly field: boolean;
}

/** What a Pod demands of its Node: nodeSelector, required node affinity and tolerations. */
export interface Placement {
  readonly nodeSelector: ReadonlyMap<string, string>;
  /** Alternatives, each a list of requirements that must all hold; undefined for no affinity. */
  readonly affinity: readonly (readonly Requirement[])[] | undefined;
  readonly tolerations: readonly Toleration[];
}

/** The Node as placement sees it. */
export interface PlacementNode {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly unschedulable: boolean;
  readonly taints: readonly Taint[];
}

const OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] as const;

export function parseTaint(taint: Field): Taint {
  return {
    key: taint.at("key").requiredText(),
    value: taint.at("value").text() ?? "",
    effect: taint.at("effect").requiredText(),
  };
}

/** Of most Pods: shared, as a large cluster has many. */
const ANYWHERE: Placement = { nodeSelector: new Map(), affinity: undefined, tolerations: [] };

/** Reads the placement fields of a Pod's spec. Preferences are not read: they bind nobody. */
export function parsePlacement(spec: Field): Placement {
  const nodeSelector = spec.at("nodeSelector");
  const affinity = spec.at("affinity");
  const tolerations = spec.at("tolerations");
  if (!nodeSelector.present && !affinity.present && !tolerations.present) return ANYWHERE;
  return {
    nodeSelector: nodeSelector.map(),
    affinity: parseAffinity(affinity.at("nodeAffinity")),
    tolerations: tolerations.items().map(parseToleration),
  };
}

function parseAffinity(nodeAffinity: Field): Placement["affinity"] {
  const required = nodeAffinity.at("requiredDuringSchedulingIgnoredDuringExecution");
  return required.present ? required.at("nodeSelectorTerms").items().map(parseTerm) : undefined;
}

function parseTerm(term: Field): readonly Requirement[] {
  return [
    ...term
      .at("matchExpressions")
      .items()
      .map((field) => parseRequirement(field, false)),
    ...term
      .at("matchFields")
      .items()
      .map((field) => parseRequirement(field, true)),
  ];
}

function parseRequirement(requirement: Field, field: boolean): Requirement {
  return {
    key: requirement.at("key").requiredText(),
    operator: requirement.at("operator").oneOf(OPERATORS, "In"),
    values: requirement
      .at("values")
      .items()
      .map((value) => value.text() ?? ""),
    field,
  };
}

function parseToleration(toleration: Field): Toleration {
  return {
    key: toleration.at("key").text() ?? "",
    operator: toleration.at("operator").oneOf(["Equal", "Exists"], "Equal"),
    value: toleration.at("value").text() ?? "",
    effect: toleration.at("effect").text() ?? "",
  };
}

/** Whether the scheduler would put such a Pod on the Node; DaemonSets also run on unschedulable Nodes. */
export function admits(node: PlacementNode, placement: Placement, daemon: boolean): boolean {
  if (node.unschedulable && !daemon) return false;
  for (const [key, value] of placement.nodeSelector) if (node.labels.get(key) !== value) return false;
  if (placement.affinity?.some((term) => matchesTerm(node, term)) === false) return false;
  return node.taints.every((taint) => tolerated(taint, placement.tolerations, daemon));
}

/** An empty term matches no Node (API reference, NodeSelectorTerm). */
function matchesTerm(node: PlacementNode, term: readonly Requirement[]): boolean {
  return term.length > 0 && term.every((requirement) => matches(node, requirement));
}

function matches(node: PlacementNode, { key, operator, values, field }: Requirement): boolean {
  const value = field ? node.name : node.labels.get(key);
  const bound = Number(values[0]);
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return Number(value) > bound;
    case "Lt":
      return Number(value) < bound;
  }
}

/** The DaemonSet controller adds tolerations for the node conditions, node.kubernetes.io/*, by itself. */
function tolerated(taint: Taint, tolerations: readonly Toleration[], daemon: boolean): boolean {
  if (taint.effect === "PreferNoSchedule") return true;
  if (daemon && taint.key.startsWith("node.kubernetes.io/")) return true;
  return tolerations.some(
    ({ key, operator, value, effect }) =>
      (effect === "" || effect === taint.effect) &&
      (key === "" ? operator === "Exists" : key === taint.key) &&
      (operator === "Exists" || value === taint.value),
  );
}
