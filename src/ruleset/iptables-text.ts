import { type Diagnostic, InputError } from "../diagnostics.js";
import type { Family } from "../net/ip.js";
import type { Chain, Iptables, IptablesTable, Rule } from "./iptables.js";
import { printMatches, readMatches } from "./iptables-match.js";
import { printTarget, readTarget } from "./iptables-target.js";
import { splitRule } from "./iptables-values.js";
import { refusalAt, Words } from "./words.js";

const TABLES = ["nat", "filter", "mangle", "raw"] as const;

/** The order of the listing: built-in chains as given, then the others by name. */
function listed(chains: readonly Chain[]): readonly Chain[] {
  const own = chains.filter(({ policy }) => policy === undefined);
  own.sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...chains.filter(({ policy }) => policy !== undefined), ...own];
}

function printTable({ name, chains }: IptablesTable): string {
  const lines = [`*${name}`];
  const inOrder = listed(chains);
  for (const chain of inOrder) lines.push(`:${chain.name} ${chain.policy ?? "-"} [0:0]`);
  for (const chain of inOrder) {
    for (const rule of chain.rules)
      lines.push(`-A ${chain.name}${printMatches(rule)}${printTarget(rule.target)}`);
  }
  lines.push("COMMIT", "");
  return lines.join("\n");
}

/**
 * The listing of iptables-save (ip6tables-save for family 6), with counters of zero and without its comment
 * lines. As the tool does, it sorts the chains of each table by name, whose order means nothing.
 */
export function printIptables(iptables: Iptables): string {
  return iptables.tables.map(printTable).join("");
}

/** A table while its lines are read. */
interface TableDraft {
  readonly name: IptablesTable["name"];
  readonly chains: Map<string, { readonly policy: Chain["policy"]; readonly rules: Rule[] }>;
}

function openTable(words: Words, tables: readonly IptablesTable[]): TableDraft {
  const name = words.read("a table this program models", (word) =>
    TABLES.find((table) => `*${table}` === word),
  );
  if (tables.some((table) => table.name === name))
    throw words.refusal(`table ${name} is listed a second time.`);
  return { name, chains: new Map() };
}

/** `:INPUT ACCEPT [0:0]` or `:KUBE-SERVICES - [0:0]`. */
function readChain(words: Words, { chains }: TableDraft): void {
  const name = words.next("a chain").slice(1);
  if (chains.has(name)) throw words.refusal(`chain ${name} is listed a second time.`);
  const policy = words.read("a chain's policy (ACCEPT, DROP or -)", (word) =>
    word === "ACCEPT" || word === "DROP" || word === "-" ? word : undefined,
  );
  chains.set(name, { policy: policy === "-" ? undefined : policy, rules: [] });
}

/** `-A KUBE-SERVICES …`, after `[packets:octets]` where counters are listed. */
function readRule(words: Words, { chains }: TableDraft, family: Family): void {
  if (words.peek()?.startsWith("[")) words.next("counters");
  words.expect("-A");
  const chain = words.read("a chain of this table", (word) => chains.get(word));
  const rule = readMatches(words, family);
  const target = readTarget(words, family, chains);
  chain.rules.push(target === undefined ? rule : { ...rule, target });
}

function closeTable({ name, chains }: TableDraft): IptablesTable {
  return {
    name,
    chains: [...chains].map(([chain, { policy, rules }]) =>
      policy === undefined ? { name: chain, rules } : { name: chain, policy, rules },
    ),
  };
}

/** Reads the lines of a listing into tables, one after another. */
class Listing {
  readonly tables: IptablesTable[] = [];
  #open: TableDraft | undefined;
  /** Inside of a table that was refused: one error is enough for it. */
  #skipping = false;

  constructor(private readonly family: Family) {}

  get isOpen(): boolean {
    return this.#open !== undefined || this.#skipping;
  }

  read(line: string, words: Words): void {
    if (this.#skipping) {
      this.#skipping = line !== "COMMIT";
    } else if (this.#open === undefined) {
      this.#skipping = line.startsWith("*");
      this.#open = openTable(words, this.tables);
      this.#skipping = false;
    } else if (line === "COMMIT") {
      this.tables.push(closeTable(this.#open));
      this.#open = undefined;
    } else if (line.startsWith(":")) {
      readChain(words, this.#open);
    } else {
      readRule(words, this.#open, this.family);
    }
  }
}

/**
 * Reads a listing of iptables-save; counters and comment lines are passed over. It is refused whole
 * (InputError, each line and word named) if anything in it is not modelled, for a rule left out would change
 * what the others do. `file` is named in the errors.
 */
export function parseIptables(text: string, file: string, family: Family = 4): Iptables {
  const listing = new Listing(family);
  const errors: Diagnostic[] = [];
  const lines = text.split("\n");
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    try {
      const words = splitRule(line);
      if (words === undefined) throw refusalAt(file, index + 1, "a quote is not closed.");
      listing.read(line, new Words(words, file, index + 1));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      errors.push(...error.diagnostics);
    }
  }
  if (listing.isOpen)
    errors.push(...refusalAt(file, lines.length, "the listing ends before COMMIT.").diagnostics);
  if (errors.length > 0) throw new InputError(errors);
  return { family, tables: listing.tables };
}
