import type { Family } from "../net/ip.js";
import { rulesFor } from "./address-lists.js";
import type { MatchModule } from "./extension/match-module.js";
import { moduleFor, moduleNamed } from "./extension/modules.js";
import { isTransport, isTransportModule, transportModule } from "./extension/transport.js";
import type { Match, Rule } from "./iptables.js";
import {
  headerOf,
  isHeader,
  isHeaderOption,
  printHeader,
  protocolOf,
  readHeader,
} from "./iptables-header.js";
import { printString } from "./iptables-values.js";
import type { Words } from "./words.js";

/** Matches that are listed behind one `-m`. */
interface Group {
  readonly module: MatchModule | undefined;
  readonly matches: Match[];
}

function grouped(matches: readonly Match[], protocol: number | undefined): readonly Group[] {
  const groups: Group[] = [];
  for (const match of matches) {
    if (isHeader(match)) continue;
    const module = moduleFor(match, protocol);
    const last = groups.at(-1);
    const before = last?.matches.at(-1);
    const joins = module === last?.module && before !== undefined && !("apart" in match && match.apart);
    if (joins && module?.follows(match, before)) last?.matches.push(match);
    else groups.push({ module, matches: [match] });
  }
  return groups;
}

function printGroup({ module, matches }: Group): string {
  const [match] = matches;
  if (module !== undefined) return ` -m ${module.name}${module.print(matches)}`;
  if (match?.kind === "unknown") return ` ${match.text}`;
  if (match?.kind === "comment") return ` -m comment --comment ${printString(match.text)}`;
  return match?.kind === "module" ? ` -m ${match.name}` : "";
}

const isBare = (match: Match) => match.kind === "protocol" && match.module === true;

/** Everything of a rule's line between the chain and the target, with a space before each part. */
export function printMatches({ matches, comment, commentAt = 0 }: Rule): string {
  const protocol = protocolOf(matches);
  const modules = grouped(matches, protocol).map(printGroup);
  const bare = transportModule(protocol);
  if (bare !== undefined && matches.some(isBare) && !matches.some(isTransport)) {
    modules.unshift(` -m ${bare.name}`);
  }
  if (comment !== undefined) modules.splice(commentAt, 0, ` -m comment --comment ${printString(comment)}`);
  return printHeader(matches) + modules.join("");
}

/** What is known of a rule while its line is read. */
interface Draft {
  readonly matches: Match[];
  /** What stands as well as the match of its kind, that one first: addresses in a list. */
  readonly lists: (readonly Match[])[];
  /** Transport modules that the line names, which its protocol must be of. */
  readonly transports: MatchModule[];
  comment: string | undefined;
  /** How many of the matches stand before it. */
  before: number;
  /** The transport's module is the first of all, or but for the comment, and has no option. */
  bare: "first" | "behind the comment" | undefined;
}

const isTargetWord = (word: string | undefined) => /^(-j|-g|--jump|--goto)$/.test(word ?? "");
const isModuleWord = (word: string | undefined) => word === "-m" || word === "--match";

/** Whether a part of a rule ends before the next word. */
function endsHere(words: Words): boolean {
  const next = words.peek() === "!" ? words.peek(1) : words.peek();
  return next === undefined || isTargetWord(next) || isModuleWord(next) || isHeaderOption(next);
}

/** Takes what was begun, and the words after it that may belong to it, as text. */
function readUnknown(words: Words, draft: Draft, start: number, module: string): void {
  while (!endsHere(words)) words.next("an option");
  draft.matches.push({ kind: "unknown", module, text: words.textSince(start) });
}

function readComment(words: Words, draft: Draft): void {
  words.expect("--comment");
  const text = words.next("a comment");
  if (draft.comment === undefined) {
    draft.comment = text;
    draft.before = draft.matches.length;
  } else {
    draft.matches.push({ kind: "comment", text });
  }
}

/** Marks the first where the listing could have put it behind the module before, but did not. */
function apart(matches: readonly Match[], before: Match | undefined, module: MatchModule): readonly Match[] {
  const [first, ...others] = matches;
  if (first === undefined || before === undefined || !module.lists(before)) return matches;
  return module.follows(first, before) ? [{ ...first, apart: true } as Match, ...others] : matches;
}

/** Whether an option follows that is neither the rule's nor its protocol's own. */
function strayFollows(words: Words, { matches }: Draft): boolean {
  const next = (words.peek() === "!" ? words.peek(1) : words.peek()) ?? "";
  return !endsHere(words) && !transportModule(protocolOf(matches))?.owns(next);
}

