import { expectText } from "../arguments.js";
import { type Diagnostic, InputError } from "../diagnostics.js";
import type { Family } from "../net/ip.js";
import { type Chain, IPTABLES_TABLES, type Iptables, type IptablesTable, type Rule } from "./iptables.js";
import { printMatches, readMatches } from "./iptables-match.js";
import { printTarget, readTarget } from "./iptables-target.js";
import { splitRule } from "./iptables-values.js";
import { refusalAt, Words } from "./words.js";

/** The order of the listing: built-in chains as given, then the others by name. */
function listed(chains: readonly Chain[]): readonly Chain[] {
  const own = chains.filter(({ policy }) => policy === undefined);
  own.sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...chains.filter(({ policy }) => policy !== undefined), ...own];
}

/** `-d 10.96.0.10/32 -p udp -j KUBE-SVC-A`: a rule without its chain, as iptables-save lists it. */
export function printRule(rule: Rule): string {
  return (printMatches(rule) + printTarget(rule.target)).trimStart();
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

/** The chains that the kernel itself has in each table. */
const BUILT_IN: Readonly<Record<IptablesTable["name"], readonly string[]>> = {
  raw: ["PREROUTING", "OUTPUT"],
  mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  filter: ["INPUT", "FORWARD", "OUTPUT"],
  security: ["INPUT", "FORWARD", "OUTPUT"],
};

/** A chain while its rules are read. */
interface ChainDraft {
  readonly policy: Chain["policy"];
  readonly rules: Rule[];
}

/** A table while its lines are read. */
interface TableDraft {
  readonly name: IptablesTable["name"];
  readonly chains: Map<string, ChainDraft>;
}

/** `*nat`, or `* nat`. */
function openTable(line: string, words: Words, tables: readonly IptablesTable[]): TableDraft {
  if (!line.startsWith("*"))
    throw words.refusal(
      `«${line}» stands where a table such as «*filter» should: give the output of iptables-save.`,
    );
  const name = IPTABLES_TABLES.find((table) => line.replace(/^\*\s*/, "") === table);
  if (name === undefined) throw words.refusal(`«${line}» is not a table this program models.`);
  if (tables.some((table) => table.name === name))
    throw words.refusal(`table ${name} is listed a second time.`);
  return { name, chains: new Map() };
}

/** `INPUT ACCEPT [0:0]` or `KUBE-SERVICES - [0:0]`, behind the colon. */
function readChain(words: Words, name: string, { chains }: TableDraft): void {
  if (chains.has(name)) throw words.refusal(`chain ${name} is listed a second time.`);
  const policy = words.read("a chain's policy (ACCEPT, DROP or -)", (word) =>
    word === "ACCEPT" || word === "DROP" || word === "-" ? word : undefined,
  );
  chains.set(name, { policy: policy === "-" ? undefined : policy, rules: [] });
}

/** `-N KUBE-SERVICES`: how input of iptables-restore may write a chain. */
function addChain(words: Words, { chains }: TableDraft): void {
  const name = words.next("a chain");
  if (chains.has(name)) throw words.refusal(`chain ${name} is there already.`);
  chains.set(name, { policy: undefined, rules: [] });
}

/** A chain that the table has; the kernel's own are there without being listed. */
function findChain(words: Words, { name, chains }: TableDraft): ChainDraft {
  return words.read("a chain of this table", (word) => {
    const found = chains.get(word);
    if (found !== undefined || !BUILT_IN[name].includes(word)) return found;
    const own: ChainDraft = { policy: "ACCEPT", rules: [] };
    chains.set(word, own);
    return own;
  });
}

/** Where `-I CHAIN 2` puts its rule, from 0. */
function readPosition(words: Words, length: number): number {
  if (!/^[0-9]+$/.test(words.peek() ?? "")) return 0;
  return words.read("the number of a rule, or one more", (word) => {
    const at = Number(word) - 1;
    return at >= 0 && at <= length ? at : undefined;
  });
}

/** Rules of one line: `-A KUBE-SERVICES …` or `-I INPUT 1 …`, after `[packets:octets]` where counters are listed. */
function readRule(words: Words, table: TableDraft, family: Family): void {
  if (words.peek()?.startsWith("[")) words.next("counters");
  const verb = words.read("-A, -I or -N", (word) => ["-A", "-I"].find((one) => one === word));
  const { rules } = findChain(words, table);
  const at = verb === "-I" ? readPosition(words, rules.length) : rules.length;
  const { line } = words;
  const matching = readMatches(words, family);
  const target = readTarget(words, family, table.chains);
  const read = matching.map((rule) => (target === undefined ? { ...rule, line } : { ...rule, target, line }));
  if (verb === "-A") rules.push(...read);
  // Each is put where the one before it was.
  else rules.splice(at, 0, ...read.reverse());
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
  /** Inside of a table that was refused, or of no table: one error is enough for it. */
  #skipping = false;

  constructor(private readonly family: Family) {}

  get isOpen(): boolean {
    return this.#open !== undefined || this.#skipping;
  }

  read(line: string, words: Words): void {
    if (this.#skipping && !line.startsWith("*")) {
      this.#skipping = line !== "COMMIT";
    } else if (this.#open === undefined) {
      this.#skipping = true;
      this.#open = openTable(line, words, this.tables);
      this.#skipping = false;
    } else if (line === "COMMIT") {
      this.tables.push(closeTable(this.#open));
      this.#open = undefined;
    } else if (line.startsWith(":")) {
      readChain(words, words.next("a chain").slice(1), this.#open);
    } else if (words.take("-N")) {
      addChain(words, this.#open);
    } else {
      readRule(words, this.#open, this.family);
    }
  }
}

/** One line of a file; its number is from 1. */
export interface NumberedLine {
  readonly number: number;
  readonly text: string;
}

/** The lines that say something: no comments, no blank ones. */
export function linesOf(text: string): readonly NumberedLine[] {
  return text
    .split("\n")
    .map((line, index) => ({ number: index + 1, text: line.trim() }))
    .filter((line) => line.text !== "" && !line.text.startsWith("#"));
}

/** Reads the lines of one listing; `end` is the number of the line it ends at. Errors as parseIptables. */
export function readListing(
  lines: readonly NumberedLine[],
  file: string,
  family: Family,
  end: number,
): Iptables {
  const listing = new Listing(family);
  const errors: Diagnostic[] = [];
  for (const { number, text } of lines) {
    try {
      const split = splitRule(text);
      if (split === undefined) throw refusalAt(file, number, "a quote is not closed.");
      listing.read(text, new Words(split.words, file, number, split.spelled));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      errors.push(...error.diagnostics);
    }
  }
  if (listing.isOpen && errors.length === 0)
    errors.push(...refusalAt(file, end, "the listing ends before COMMIT.").diagnostics);
  if (errors.length > 0) throw new InputError(errors);
  return { family, tables: listing.tables };
}

/**
 * Reads a listing of iptables-save, or input of iptables-restore; counters and comment lines are passed over. A
 * match or target that is not known is kept as its text (kind "unknown"), and every rule has its line. What the
 * tool itself would refuse is an InputError, each line and word named. `file` is named in the errors.
 */
export function parseIptables(text: string, file: string, family: Family = 4): Iptables {
  expectText(text, `the text of ${file}`, "what iptables-save prints");
  return readListing(linesOf(text), file, family, text.split("\n").length);
}
