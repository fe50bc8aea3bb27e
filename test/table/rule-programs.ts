import fc from "fast-check";
import {
  MATCH_IN,
  MATCH_MARK,
  MATCH_PORTS,
  MATCH_SET,
  MATCH_SPORT,
  MATCH_STATISTIC,
  TARGET_ACCEPT,
  TARGET_DROP,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_MARK,
  TARGET_NONE,
  TARGET_NUMGEN,
  TARGET_REJECT,
  TARGET_RETURN,
  TARGET_VMAP,
  WORD_CHAIN_SHIFT,
} from "../../assembly/abi/entry.js";
import { KEY_DST, KEY_DST_PROTO_DPORT, KEY_PROTO_DPORT, KEY_SRC } from "../../assembly/abi/rule.js";
import { RuleDraft } from "../../src/engine/entries/rules.js";
import type { Family, Ip } from "../../src/net/ip.js";
import { type Prefix, prefixOf } from "../../src/net/prefix.js";
import {
  type Key,
  keyOf,
  type Match,
  type Program,
  type Rule,
  type RulePacket,
  type Target,
  type Word,
} from "../oracle/rules.js";

/** The exact table that stands for a program's map. */
export const MAP = 1;
/** Marks of the programs are below this. */
export const MARKS = 8;

const KEYS: Readonly<Record<Key, number>> = {
  "dst-port": KEY_DST_PROTO_DPORT,
  port: KEY_PROTO_DPORT,
  dst: KEY_DST,
  src: KEY_SRC,
};
const TARGETS = {
  accept: TARGET_ACCEPT,
  drop: TARGET_DROP,
  reject: TARGET_REJECT,
  return: TARGET_RETURN,
  jump: TARGET_JUMP,
  goto: TARGET_GOTO,
} as const;

/** A verdict word as the machine takes it. */
export function wordOf(word: Word): number {
  return TARGETS[word.kind] | ("chain" in word ? word.chain << WORD_CHAIN_SHIFT : 0);
}

function addMatch(draft: RuleDraft, match: Match): void {
  const { not } = match;
  switch (match.kind) {
    case "src":
      draft.src(match.prefix, not);
      break;
    case "dst":
      draft.dst(match.prefix, not);
      break;
    case "src in":
    case "dst in":
      draft.prefixes(match.kind === "src in", not, match.prefixes);
      break;
    case "protocol":
      draft.protocol(match.number, not);
      break;
    case "dport":
      draft.dport(match.from, match.to, not);
      break;
    case "sport":
      draft.match(MATCH_SPORT, not, match.from, match.to);
      break;
    case "mark":
      draft.match(MATCH_MARK, not, match.value, match.mask);
      break;
    case "in":
      draft.match(MATCH_IN, not, match.number);
      break;
    case "ports":
      draft.match(MATCH_PORTS, not);
      break;
    case "chance":
      draft.match(MATCH_STATISTIC, not, match.always ? 2 ** 31 : 0);
      break;
    case "set":
      draft.match(MATCH_SET, not, MAP, KEYS[match.by]);
  }
}

export function draftOf({ matches, target }: Rule): RuleDraft {
  const draft = new RuleDraft();
  for (const match of matches) addMatch(draft, match);
  switch (target.kind) {
    case "none":
      return draft.target(TARGET_NONE);
    case "mark":
      return draft.target(TARGET_MARK, target.value, target.mask);
    case "vmap":
      return draft.target(TARGET_VMAP, MAP, KEYS[target.by]);
    case "only":
      return draft.target(TARGET_NUMGEN, 1, wordOf(target.word));
    default:
      return draft.target(TARGETS[target.kind], ...("chain" in target ? [target.chain] : []));
  }
}

/** Addresses that share their beginnings, and of IPv6 their last words, so that prefixes of many lengths tell some apart. */
const ADDRESSES: Readonly<Record<Family, readonly Ip[]>> = {
  4: [0x0a000001, 0x0a000002, 0x0a600001, 0xac120002],
  6: [
    0x20010db8_00000000_00000000_00000001n,
    0x20010db8_00000000_00000000_00000003n,
    0x20010db8_00000001_00000000_00000001n,
    0xfd000000_00000000_00000001_00000003n,
  ],
};
const LENGTHS: Readonly<Record<Family, readonly number[]>> = {
  4: [0, 8, 16, 31, 32],
  6: [0, 8, 48, 64, 96, 97, 127, 128],
};
const PORTS = [53, 80, 81, 30080, 65535];
const port = fc.constantFrom(...PORTS);
const range = fc.tuple(port, port).map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
const addressIn = (family: Family) => fc.constantFrom(...ADDRESSES[family]);
const prefixIn = (family: Family) =>
  fc
    .tuple(fc.constantFrom(...ADDRESSES[family]), fc.constantFrom(...LENGTHS[family]))
    .map(([of, length]) => prefixOf(of, length));
const by = fc.constantFrom<Key>("dst-port", "port", "dst", "src");
const mark = fc.record({ value: fc.nat(MARKS - 1), mask: fc.nat(MARKS - 1) });
const rarely = fc.integer({ min: 0, max: 3 }).map((value) => value === 0);

