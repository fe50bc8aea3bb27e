import { InvalidArgumentError } from "commander";
import { type Diagnostic, InputError, type Ruleset } from "../index.js";
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

/** A warning where neither the node nor any of its rules knows the interface that packets are to come in by. */
export function strangeInterface(ruleset: Ruleset, name: string | undefined): readonly Diagnostic[] {
  const known = [...new Set([...ruleset.interfaces.map((one) => one.name), ...interfacesInRules(ruleset)])];
  if (name === undefined || isNamedIn(known, name)) return [];
  const message = `--in ${name}: neither the node nor any rule knows such an interface; known are ${known.join(", ")}.`;
  return [{ severity: "warning", place: { object: `Node ${ruleset.node}` }, message }];
}