function readModule(words: Words, draft: Draft, family: Family, start: number): void {
  const name = words.next("the name of a match module");
  if (name === "comment") {
    readComment(words, draft);
    return;
  }
  const module = moduleNamed(name);
  const matches = module?.read(words, family);
  const isKnown = matches !== undefined && (matches.length > 0 || isTransportModule(name));
  if (module === undefined || !isKnown || strayFollows(words, draft)) {
    readUnknown(words, draft, start, name);
    return;
  }
  if (isTransportModule(name)) draft.transports.push(module);
  if (matches.length > 0) draft.matches.push(...apart(matches, draft.matches.at(-1), module));
  else if (draft.matches.every(isHeader))
    draft.bare = draft.comment === undefined ? "first" : "behind the comment";
  else draft.matches.push({ kind: "module", name });
}

/** An option that would be listed behind its module, and so be read as one of it, is read nowhere else. */
function refuseApart(words: Words, { matches }: Draft, option: string): void {
  const last = matches.findLast((match) => !isHeader(match));
  const module = last && moduleFor(last, protocolOf(matches));
  if (module?.owns(option))
    throw words.refusal(
      `«${option}» stands apart from «-m ${module.name}»: write it with that one's options.`,
    );
}

/** An option of the protocol's module, which `-p` alone has loaded, or one that is not known. */
function readStray(words: Words, draft: Draft, family: Family, start: number): void {
  const module = transportModule(protocolOf(draft.matches));
  const matches = module?.read(words, family);
  if (matches === undefined || matches.length === 0) {
    words.take("!");
    const option = words.next("a match");
    if (!option.startsWith("-")) throw words.refusal(`«${option}» stands where an option should.`);
    refuseApart(words, draft, option);
    readUnknown(words, draft, start, option);
    return;
  }
  draft.matches.push(...matches);
}

/** `-c 12 345`, where a listing has the counters inside of the rule. */
function passCounters(words: Words): boolean {
  const found = words.take("-c") || words.take("--set-counters");
  if (found) {
    words.readCount("a number of packets");
    words.readCount("a number of octets");
  }
  return found;
}

/** Of a list of addresses the first stands for all, until the rule is read. */
function addHeader(words: Words, draft: Draft, matches: readonly Match[], option: string): void {
  const [first] = matches;
  if (first === undefined) return;
  if (draft.matches.some(({ kind }) => kind === first.kind))
    throw words.refusal(`«${option}» stands a second time in the rule: leave one of them out.`);
  draft.matches.push(first);
  if (matches.length > 1) draft.lists.push(matches);
}

function readNext(words: Words, draft: Draft, family: Family): void {
  if (passCounters(words)) return;
  const start = words.position;
  if (words.take("-m") || words.take("--match")) {
    readModule(words, draft, family, start);
  } else if (endsHere(words)) {
    const option = (words.peek() === "!" ? words.peek(1) : words.peek()) ?? "";
    if (!isHeaderOption(option)) throw words.refusal("«!» negates nothing.");
    const matches = readHeader(words, family);
    if (matches === "unknown") readUnknown(words, draft, start, option);
    else addHeader(words, draft, matches, option);
  } else {
    readStray(words, draft, family, start);
  }
}

/** The matches in the order of the listing; the protocol's says whether its module was listed bare, and first. */
function inOrder({ matches, bare }: Draft): readonly Match[] {
  const modules = matches.filter((match) => !isHeader(match));
  const header = headerOf(matches);
  if (bare === undefined || modules.some(isTransport)) return [...header, ...modules];
  const marked = header.map(
    (match): Match => (match.kind === "protocol" ? { ...match, module: true } : match),
  );
  return [...marked, ...modules];
}

/**
 * Reads a rule's line up to its target; the inverse of printMatches. Lists of addresses make as many rules, in iptables'
 * order: to each destination from the first source, then from the next.
 */
export function readMatches(words: Words, family: Family): readonly Rule[] {
  const draft: Draft = {
    matches: [],
    lists: [],
    transports: [],
    comment: undefined,
    before: 0,
    bare: undefined,
  };
  while (!words.done && !isTargetWord(words.peek())) readNext(words, draft, family);
  const protocol = protocolOf(draft.matches);
  const own = transportModule(protocol);
  const foreign = draft.transports.find((module) => module !== own);
  if (foreign !== undefined) {
    throw words.refusal(`«-m ${foreign.name}» stands in a rule that is not of its protocol (-p).`);
  }
  const { comment, before, bare } = draft;
  const matches = inOrder(draft);
  const isFirst = bare === "first" && matches.some(isBare);
  const commentAt = grouped(draft.matches.slice(0, before), protocol).length + (isFirst ? 1 : 0);
  const rule = { matches, ...(comment !== undefined && { comment, ...(commentAt !== 0 && { commentAt }) }) };
  return rulesFor(rule, draft.lists);
}
