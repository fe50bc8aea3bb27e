import { type Family, familyOf } from "../net/ip.js";
import type { Prefix } from "../net/prefix.js";
import type { Match } from "./iptables.js";
import { bang, parseNetwork, printNetwork, readInvert } from "./iptables-values.js";
import { parseProtocol, parseProtocolNumber, printProtocol } from "./protocols.js";
import type { Words } from "./words.js";

/** Matches that stand in the rule itself, before every module, in the order in which they are listed. */
const HEADER = [
  "source",
  "destination",
  "in-interface",
  "out-interface",
  "protocol",
  "fragment",
] as const satisfies readonly Match["kind"][];

const OPTIONS: Readonly<Record<string, (typeof HEADER)[number]>> = {
  "-s": "source",
  "--source": "source",
  "--src": "source",
  "-d": "destination",
  "--destination": "destination",
  "--dst": "destination",
  "-i": "in-interface",
  "--in-interface": "in-interface",
  "-o": "out-interface",
  "--out-interface": "out-interface",
  "-p": "protocol",
  "--protocol": "protocol",
  "--proto": "protocol",
  "-f": "fragment",
  "--fragment": "fragment",
};

const RANK: ReadonlyMap<Match["kind"], number> = new Map(HEADER.map((kind, index) => [kind, index]));

export const isHeader = ({ kind }: Match) => RANK.has(kind);

export const isHeaderOption = (word: string) => Object.hasOwn(OPTIONS, word);

function printOne(match: Match): string {
  switch (match.kind) {
    case "source":
      return ` ${bang(match)}-s ${printNetwork(match.prefix)}`;
    case "destination":
      return ` ${bang(match)}-d ${printNetwork(match.prefix)}`;
    case "in-interface":
      return ` ${bang(match)}-i ${match.name}`;
    case "out-interface":
      return ` ${bang(match)}-o ${match.name}`;
    case "protocol":
      return ` ${bang(match)}-p ${printProtocol(match)}`;
    case "fragment":
      return ` ${bang(match)}-f`;
    default:
      return "";
  }
}

/** A rule's own matches in the order of the listing. */
export function headerOf(matches: readonly Match[]): readonly Match[] {
  return matches.filter(isHeader).sort((a, b) => (RANK.get(a.kind) ?? 0) - (RANK.get(b.kind) ?? 0));
}

/** ` -s 10.0.0.0/8 -p tcp`: a rule's own matches, each with a space before it. */
export function printHeader(matches: readonly Match[]): string {
  return headerOf(matches).map(printOne).join("");
}

/** Undefined for a mask with a hole, and for a name, which were another's to look up. */
function prefixFrom(word: string, words: Words, family: Family): Prefix | undefined {
  const prefix = parseNetwork(word);
  if (prefix !== undefined && familyOf(prefix.address) === family) return prefix;
  if (prefix === undefined && /^([^/]*[g-zG-Z][^/]*|[0-9.]+\/[0-9]+\.[0-9.]+)$/.test(word)) return undefined;
  throw words.refusal(`«${word}» is not an IPv${family} prefix.`);
}

/** Undefined if one of them is not known. */
function readPrefixes(words: Words, family: Family): readonly Prefix[] | undefined {
  const parts = words.next(`an IPv${family} prefix`).split(",");
  const prefixes = parts.map((part) => prefixFrom(part, words, family));
  const known = prefixes.filter((prefix) => prefix !== undefined);
  return known.length === parts.length ? known : undefined;
}

/** The option's matches; none where it matches everything, "unknown" where its value is not known. */
function readValue(
  words: Words,
  kind: (typeof HEADER)[number],
  family: Family,
): readonly Match[] | "unknown" {
  if (kind === "fragment") return [{ kind }];
  if (kind === "in-interface" || kind === "out-interface")
    return [{ kind, name: words.next("an interface") }];
  if (kind === "protocol") {
    const known = words.read("a protocol", parseProtocol);
    return known.protocol === 0 ? [] : [{ kind, ...known }];
  }
  return readPrefixes(words, family)?.map((prefix) => ({ kind, prefix })) ?? "unknown";
}

/**
 * Reads one of the rule's own matches, its `!` before the option or before the value; none for one that
 * matches everything (`-p all`), several for a list of addresses, each of which makes a rule, "unknown" for a value that is not known.
 */
export function readHeader(words: Words, family: Family): readonly Match[] | "unknown" {
  const before = readInvert(words);
  const kind = OPTIONS[words.next("a match")];
  if (kind === undefined) return "unknown";
  const invert = { ...before, ...readInvert(words) };
  const matches = readValue(words, kind, family);
  if (matches === "unknown") return matches;
  if (matches.length > 1 && invert.invert === true)
    throw words.refusal(
      "«!» negates one address, not a list: iptables refuses the rule; write one for each.",
    );
  return matches.map((match) => ({ ...match, ...invert }));
}

/** The number of the one protocol that a rule is about. */
export function protocolOf(matches: readonly Match[]): number | undefined {
  for (const match of matches) {
    if (match.kind === "protocol" && !match.invert) return parseProtocolNumber(printProtocol(match));
  }
  return undefined;
}
