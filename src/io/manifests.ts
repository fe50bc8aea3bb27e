import { isObject } from "../arguments.js";
import { type Diagnostic, InputError, type Place } from "../diagnostics.js";
import { type ManifestObject, objectName } from "../model/manifest.js";
import { type ManifestDocument, type ManifestText, parseDocuments } from "./manifest-text.js";

export type { ManifestText } from "./manifest-text.js";

/**
 * Reads Kubernetes objects from YAML (several documents) or JSON, and takes Lists apart, as `kubectl get -o yaml`
 * prints them. What the objects hold is not looked at. Throws one InputError that names every text, document and
 * line that cannot be read.
 */
export function parseManifests(texts: readonly ManifestText[]): readonly ManifestObject[] {
  const errors: Diagnostic[] = [];
  const objects = texts.flatMap((text) =>
    parseDocuments(text, errors).flatMap((document) => objectsOf(document, errors)),
  );
  if (errors.length > 0) throw new InputError(errors);
  return objects;
}

function objectsOf({ value, place }: ManifestDocument, errors: Diagnostic[]): readonly ManifestObject[] {
  if (!isObject(value)) {
    errors.push(errorAt(place, `is ${typeName(value)}, not a Kubernetes object with apiVersion and kind.`));
    return [];
  }
  const { apiVersion, kind } = value;
  if (typeof kind === "string" && isList(kind, value)) return itemsOf(kind, value, place, errors);
  if (typeof apiVersion === "string" && typeof kind === "string" && apiVersion !== "" && kind !== "") {
    return [{ apiVersion, kind, value, place: { ...place, object: objectName(kind, value.metadata) } }];
  }
  const missing = [textless("apiVersion", apiVersion), textless("kind", kind)].filter(
    (name) => name !== undefined,
  );
  errors.push(
    errorAt(
      place,
      `has no ${missing.join(" and no ")}: every Kubernetes object has an apiVersion and a kind.`,
    ),
  );
  return [];
}

function textless(name: string, value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? undefined : name;
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return typeof value === "string" ? "plain text" : `«${String(value)}»`;
}

/** `List`, or `PodList` with items; an empty list prints its items as null. */
function isList(kind: string, value: Readonly<Record<string, unknown>>): boolean {
  return kind === "List" || (kind.endsWith("List") && "items" in value);
}

/** Items of a FooList need not repeat apiVersion and kind: the API server leaves them out. */
function itemsOf(
  kind: string,
  list: Readonly<Record<string, unknown>>,
  place: Place,
  errors: Diagnostic[],
): readonly ManifestObject[] {
  const items = list.items ?? [];
  if (!Array.isArray(items)) {
    errors.push(errorAt({ ...place, object: kind, field: "items" }, `is ${typeName(items)}, not a list.`));
    return [];
  }
  const inherited =
    kind === "List" ? {} : { apiVersion: list.apiVersion, kind: kind.slice(0, -"List".length) };
  return items.flatMap((item, index) => {
    const value = isObject(item) ? { ...inherited, ...item } : item;
    const found: Diagnostic[] = [];
    const objects = objectsOf({ value, place }, found);
    for (const { place: within, message } of found) {
      errors.push(errorAt({ ...place, object: kind, field: `items[${index}]${suffix(within)}` }, message));
    }
    return objects;
  });
}

function suffix({ field }: Place): string {
  return field === undefined ? "" : `.${field}`;
}

function errorAt(place: Place, message: string): Diagnostic {
  return { severity: "error", place, message };
}
