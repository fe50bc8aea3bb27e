import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../../src/compile.js";
import { Engine } from "../../src/engine/engine.js";
import { familyOf, type Ip, parseIp, printIp } from "../../src/net/ip.js";
import { type Prefix, prefixContains, prefixOf } from "../../src/net/prefix.js";
import { tcp, udp } from "../../src/packet/build.js";
import type { RulesetStep } from "../../src/ruleset/change.js";
import { ipSetEntryKey } from "../../src/ruleset/identity.js";
import type { IpSet, IpSetEntry } from "../../src/ruleset/ipset.js";
import type { Rule } from "../../src/ruleset/iptables.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import { dualClusterOf } from "../proxy/cluster-of.js";

type Family = 4 | 6;
type Type = IpSet["type"];

const SIDES: Partial<Record<Type, readonly ("src" | "dst")[]>> = {
  "hash:ip,port,ip": ["dst", "dst", "src"],
  "hash:ip,port,net": ["dst", "dst", "src"],
};

/** Few enough that elements overlap and packets meet them. */
const PLACES: Readonly<Record<Family, { readonly src: readonly Ip[]; readonly dst: readonly Ip[] }>> = {
  4: {
    src: ["203.0.113.4", "203.0.113.5", "203.0.113.7", "198.51.100.9"].map((text) => parseIp(text) as Ip),
    dst: ["10.244.8.4", "203.0.113.4", "10.244.8.5"].map((text) => parseIp(text) as Ip),
  },
  6: {
    src: ["2001:db8::4", "2001:db8::5", "2001:db8::7", "2001:db8:9::9"].map((text) => parseIp(text) as Ip),
    dst: ["fd00:244:0:8::4", "2001:db8::4", "fd00:244:0:8::5"].map((text) => parseIp(text) as Ip),
  },
};
const PORTS = [80, 81];
const PROTOCOLS = ["TCP", "UDP"] as const;

const RULESET = compile(dualClusterOf().build(), { node: "dual-1", proxy: "ipvs" });

/** A node that drops in FORWARD what the set holds. */
function rulesetWith(set: IpSet, family: Family): Ruleset {
  const drop: Rule = {
    matches: [{ kind: "set", set: set.name, sides: SIDES[set.type] ?? [] }],
    target: { kind: "drop" },
  };
  const part = family === 4 ? "iptables" : "ip6tables";
  const iptables = RULESET[part];
  if (iptables === undefined) throw new Error(`no ${part}`);
  const tables = iptables.tables.map((table) => ({
    ...table,
    chains: table.chains.map((chain) =>
      table.name === "filter" && chain.name === "FORWARD" ? { ...chain, rules: [drop] } : chain,
    ),
  }));
  return { ...RULESET, ipsets: [...(RULESET.ipsets ?? []), set], [part]: { ...iptables, tables } };
}

interface Asked {
  readonly src: Ip;
  readonly dst: Ip;
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
}

function questions(family: Family): readonly Asked[] {
  const { src: sources, dst: destinations } = PLACES[family];
  return sources.flatMap((src) =>
    destinations
      .filter((dst) => dst !== src)
      .flatMap((dst) => PROTOCOLS.flatMap((protocol) => PORTS.map((port) => ({ src, dst, protocol, port })))),
  );
}

/** Of the nets that hold the source the longest decides. */
function holds({ type, entries }: IpSet, { src, dst, protocol, port }: Asked): boolean {
  const fits = entries
    .filter((entry) => entry.protocol === protocol && entry.port === port && entry.ip === dst)
    .filter(({ ip2 }) => type !== "hash:ip,port,ip" || ip2 === src);
  if (!type.includes("net")) return fits.length > 0;
  const nets = fits.filter(({ net }) => prefixContains(net as Prefix, src));
  const [longest] = nets.sort((a, b) => (b.net?.length ?? 0) - (a.net?.length ?? 0));
  return longest !== undefined && longest.nomatch === undefined;
}

function entriesOf(type: Type, family: Family): fc.Arbitrary<IpSetEntry> {
  const { src, dst } = PLACES[family];
  const bits = family === 4 ? 32 : 128;
  const net = fc
    .tuple(fc.constantFrom(...src), fc.integer({ min: bits - 4, max: bits }), fc.boolean())
    .map(([address, length, wide]) => prefixOf(address, wide ? length - bits + 8 : length));
  const service = { protocol: fc.constantFrom(...PROTOCOLS), port: fc.constantFrom(...PORTS) };
  const nomatch = fc.constant(true as const);
  switch (type) {
    case "hash:ip,port,net":
      return fc.record(
        { ip: fc.constantFrom(...dst), net, nomatch, ...service },
        { requiredKeys: ["ip", "net", "protocol", "port"] },
      );
    default:
      return fc.record({ ip: fc.constantFrom(...dst), ip2: fc.constantFrom(...src), ...service });
  }
}

function reasons(engine: Engine, family: Family): readonly string[] {
  const asked = questions(family);
  const batch = engine.batch(asked.length, { frameLength: 256 });
  const text = (ip: Ip, port: number) =>
    familyOf(ip) === 4 ? `${printIp(ip)}:${port}` : `[${printIp(ip)}]:${port}`;
  for (const [index, { src, dst, protocol, port }] of asked.entries()) {
    const build = protocol === "TCP" ? tcp : udp;
    const frame = build(text(src, 1000), text(dst, port));
    batch.set(index, frame, engine.interfaceNumber(frame, "eth0"));
  }
  engine.run(batch, 0);
  return asked.map((_, index) => `${batch.reason(index)}`);
}

describe("ipsets of pairs, as tables of the machine", () => {
  const cases = (Object.keys(SIDES) as Type[]).flatMap((type) =>
    ([4, 6] as const).map((family) => [type, family] as const),
  );

  it.each(cases)(
    "%s of IPv%d holds what it holds, through changes and in a loaded image",
    async (type, family) => {
      let hits = 0;
      const entry = entriesOf(type, family);
      const property = fc.asyncProperty(
        fc.array(entry, { maxLength: 4 }),
        fc.array(entry, { maxLength: 6 }),
        fc.nat(6),
        async (first, toggled, saved) => {
          const keyOf = (one: IpSetEntry) => ipSetEntryKey(type, one);
          const entries = new Map(first.map((one) => [keyOf(one), one]));
          const named = { name: "S", type, ...(family === 6 ? { family } : {}) } as const;
          const set = (): IpSet => ({ ...named, entries: [...entries.values()] });
          let engine = await Engine.load(rulesetWith(set(), family), { seed: 1, connections: 255 });
          const check = () => {
            const expected = questions(family).map((asked) => holds(set(), asked));
            const dropped = reasons(engine, family).map((reason) => reason === "RULE");
            expect(dropped).toEqual(expected);
            hits += expected.filter((one) => one).length;
          };
          check();
          for (const [index, one] of toggled.entries()) {
            const kind = entries.has(keyOf(one)) ? "ipset-removed" : "ipset-added";
            const step: RulesetStep = { kind, set: "S", entry: entries.get(keyOf(one)) ?? one };
            engine.apply([step]);
            if (kind === "ipset-added") entries.set(keyOf(one), one);
            else entries.delete(keyOf(one));
            if (index === saved) engine = await Engine.load(engine.save());
            check();
          }
        },
      );
      await fc.assert(property, { numRuns: 40 });
      expect(hits).toBeGreaterThan(0);
    },
  );
});
