import type { CtState, Match } from "./iptables.js";
import {
  bang,
  FULL_MASK,
  type Invert,
  parseMark,
  parsePair,
  parseProbability,
  printHex,
  printProbability,
} from "./iptables-values.js";
import type { Words } from "./words.js";

/** The order in which the listing names states. */
const CT_STATES: readonly CtState[] = ["INVALID", "NEW", "RELATED", "ESTABLISHED", "SNAT", "DNAT"];

/** ` -m mark --mark 0x4000/0x4000`: a match that has a module to itself; nothing for others. */
export function printModule(match: Match): string {
  switch (match.kind) {
    case "mark": {
      const mask = match.mask === FULL_MASK ? "" : `/${printHex(match.mask)}`;
      return ` -m mark ${bang(match)}--mark ${printHex(match.value)}${mask}`;
    }
    case "ctstate": {
      const states = CT_STATES.filter((state) => match.states.includes(state));
      return ` -m conntrack ${bang(match)}--ctstate ${states.join(",")}`;
    }
    case "addrtype":
      return ` -m addrtype ${bang(match)}--${match.side}-type ${match.types.join(",")}`;
    case "statistic":
      return ` -m statistic --mode random --probability ${printProbability(match.threshold)}`;
    case "set":
      return ` -m set ${bang(match)}--match-set ${match.set} ${match.sides.join(",")}`;
    case "physdev-is-in":
      return ` -m physdev ${bang(match)}--physdev-is-in`;
    default:
      return "";
  }
}

/** A list with commas, each part one of `allowed`. */
function parseList<T extends string>(word: string, allowed: readonly T[]): readonly T[] | undefined {
  const parts = word.split(",").map((part) => allowed.find((one) => one === part));
  return parts.every((part) => part !== undefined) ? parts : undefined;
}

function readMark(words: Words, invert: Invert): Match {
  const [value, mask] = words.read("a mark", (word) => parsePair(word, "/", parseMark, () => FULL_MASK));
  return { kind: "mark", value, mask, ...invert };
}

function readAddressType(words: Words, side: "src" | "dst", invert: Invert): Match {
  const type = words.read("an address type this program models (LOCAL)", (word) =>
    word === "LOCAL" ? word : undefined,
  );
  return { kind: "addrtype", side, types: [type], ...invert };
}

function readStatistic(words: Words): Match {
  words.expect("random", "--probability");
  return { kind: "statistic", threshold: words.read("a probability", parseProbability) };
}

function readSet(words: Words, invert: Invert): Match {
  const set = words.next("the name of a set");
  const sides = words.read("a list of src and dst", (word) => parseList(word, ["src", "dst"] as const));
  return { kind: "set", set, sides, ...invert };
}

function readCtState(words: Words, invert: Invert): Match {
  const states = words.read("a list of connection states this program models", (word) =>
    parseList(word, CT_STATES),
  );
  return { kind: "ctstate", states, ...invert };
}

/**
 * Reads what follows an option of a module; undefined where the option is none that is modelled. The inverse of
 * printModule.
 */
export function readOption(module: string, option: string, words: Words, invert: Invert): Match | undefined {
  switch (`${module} ${option}`) {
    case "conntrack --ctstate":
      return readCtState(words, invert);
    case "addrtype --src-type":
      return readAddressType(words, "src", invert);
    case "addrtype --dst-type":
      return readAddressType(words, "dst", invert);
    case "mark --mark":
      return readMark(words, invert);
    case "statistic --mode":
      return invert.invert ? undefined : readStatistic(words);
    case "set --match-set":
      return readSet(words, invert);
    case "physdev --physdev-is-in":
      return { kind: "physdev-is-in", ...invert };
    default:
      return undefined;
  }
}
