import { InvalidArgumentError } from "commander";
import { type Diagnostic, InputError, type Place, type Ruleset } from "../index.js";
import { interfaceNameFault, interfacesInRules, isNamedIn } from "../ruleset/interface-names.js";

/** An option's argument that names an interface. */
export function interfaceName(text: string): string {
  const fault = interfaceNameFault(text);
  if (fault === undefined) return text;
  throw new InvalidArgumentError(`«${text}» ${fault}.`);
}

/** InputError where a packet is to come in by an interface that the node does not have. */
export function checkInterface({ node, interfaces }: Ruleset, name: string | undefined): void {
  if (name === undefined || interfaces.some((one) => one.name === name)) return;
  const names = interfaces.map((one) => one.name).join(", ");
  const message = `--in ${name}: the node has no such interface; it has ${names}.`;
  throw new InputError([{ severity: "error", place: { object: `Node ${node}` }, message }]);
}

/** An interface that packets are to come in by, and where that is said. */
export interface Entrance {
  readonly name: string;
  readonly place: Place;
}

/** Warnings of interfaces that neither the node nor any of its rules knows, each once. */
export function strangeInterfaces(ruleset: Ruleset, entrances: readonly Entrance[]): readonly Diagnostic[] {
  const known = [...new Set([...ruleset.interfaces.map((one) => one.name), ...interfacesInRules(ruleset)])];
  const strange = new Map(
    entrances.filter(({ name }) => !isNamedIn(known, name)).map((one) => [one.name, one]),
  );
  return [...strange.values()].map(({ name, place }) => {
    const message = `«${name}» is an interface that neither the node nor any rule knows; known are ${known.join(", ")}.`;
    return { severity: "warning", place, message };
  });
}
