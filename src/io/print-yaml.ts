import { stringify } from "yaml";

/** Plain data as one YAML document, without line folding. */
export function printYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0 });
}
