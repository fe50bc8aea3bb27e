import { type Diagnostic, InputError } from "../diagnostics.js";
import { type ChainDraft, printChain, readChainLine } from "./nft-chain.js";
import { type MapDraft, printMap, printSet, readMapLine, readSetLine, type SetDraft } from "./nft-set.js";
import { type NftFamily, readText } from "./nft-terms.js";
import type { NftTable } from "./nftables.js";
import { refusalAt, Words } from "./words.js";

function printBlock(head: string, lines: readonly string[]): string {
  return [`\t${head} {`, ...lines, "\t}"].join("\n");
}

/** As `nft list table` prints it (nft 1.0.6): sets, maps, chains, and their elements in the order given. */
export function printNft(table: NftTable): string {
  const { family } = table;
  const blocks = [
    ...table.sets.map((set) => printBlock(`set ${set.name}`, printSet(set, family))),
    ...table.maps.map((map) => printBlock(`map ${map.name}`, printMap(map, family))),
    ...table.chains.map((chain) => printBlock(`chain ${chain.name}`, printChain(chain, family))),
  ];
  const comment = table.comment === undefined ? "" : `\tcomment "${table.comment}"\n`;
  const body = blocks.length === 0 ? "" : `${blocks.join("\n\n")}\n`;
  return `table ${family} ${table.name} {\n${comment}${body}}\n`;
}

/** A word with the comma or semicolon at its end apart. */
function pushWord(words: string[], word: string): void {
  const last = word.at(-1);
  if (word.length > 1 && (last === "," || last === ";")) words.push(word.slice(0, -1), last);
  else if (word !== "") words.push(word);
}

/** Words with commas, semicolons and quoted texts apart; what follows `#` (nft -a) is left out. */
function splitWords(line: string): string[] {
  const words: string[] = [];
  if (!/["#]/.test(line)) {
    for (const word of line.trim().split(/\s+/)) pushWord(words, word);
    return words;
  }
  for (const [word] of line.matchAll(/"[^"]*"|[^\s"]+/g)) {
    if (word === "#") break;
    if (word.startsWith('"')) words.push(word);
    else pushWord(words, word);
  }
  return words;
}

/** One entry a line of the listing; the lines of a list of elements are one entry. */
function entries(text: string, file: string): Words[] {
  const found: Words[] = [];
  let pending: string[] = [];
  let start = 0;
  for (const [index, line] of text.split("\n").entries()) {
    if (pending.length === 0) start = index + 1;
    pending.push(...splitWords(line));
    const open = pending[0] === "elements" && pending.at(-1) !== "}";
    if (pending.length === 0 || open) continue;
    found.push(new Words(pending, file, start));
    pending = [];
  }
  if (pending.length > 0)
    throw refusalAt(file, start, "the elements have no closing brace: the listing is cut.");
  return found;
}

type Head = Pick<NftTable, "family" | "name">;

function readHead(words: Words): Head {
  words.expect("table");
  const family = words.read("a family, ip or ip6", (word) =>
    word === "ip" || word === "ip6" ? word : undefined,
  );
  const name = words.next("the table's name");
  words.expect("{");
  return { family, name };
}

/** For the lines of a block that is refused already. */
function passOver(words: Words): void {
  while (!words.done) words.next("a word");
}

/** Reads a table line by line; `#readLine` reads the lines of the block that is open. */
class TableReader {
  readonly #sets: SetDraft[] = [];
  readonly #maps: MapDraft[] = [];
  readonly #chains: ChainDraft[] = [];
  #head: Head | undefined;
  #comment: string | undefined;
  #readLine: ((words: Words) => void) | undefined;
  #closed = false;

  read(words: Words): void {
    if (this.#closed) throw words.refusal("more stands after the table; give the listing of one table.");
    if (this.#head === undefined) this.#head = readHead(words);
    else if (words.take("}")) this.#close();
    else if (this.#readLine !== undefined) this.#readLine(words);
    else if (words.take("comment")) this.#comment = readText(words);
    else this.#readLine = this.#open(words, this.#head.family);
    if (!words.done) throw words.refusal(`«${words.peek()}» is not understood here.`);
  }

  table(file: string): NftTable {
    if (this.#head === undefined || !this.#closed) {
      const message = "the listing of the table has no end; give the whole output of `nft list table`.";
      throw new InputError([{ severity: "error", place: { file }, message }]);
    }
    const endless = this.#sets.find(({ dynamic }) => dynamic?.timeout === 0);
    if (endless !== undefined) {
      const message = `set ${endless.name} has a size or flags but no timeout, which is not modelled.`;
      throw new InputError([{ severity: "error", place: { file }, message }]);
    }
    const comment = this.#comment === undefined ? {} : { comment: this.#comment };
    return { ...this.#head, ...comment, sets: this.#sets, maps: this.#maps, chains: this.#chains };
  }

  #open(words: Words, family: NftFamily): (words: Words) => void {
    const kind = words.next("a set, a map or a chain");
    const name = words.next("a name");
    words.expect("{");
    if (kind === "set") {
      const set: SetDraft = { name, addresses: [] };
      this.#sets.push(set);
      return (line) => readSetLine(set, line, family);
    }
    if (kind === "map") {
      const map: MapDraft = { name, key: "proto-dport", elements: [] };
      this.#maps.push(map);
      return (line) => readMapLine(map, line, family);
    }
    if (kind !== "chain") {
      this.#readLine = passOver;
      throw words.refusal(`«${kind}» is not modelled; only sets, maps and chains are.`);
    }
    const chain: ChainDraft = { name, rules: [] };
    this.#chains.push(chain);
    return (line) => readChainLine(chain, line, family);
  }

  #close(): void {
    this.#closed = this.#readLine === undefined;
    this.#readLine = undefined;
  }
}

/**
 * Reads what `nft list table` prints, inverse of printNft, for the subset that NftTable can hold. Throws
 * InputError naming the lines where anything else stands.
 */
export function parseNft(text: string, file: string): NftTable {
  const reader = new TableReader();
  const errors: Diagnostic[] = [];
  for (const words of entries(text, file)) {
    try {
      reader.read(words);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      errors.push(...error.diagnostics);
    }
  }
  if (errors.length > 0) throw new InputError(errors);
  return reader.table(file);
}
