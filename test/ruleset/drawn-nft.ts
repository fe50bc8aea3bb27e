import fc from "fast-check";
import type { Ip } from "../../src/net/ip.js";
import type { Protocol } from "../../src/net/port.js";
import { maskOf, type Prefix, prefixOf } from "../../src/net/prefix.js";
import { intervalsOf, prefixSet } from "../../src/ruleset/nft-intervals.js";
import type {
  NftChain,
  NftMapElement,
  NftRule,
  NftSet,
  NftStatement,
  NftTable,
  NftVerdict,
} from "../../src/ruleset/nftables.js";

type NftFamily = NftTable["family"];

function ip(family: NftFamily): fc.Arbitrary<Ip> {
  return family === "ip"
    ? fc.integer({ min: 0, max: 0xffffffff })
    : fc.bigInt({ min: 0n, max: 2n ** 128n - 1n });
}

const port = fc.integer({ min: 0, max: 65535 });
const protocol = fc.constantFrom<Protocol[]>("TCP", "UDP", "SCTP");
const side = fc.constantFrom("saddr" as const, "daddr" as const);
const name = fc.stringMatching(/^[a-z][a-zA-Z0-9/_.-]{0,20}$/);
const comment = fc.stringMatching(/^[a-zA-Z0-9 #,;:{}@/.-]{1,30}$/);
const u32 = fc.integer({ min: 0, max: 0xffffffff });
/** Half of them near one another, so that they touch and overlap. */
function prefixes(family: NftFamily): fc.Arbitrary<{ prefixes: readonly Prefix[]; braced?: true }> {
  const bits = family === "ip" ? 32 : 128;
  const near = fc.integer({ min: 0, max: 7 }).map((low) => (family === "ip" ? low : BigInt(low)));
  const one = fc
    .tuple(fc.oneof(ip(family), near), fc.oneof(fc.integer({ min: 0, max: bits }), fc.constant(bits)))
    .map(([address, length]) => prefixOf(address, length));
  const several = fc.array(one, { minLength: 1, maxLength: 4 }).map(prefixSet);
  return fc.tuple(several, fc.boolean()).map(([made, braced]) => {
    return braced && intervalsOf(made).length === 1 ? { prefixes: made, braced } : { prefixes: made };
  });
}

const invertible = <T>(record: fc.Arbitrary<T>) =>
  fc.tuple(record, fc.boolean()).map(([made, invert]) => (invert ? { ...made, invert } : made));

const verdict: fc.Arbitrary<NftVerdict> = fc.oneof(
  fc.record({ kind: fc.constantFrom("accept" as const, "drop", "return", "continue") }),
  fc.record({ kind: fc.constantFrom("jump" as const, "goto"), chain: name }),
);

const statement = (family: NftFamily): fc.Arbitrary<NftStatement> =>
  fc.oneof(
    invertible(
      fc
        .tuple(side, prefixes(family))
        .map(([of, made]) => ({ kind: "match-address" as const, side: of, ...made })),
    ),
    invertible(fc.record({ kind: fc.constant("match-address-set" as const), side, set: name })),
    invertible(fc.record({ kind: fc.constant("match-protocol" as const), protocol })),
    invertible(fc.record({ kind: fc.constant("match-dport" as const), port })),
    invertible(
      fc.record({
        kind: fc.constant("match-mark" as const),
        mask: fc.oneof(u32, fc.integer({ min: 0, max: 32 }).map(maskOf)),
        value: u32,
      }),
    ),
    invertible(fc.record({ kind: fc.constant("match-fib-local" as const), side })),
    invertible(
      fc.record({
        kind: fc.constant("match-interface" as const),
        side: fc.constantFrom("iifname" as const, "oifname"),
        name: fc.constantFrom("eth0", "cali*"),
      }),
    ),
    fc.record({
      kind: fc.constant("match-ctstate" as const),
      // In the order in which nft prints them.
      states: fc.subarray(["invalid", "established", "related", "new"] as const, { minLength: 1 }),
    }),
    fc.record({
      kind: fc.constant("vmap" as const),
      key: fc.constantFrom("daddr-proto-dport" as const, "proto-dport"),
      map: name,
    }),
    fc.record({
      kind: fc.constant("numgen-vmap" as const),
      chains: fc.array(name, { minLength: 1, maxLength: 4 }),
    }),
    fc.record({
      kind: fc.constant("set-mark" as const),
      op: fc.constantFrom("or" as const, "xor"),
      value: u32,
    }),
    fc.record({ kind: fc.constant("dnat" as const), protocol, address: ip(family), port }),
    fc.record({ kind: fc.constant("masquerade" as const), fullyRandom: fc.boolean() }),
    fc.record({ kind: fc.constant("reject" as const) }),
    fc.record({ kind: fc.constant("update-set" as const), set: name, side }),
    verdict.map((made) => ({ kind: "verdict" as const, verdict: made })),
  );

const rule = (family: NftFamily): fc.Arbitrary<NftRule> =>
  fc.record(
    { statements: fc.array(statement(family), { minLength: 1, maxLength: 4 }), comment },
    { requiredKeys: ["statements"] },
  );

const chain = (family: NftFamily): fc.Arbitrary<NftChain> =>
  fc.record(
    {
      name,
      comment,
      base: fc.record({
        type: fc.constantFrom("filter" as const, "nat"),
        hook: fc.constantFrom("prerouting" as const, "input", "forward", "output", "postrouting"),
        priority: fc.integer({ min: -400, max: 400 }),
      }),
      rules: fc.array(rule(family), { maxLength: 4 }),
    },
    { requiredKeys: ["name", "rules"] },
  );

const element = (family: NftFamily, withAddress: boolean): fc.Arbitrary<NftMapElement> =>
  fc.record(
    { ...(withAddress ? { address: ip(family) } : {}), protocol, port, verdict, comment },
    { requiredKeys: [...(withAddress ? (["address"] as const) : []), "protocol", "port", "verdict"] },
  );

const map = (family: NftFamily, key: "daddr-proto-dport" | "proto-dport") =>
  fc.record(
    {
      name,
      comment,
      key: fc.constant(key),
      elements: fc.array(element(family, key !== "proto-dport"), { maxLength: 4 }),
    },
    { requiredKeys: ["name", "key", "elements"] },
  );

const set = (family: NftFamily): fc.Arbitrary<NftSet> =>
  fc.record(
    {
      name,
      comment,
      dynamic: fc.record(
        { timeout: fc.integer({ min: 1, max: 200_000 }), size: port },
        { requiredKeys: ["timeout"] },
      ),
      addresses: fc.array(
        fc.record({ address: ip(family), comment, expires: fc.nat() }, { requiredKeys: ["address"] }),
        { maxLength: 5 },
      ),
    },
    { requiredKeys: ["name", "addresses"] },
  );

/** A table of everything that can be printed and read. */
export const drawnTable = (family: NftFamily): fc.Arbitrary<NftTable> =>
  fc.record(
    {
      family: fc.constant(family),
      name,
      comment,
      sets: fc.array(set(family), { maxLength: 2 }),
      maps: fc.array(fc.oneof(map(family, "daddr-proto-dport"), map(family, "proto-dport")), {
        maxLength: 2,
      }),
      chains: fc.array(chain(family), { maxLength: 4 }),
    },
    { requiredKeys: ["family", "name", "sets", "maps", "chains"] },
  );