/** The fields that every rule has, each at most once, before its further matches. */
const fields = (prefix: fc.Arbitrary<Prefix>): fc.Arbitrary<Match[]> =>
  fc
    .tuple(
      fc.option(fc.record({ kind: fc.constantFrom("src" as const), prefix, not: rarely }), { freq: 2 }),
      fc.option(fc.record({ kind: fc.constantFrom("dst" as const), prefix, not: rarely }), { freq: 2 }),
      fc.option(
        fc.record({
          kind: fc.constantFrom("protocol" as const),
          number: fc.constantFrom(1, 6, 17, 58),
          not: rarely,
        }),
        { freq: 2 },
      ),
      fc.option(
        fc.tuple(range, rarely).map(([ports, not]) => ({ kind: "dport" as const, ...ports, not })),
        { freq: 2 },
      ),
    )
    .map((all) => all.filter((match) => match !== null));

const further = (prefix: fc.Arbitrary<Prefix>): fc.Arbitrary<Match> =>
  fc
    .tuple(
      fc.oneof(
        range.map((ports) => ({ kind: "sport" as const, ...ports })),
        mark.map(({ value, mask }) => ({ kind: "mark" as const, value: value & mask, mask })),
        fc.constantFrom(1, 2).map((number) => ({ kind: "in" as const, number })),
        fc.constant({ kind: "ports" as const }),
        fc.boolean().map((always) => ({ kind: "chance" as const, always })),
        by.map((key) => ({ kind: "set" as const, by: key })),
        fc
          .tuple(
            fc.constantFrom("src in" as const, "dst in" as const),
            fc.array(prefix, { minLength: 1, maxLength: 5 }),
          )
          .map(([kind, prefixes]) => ({ kind, prefixes })),
      ),
      fc.boolean(),
    )
    .map(([match, not]) => ({ ...match, not }));

/** Hand-overs lead to chains further on, so that there is no loop. */
function word(chain: number, chains: number): fc.Arbitrary<Word> {
  const plain = fc.constantFrom<Word>(
    { kind: "accept" },
    { kind: "drop" },
    { kind: "reject" },
    { kind: "return" },
  );
  if (chain + 1 >= chains) return plain;
  const to = fc.oneof(fc.constant(chain + 1), fc.integer({ min: chain + 1, max: chains - 1 }));
  const handover = fc
    .tuple(fc.constantFrom("jump" as const, "jump" as const, "goto" as const), to)
    .map(([kind, target]) => ({ kind, chain: target }));
  return fc.oneof({ weight: 1, arbitrary: plain }, { weight: 3, arbitrary: handover });
}

function targetOf(chain: number, chains: number): fc.Arbitrary<Target> {
  return fc.oneof(
    { weight: 4, arbitrary: word(chain, chains) },
    { weight: 1, arbitrary: fc.constant<Target>({ kind: "none" }) },
    { weight: 2, arbitrary: mark.map((bits): Target => ({ kind: "mark", ...bits })) },
    // A map may lead anywhere behind the last chain that asks it: only the last three do not ask.
    { weight: chain < 3 ? 2 : 0, arbitrary: by.map((key): Target => ({ kind: "vmap", by: key })) },
    { weight: 1, arbitrary: word(chain, chains).map((only): Target => ({ kind: "only", word: only })) },
  );
}

const CHAINS = 20;

function chainOf(chain: number, family: Family): fc.Arbitrary<Rule[]> {
  const matches = fc
    .tuple(
      fields(prefixIn(family)),
      fc.oneof(fc.constant([]), fc.array(further(prefixIn(family)), { maxLength: 2 })),
    )
    .map(([a, b]) => [...a, ...b]);
  const rule = fc.record({ matches, target: targetOf(chain, CHAINS) });
  return fc.array(rule, { minLength: chain === 0 ? 5 : 1, maxLength: 6 });
}

/** What becomes of a packet that passes all other rules of the first chain: most do. */
const last: fc.Arbitrary<Rule> = fc
  .constantFrom<Target>({ kind: "none" }, { kind: "accept" }, { kind: "drop" }, { kind: "reject" })
  .map((target) => ({ matches: [], target }));

/** Any program of 20 chains without a loop, for packets of a family. */
export const program = (family: Family): fc.Arbitrary<Program> =>
  fc.record({
    chains: fc
      .tuple(last, ...Array.from({ length: CHAINS }, (_, chain) => chainOf(chain, family)))
      .map(([end, first = [], ...others]) => [[...first, end], ...others]),
    map: fc
      .array(
        fc
          .tuple(
            by,
            fc.tuple(addressIn(family), addressIn(family), port, fc.constantFrom(6, 17)),
            word(3, CHAINS),
          )
          .map(
            ([key, [src, dst, dstPort, protocol], verdict]) =>
              [keyOf(key, { src, dst, protocol, srcPort: 0, dstPort, in: 0 }).join(" "), verdict] as const,
          ),
        { minLength: 4, maxLength: 16 },
      )
      .map((entries) => new Map(entries)),
  });

/** Packets of few addresses and ports, so that rules match them. */
export const packet = (family: Family): fc.Arbitrary<RulePacket> =>
  fc
    .record({
      src: addressIn(family),
      dst: addressIn(family),
      protocol: fc.constantFrom(family === 6 ? 58 : 1, 6, 6, 17),
      srcPort: port,
      dstPort: port,
      in: fc.constantFrom(1, 2),
    })
    .map((drawn) =>
      drawn.protocol === 1 || drawn.protocol === 58 ? { ...drawn, srcPort: 0, dstPort: 0 } : drawn,
    );
