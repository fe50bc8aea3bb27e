import { familyOf, type Ip, parseIp } from "../../net/ip.js";
import { bang, parseList, parseProbability, printAddress, printProbability } from "../iptables-values.js";
import type { Words } from "../words.js";
import { type MatchModule, type MatchOf, wholeModule } from "./match-module.js";
import { parseRate, printRate } from "./rate.js";

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

/** Packets at once that a limit lets pass where nothing is said of them. */
const BURST = 5;

/** A limit counts in ten-thousandths of a second, hashlimit in millionths. */
const LIMIT_SCALE = 1e4;
const HASHLIMIT_SCALE = 1e6;

type LimitMatch = MatchOf<"limit">;

const LIMIT = wholeModule<"limit", LimitMatch>({
  name: "limit",
  kind: "limit",
  fields: {
    "--limit": (words) => ({ period: words.read("a rate", (word) => parseRate(word, LIMIT_SCALE)) }),
    "--limit-burst": (words) => ({ burst: words.readCount("a number of packets") }),
  },
  build: ({ period = (LIMIT_SCALE * 3600) / 3, burst = BURST }) => ({ kind: "limit", period, burst }),
  print: ({ period, burst }) =>
    ` --limit ${printRate(period, LIMIT_SCALE)}${burst === BURST ? "" : ` --limit-burst ${burst}`}`,
});

type HashlimitMatch = MatchOf<"hashlimit">;

const HASHLIMIT_KEYS = ["srcip", "srcport", "dstip", "dstport"] as const;
const HASHLIMIT_TABLE = ["size", "max", "gcinterval", "expire"] as const;

function readLimit(above: boolean) {
  // A rate of octets (`1mb/s`) is none that parseRate knows: the match is then not known either.
  return (words: Words) => ({ above, period: parseRate(words.next("a rate"), HASHLIMIT_SCALE) ?? 0 });
}

const HASHLIMIT = wholeModule<"hashlimit", HashlimitMatch & { readonly [table: `table-${string}`]: number }>({
  name: "hashlimit",
  kind: "hashlimit",
  fields: {
    "--hashlimit-upto": readLimit(false),
    "--hashlimit": readLimit(false),
    "--hashlimit-above": readLimit(true),
    "--hashlimit-burst": (words) => ({ burst: words.read("a number of packets", parsePackets) }),
    "--hashlimit-mode": (words) => ({
      keys: words.read("a list of srcip, srcport, dstip and dstport", (word) =>
        parseList(word, HASHLIMIT_KEYS),
      ),
    }),
    "--hashlimit-name": (words) => ({ name: words.next("the name of a table") }),
    "--hashlimit-srcmask": (words) => ({ srcMask: words.readCount("a prefix length") }),
    "--hashlimit-dstmask": (words) => ({ dstMask: words.readCount("a prefix length") }),
    ...Object.fromEntries(
      HASHLIMIT_TABLE.map((name) => [
        `--hashlimit-htable-${name}`,
        (words: Words) => ({ [`table-${name}`]: words.readCount("a number") }),
      ]),
    ),
  },
  build({ above, period, burst = BURST, keys = [], name, srcMask, dstMask, ...more }) {
    if (above === undefined || !period || name === undefined) return undefined;
    const table = Object.entries(more).flatMap(([key, value]) =>
      key.startsWith("table-") ? [[key.slice("table-".length), Number(value)] as const] : [],
    );
    return {
      kind: "hashlimit",
      above,
      period,
      burst,
      keys,
      name,
      ...(srcMask === undefined ? {} : { srcMask }),
      ...(dstMask === undefined ? {} : { dstMask }),
      ...(table.length === 0 ? {} : { table }),
    };
  },
  print({ above, period, burst, keys, name, srcMask, dstMask, table = [] }) {
    const own = HASHLIMIT_TABLE.flatMap((field) => table.filter(([option]) => option === field));
    return (
      ` --hashlimit-${above ? "above" : "upto"} ${printRate(period, HASHLIMIT_SCALE)} --hashlimit-burst ${burst}` +
      (keys.length === 0 ? "" : ` --hashlimit-mode ${keys.join(",")}`) +
      ` --hashlimit-name ${name}` +
      own.map(([option, value]) => ` --hashlimit-htable-${option} ${value}`).join("") +
      (srcMask === undefined ? "" : ` --hashlimit-srcmask ${srcMask}`) +
      (dstMask === undefined ? "" : ` --hashlimit-dstmask ${dstMask}`)
    );
  },
});

const parsePackets = (word: string) => (/^[0-9]{1,9}$/.test(word) ? Number(word) : undefined);

type ConnlimitMatch = MatchOf<"connlimit">;

const CONNLIMIT = wholeModule<"connlimit", ConnlimitMatch>({
  name: "connlimit",
  kind: "connlimit",
  fields: {
    "--connlimit-upto": (words) => ({ above: false, limit: words.readCount("a number of connections") }),
    "--connlimit-above": (words) => ({ above: true, limit: words.readCount("a number of connections") }),
    "--connlimit-mask": (words) => ({ mask: words.readCount("a prefix length") }),
    "--connlimit-saddr": () => ({ side: "saddr" }),
    "--connlimit-daddr": () => ({ side: "daddr" }),
  },
  build: ({ above, limit, mask, side = "saddr" }, family) =>
    above === undefined || limit === undefined
      ? undefined
      : { kind: "connlimit", above, limit, mask: mask ?? (family === 4 ? 32 : 128), side },
  print: (match) =>
    ` ${bang(match)}--connlimit-${match.above ? "above" : "upto"} ${match.limit}` +
    ` --connlimit-mask ${match.mask} --connlimit-${match.side}`,
});

/** Modules whose answer is drawn, or depends on earlier packets. */
export const STATEFUL_MODULES: readonly MatchModule[] = [STATISTIC, SET, RECENT, LIMIT, HASHLIMIT, CONNLIMIT];
