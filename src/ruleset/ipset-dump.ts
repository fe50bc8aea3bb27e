import { type Diagnostic, InputError } from "../diagnostics.js";
import { type IpSet, parseIpSets } from "./ipset.js";
import { readLines } from "./words.js";

/** What a listing of sets says. */
export interface ReadSets {
  readonly sets: readonly IpSet[];
  readonly diagnostics: readonly Diagnostic[];
}

/** What no set is told by: ipset itself would refuse the file. */
function checkSetLines(text: string, file: string): void {
  const made = new Set<string>();
  readLines(text, file, (words) => {
    const verb = words.read("create or add", (word) => ["create", "add"].find((one) => one === word));
    const name = words.next("the name of a set");
    if (verb === "create" && made.has(name)) throw words.refusal(`set ${name} is created a second time.`);
    if (verb === "add" && !made.has(name)) throw words.refusal(`«${name}» is not a set created before.`);
    made.add(name);
    return undefined;
  });
}

/**
 * Reads what `ipset save` printed. Sets that are not modelled are left out, and a warning says so: rules that ask them are undecided.
 * InputError for lines that the tool did not print.
 */
export function readSets(text: string, file: string): ReadSets {
  checkSetLines(text, file);
  const lines = text.split("\n");
  const nameOf = (line: string) => line.trim().split(/\s+/)[1] ?? "";
  const names = new Set(lines.filter((line) => line.trim() !== "").map(nameOf));
  const sets: IpSet[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const name of names) {
    const own = lines.map((line) => (nameOf(line) === name ? line : ""));
    try {
      sets.push(...parseIpSets(own.join("\n"), file));
    } catch (error) {
      const [first] = error instanceof InputError ? error.diagnostics : [];
      if (first === undefined) throw error;
      const message = `the set ${name} is left out, so that rules which ask it are undecided: ${first.message}`;
      diagnostics.push({ severity: "warning", place: first.place, message });
    }
  }
  return { sets, diagnostics };
}
