import { printRule, readRule } from "./nft-statement.js";
import { type NftFamily, readText } from "./nft-terms.js";
import type { NftChain, NftRule } from "./nftables.js";
import type { Words } from "./words.js";

type Base = NonNullable<NftChain["base"]>;

/** nft's names of priorities, and the hooks that know them (nft(8), "Standard priority names"). */
const PRIORITIES = [
  { name: "raw", priority: -300 },
  { name: "mangle", priority: -150 },
  { name: "dstnat", priority: -100, hook: "prerouting" },
  { name: "filter", priority: 0 },
  { name: "security", priority: 50 },
  { name: "srcnat", priority: 100, hook: "postrouting" },
] as const;

/** nft names a priority that is within 10 of a standard one: `dstnat - 10`. */
function printPriority({ hook, priority }: Base): string {
  const near = PRIORITIES.find(
    (named) => Math.abs(priority - named.priority) <= 10 && (!("hook" in named) || named.hook === hook),
  );
  if (near === undefined) return String(priority);
  const offset = priority - near.priority;
  return offset === 0 ? near.name : `${near.name} ${offset < 0 ? "-" : "+"} ${Math.abs(offset)}`;
}

function printBase(base: Base): string {
  return `\t\ttype ${base.type} hook ${base.hook} priority ${printPriority(base)}; policy accept;`;
}

const HOOKS = ["prerouting", "input", "forward", "output", "postrouting"] as const;

function readBase(words: Words): Base {
  const type = words.read("a base chain's type, filter or nat", (word) =>
    word === "filter" || word === "nat" ? word : undefined,
  );
  words.expect("hook");
  const hook = words.read("a hook", (word) => HOOKS.find((known) => known === word));
  words.expect("priority");
  const base = words.read("a priority", (word) => {
    const named = PRIORITIES.find(({ name }) => name === word)?.priority;
    return named ?? (/^-?[0-9]+$/.test(word) ? Number(word) : undefined);
  });
  const sign = words.take("+") ? 1 : words.take("-") ? -1 : 0;
  const priority = base + (sign === 0 ? 0 : sign * words.readCount("an offset of the priority"));
  words.expect(";", "policy", "accept", ";");
  return { type, hook, priority };
}

/** The lines of a chain's block. */
export function printChain(chain: NftChain, family: NftFamily): readonly string[] {
  const comment = chain.comment === undefined ? [] : [`\t\tcomment "${chain.comment}"`];
  const base = chain.base === undefined ? [] : [printBase(chain.base)];
  return [...comment, ...base, ...chain.rules.map((rule) => `\t\t${printRule(rule, family)}`)];
}

/** A chain while the lines of its block are read. */
export type ChainDraft = Omit<{ -readonly [K in keyof NftChain]: NftChain[K] }, "rules"> & {
  readonly rules: NftRule[];
};

export function readChainLine(chain: ChainDraft, words: Words, family: NftFamily): void {
  if (words.take("comment")) chain.comment = readText(words);
  else if (words.take("type")) chain.base = readBase(words);
  else chain.rules.push(readRule(words, family));
}
