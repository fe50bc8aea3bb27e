import { bang, parseList } from "../iptables-values.js";
import type { Words } from "../words.js";
import { type MatchModule, type MatchOf, wholeModule } from "./match-module.js";
import { parseRate, printRate } from "./rate.js";

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

/** Modules that count packets or connections in time. */
export const LIMIT_MODULES: readonly MatchModule[] = [LIMIT, HASHLIMIT, CONNLIMIT];
