import type { Field } from "./fields.js";
import { shortHash } from "./short-hash.js";

export interface OwnerReference {
  readonly kind: string;
  readonly name: string;
}

/** ObjectMeta, the fields the model reads. */
export interface Metadata {
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly owners: readonly OwnerReference[];
  /** metadata.deletionTimestamp is set. */
  readonly terminating: boolean;
}

/** Reads `metadata` of an object; the namespace is `default` where none is written, a name is required. */
export function parseMetadata(object: Field): Metadata {
  const metadata = object.at("metadata");
  const namespace = metadata.at("namespace").text();
  return {
    namespace: namespace === undefined || namespace === "" ? "default" : namespace,
    name: parseName(metadata),
    labels: metadata.at("labels").map(),
    owners: metadata.at("ownerReferences").items().map(parseOwner),
    terminating: metadata.at("deletionTimestamp").present,
  };
}

/** metadata.generateName gets the suffix that the API server would add. */
function parseName(metadata: Field): string {
  const prefix = metadata.at("generateName");
  const name = metadata.at("name");
  if (name.present || !prefix.present) return checkName(name, name.requiredText());
  const text = prefix.text() ?? "";
  return checkName(prefix, text + shortHash(text, 5));
}

/** Names are RFC 1123 subdomains (Kubernetes "Object Names and IDs"). */
function checkName(field: Field, name: string): string {
  if (name !== "" && !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)) {
    field.error(`«${name}» is no name: lower-case letters, digits, «-» and «.» only.`);
  }
  return name;
}

/** Only looked at to not make Pods twice, so an incomplete one is let pass. */
function parseOwner(owner: Field): OwnerReference {
  return { kind: owner.at("kind").text() ?? "", name: owner.at("name").text() ?? "" };
}
