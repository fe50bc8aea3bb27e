import { type Family, familyOf } from "../net/ip.js";
import { parsePrefix, printPrefix } from "../net/prefix.js";
import type { Match, Rule } from "./iptables.js";
import { printModule, readOption } from "./iptables-module.js";
import { bang, type Invert, parsePair, printString, readInvert } from "./iptables-values.js";
import type { Words } from "./words.js";

type ProtocolMatch = Extract<Match, { kind: "protocol" }>;
type PortMatch = Extract<Match, { kind: "sport" | "dport" }>;

/** Matches that stand in the rule itself, before every module, in the order in which they are listed. */
const HEADER = ["source", "destination", "in-interface", "out-interface", "protocol"] as const;

const PROTOCOLS = ["TCP", "UDP", "SCTP", "ICMP"] as const;

const isHeader = ({ kind }: Match) => (HEADER as readonly string[]).includes(kind);
const isPort = (match: Match): match is PortMatch => match.kind === "sport" || match.kind === "dport";

const printProtocol = ({ protocol, name }: ProtocolMatch) => name ?? `${protocol}`.toLowerCase();

function printPort(match: PortMatch): string {
  const range = match.from === match.to ? `${match.from}` : `${match.from}:${match.to}`;
  return ` ${bang(match)}--${match.kind} ${range}`;
}

function printHeader(match: Match): string {
  switch (match.kind) {
    case "source":
      return ` ${bang(match)}-s ${printPrefix(match.prefix)}`;
    case "destination":
      return ` ${bang(match)}-d ${printPrefix(match.prefix)}`;
    case "in-interface":
      return ` ${bang(match)}-i ${match.name}`;
    case "out-interface":
      return ` ${bang(match)}-o ${match.name}`;
    case "protocol":
      return ` ${bang(match)}-p ${printProtocol(match)}`;
    default:
      return "";
  }
}

/** The modules of a rule as listed: neighbouring ports share one, and other matches have one each. */
function printModules(matches: readonly Match[]): string[] {
  const protocol = matches.find((match): match is ProtocolMatch => match.kind === "protocol");
  const load = protocol === undefined ? "" : ` -m ${printProtocol(protocol)}`;
  const modules = protocol?.module && !matches.some(isPort) ? [load] : [];
  let previous: Match | undefined;
  for (const match of matches) {
    if (isHeader(match)) continue;
    if (!isPort(match)) modules.push(printModule(match));
    else if (previous !== undefined && isPort(previous)) modules.push(modules.pop() + printPort(match));
    else modules.push(load + printPort(match));
    previous = match;
  }
  return modules;
}

/** Everything of a rule's line between the chain and the target, with a space before each part. */
export function printMatches({ matches, comment, commentAt = 0 }: Rule): string {
  let header = "";
  for (const kind of HEADER)
    for (const match of matches) if (match.kind === kind) header += printHeader(match);
  const modules = printModules(matches);
  if (comment !== undefined) modules.splice(commentAt, 0, ` -m comment --comment ${printString(comment)}`);
  return header + modules.join("");
}

function parsePort(word: string): number | undefined {
  return /^[0-9]{1,5}$/.test(word) && Number(word) <= 65535 ? Number(word) : undefined;
}

function readPort(words: Words, kind: "sport" | "dport", invert: Invert): Match {
  const [from, to] = words.read("a port or a range of ports", (word) => {
    const pair = parsePair(word, ":", parsePort, (port) => port);
    return pair !== undefined && pair[0] <= pair[1] ? pair : undefined;
  });
  return { kind, from, to, ...invert };
}

function readHeader(words: Words, family: Family): Match {
  const invert = readInvert(words);
  const option = words.next("a match");
  const readPrefix = () =>
    words.read(`an IPv${family} prefix`, (word) => {
      const prefix = parsePrefix(word);
      return prefix !== undefined && familyOf(prefix.address) === family ? prefix : undefined;
    });
  switch (option) {
    case "-s":
      return { kind: "source", prefix: readPrefix(), ...invert };
    case "-d":
      return { kind: "destination", prefix: readPrefix(), ...invert };
    case "-i":
      return { kind: "in-interface", name: words.next("an interface"), ...invert };
    case "-o":
      return { kind: "out-interface", name: words.next("an interface"), ...invert };
    case "-p": {
      const parse = (word: string) => PROTOCOLS.find((name) => name.toLowerCase() === word);
      return { kind: "protocol", protocol: words.read("a protocol this program models", parse), ...invert };
    }
    default:
      throw words.refusal(`«${option}» is not modelled here: nothing of this listing is used.`);
  }
}

/** What is known of a rule while its line is read. */
interface Draft {
  readonly matches: Match[];
  comment: string | undefined;
  commentAt: number;
  modules: number;
}

function readPortModule(words: Words, name: string, { matches }: Draft): void {
  const at = matches.findIndex((match) => match.kind === "protocol");
  const protocol = matches[at];
  if (protocol?.kind !== "protocol" || protocol.invert || printProtocol(protocol) !== name) {
    throw words.refusal(`«-m ${name}» stands without «-p ${name}» before it.`);
  }
  const before = matches.length;
  for (;;) {
    const inverted = words.take("!");
    const kind = words.take("--sport") ? "sport" : words.take("--dport") ? "dport" : undefined;
    if (kind === undefined && inverted)
      throw words.refusal(`«!» of «-m ${name}» negates nothing this program models.`);
    if (kind === undefined) break;
    matches.push(readPort(words, kind, inverted ? { invert: true } : {}));
  }
  if (matches.length === before) matches[at] = { ...protocol, module: true };
}

function readModule(words: Words, draft: Draft): void {
  const name = words.next("the name of a match module");
  draft.modules += 1;
  if (name === "comment") {
    if (draft.comment !== undefined) throw words.refusal("the rule has a second comment.");
    words.expect("--comment");
    draft.comment = words.next("a comment");
    draft.commentAt = draft.modules - 1;
    return;
  }
  if (name === "tcp" || name === "udp" || name === "sctp") {
    readPortModule(words, name, draft);
    return;
  }
  const invert = readInvert(words);
  const option = words.next(`an option of «-m ${name}»`);
  const match = readOption(name, option, words, invert);
  if (match === undefined)
    throw words.refusal(`«-m ${name} ${option}» is not modelled: nothing of this listing is used.`);
  draft.matches.push(match);
}

/** Reads a rule's line up to its target; the inverse of printMatches. */
export function readMatches(words: Words, family: Family): Rule {
  const draft: Draft = { matches: [], comment: undefined, commentAt: 0, modules: 0 };
  while (!words.done && words.peek() !== "-j" && words.peek() !== "-g") {
    if (words.take("-m")) readModule(words, draft);
    else draft.matches.push(readHeader(words, family));
  }
  const { matches, comment, commentAt } = draft;
  if (comment === undefined) return { matches };
  return commentAt === 0 ? { matches, comment } : { matches, comment, commentAt };
}
