import { familyOf, type Ip, parseIp } from "../../net/ip.js";
import { bang, parseList, parseProbability, printAddress, printProbability } from "../iptables-values.js";
import type { Words } from "../words.js";
import { type MatchModule, type MatchOf, wholeModule } from "./match-module.js";

/** The names of two kinds, random and nth, of one module. */
interface Statistic {
  readonly mode: "random" | "nth";
  readonly threshold: number;
  readonly every: number;
  readonly packet: number;
}

const STATISTIC_FIELDS = {
  "--mode": (words: Words) => ({
    mode: words.read("random or nth", (word) => (["random", "nth"] as const).find((mode) => mode === word)),
  }),
  "--probability": (words: Words) => ({ threshold: words.read("a probability", parseProbability) }),
  "--every": (words: Words) => ({ every: words.readCount("a number of packets") }),
  "--packet": (words: Words) => ({ packet: words.readCount("a number of packets") }),
};

const RANDOM = wholeModule<"statistic", Statistic>({
  name: "statistic",
  kind: "statistic",
  fields: STATISTIC_FIELDS,
  build: ({ mode, threshold }) =>
    mode === "random" && threshold !== undefined ? { kind: "statistic", threshold } : undefined,
  print: (match) => ` --mode random ${bang(match)}--probability ${printProbability(match.threshold)}`,
});

const NTH = wholeModule<"nth", Statistic>({
  name: "statistic",
  kind: "nth",
  fields: STATISTIC_FIELDS,
  build: ({ mode, every, packet = 0 }) =>
    mode === "nth" && every !== undefined && every > packet ? { kind: "nth", every, packet } : undefined,
  print: (match) => ` --mode nth ${bang(match)}--every ${match.every} --packet ${match.packet}`,
});

/** One module, whose mode says what it is. */
const STATISTIC: MatchModule = {
  ...RANDOM,
  kinds: [...RANDOM.kinds, ...NTH.kinds],
  lists: (match) => RANDOM.lists(match) || NTH.lists(match),
  read(words, family) {
    const start = words.position;
    const random = RANDOM.read(words, family);
    if (random !== undefined) return random;
    words.rewind(start);
    return NTH.read(words, family);
  },
  print: (matches) => matches.map((match) => (RANDOM.lists(match) ? RANDOM : NTH).print([match])).join(""),
};

/** `src,dst`: which of a packet's fields a set is asked by. */
export function readSides(words: Words) {
  return words.read("a list of src and dst", (word) => parseList(word, ["src", "dst"] as const));
}

type SetMatch = MatchOf<"set">;

const SET = wholeModule<"set", SetMatch>({
  name: "set",
  kind: "set",
  fields: {
    "--match-set": (words) => ({ set: words.next("the name of a set"), sides: readSides(words) }),
    "--return-nomatch": () => ({ returnNomatch: true }),
  },
  build: ({ set, sides, ...more }) =>
    set === undefined || sides === undefined ? undefined : { ...more, kind: "set", set, sides },
  print: (match) =>
    ` ${bang(match)}--match-set ${match.set} ${match.sides.join(",")}` +
    (match.returnNomatch ? " --return-nomatch" : ""),
});

type RecentMatch = MatchOf<"recent">;

function readMask(words: Words, family: 4 | 6): { readonly mask: Ip } {
  return {
    mask: words.read(`an IPv${family} mask`, (word) => {
      const mask = parseIp(word);
      return mask !== undefined && familyOf(mask) === family ? mask : undefined;
    }),
  };
}

const RECENT = wholeModule<"recent", RecentMatch>({
  name: "recent",
  kind: "recent",
  fields: {
    "--set": () => ({ op: "set" }),
    "--rcheck": () => ({ op: "rcheck" }),
    "--update": () => ({ op: "update" }),
    "--remove": () => ({ op: "remove" }),
    "--seconds": (words) => ({ seconds: words.readCount("a number of seconds") }),
    "--reap": () => ({ reap: true }),
    "--hitcount": (words) => ({ hitcount: words.readCount("a number of packets") }),
    "--rttl": () => ({ rttl: true }),
    "--name": (words) => ({ name: words.next("the name of a list") }),
    "--mask": readMask,
    "--rsource": () => ({ side: "source" }),
    "--rdest": () => ({ side: "dest" }),
  },
  build({ op, name = "DEFAULT", side = "source", mask, ...more }, family) {
    if (op === undefined) return undefined;
    return {
      ...more,
      kind: "recent",
      op,
      name,
      side,
      mask: mask ?? (family === 4 ? 0xffffffff : 2n ** 128n - 1n),
    };
  },
  print: (match) =>
    ` ${bang(match)}--${match.op}` +
    (match.seconds === undefined ? "" : ` --seconds ${match.seconds}`) +
    (match.reap ? " --reap" : "") +
    (match.hitcount === undefined ? "" : ` --hitcount ${match.hitcount}`) +
    (match.rttl ? " --rttl" : "") +
    ` --name ${match.name} --mask ${printAddress(match.mask)} --r${match.side}`,
});

/** Modules whose answer is drawn, or depends on which packets came before. */
export const STATEFUL_MODULES: readonly MatchModule[] = [STATISTIC, SET, RECENT];
