import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../../src/compile.js";
import { Engine } from "../../src/engine/engine.js";
import { tcp, udp } from "../../src/packet/build.js";
import { printPacket } from "../../src/packet/print.js";
import type { Match, Rule } from "../../src/ruleset/iptables.js";
import type { NftRule, NftSet, NftStatement } from "../../src/ruleset/nftables.js";
import type { Ruleset } from "../../src/ruleset/ruleset.js";
import { DynamicSetOracle, RecentOracle, type RecentRule } from "../oracle/clients.js";
import { ClusterBuilder } from "../proxy/cluster-of.js";

type Family = 4 | 6;
const FAMILIES: readonly Family[] = [4, 6];
const FIRST_PORT = 1000;

const cluster = () =>
  new ClusterBuilder()
    .clusterCIDRs("10.244.0.0/16 fd00:10:244::/48")
    .node("worker-1", "172.18.0.2 fd00:172:18::2", "10.244.1.0/24 fd00:10:244:1::/64");

const clientOf = (client: number, family: Family) =>
  family === 4 ? `198.51.100.${client}` : `2001:db8::${client.toString(16)}`;

/** A packet of a client's, to the port that stands for a rule. */
function ask({ client, family, rule, ttl = 64 }: Question): Uint8Array {
  const from = clientOf(client, family);
  const port = FIRST_PORT + rule;
  return family === 4
    ? udp(`${from}:9`, `172.18.0.2:${port}`, { ttl })
    : udp(`[${from}]:9`, `[fd00:172:18::2]:${port}`, { ttl });
}

const NODE = compile(cluster().build(), { proxy: "iptables" });
const WHOLE = { 4: 0xffffffff, 6: 2n ** 128n - 1n } as const;

/** Rules that drop what they hit, each asked by its port. */
function withRecent(rules: readonly RecentRule[]): Ruleset {
  const chain = (family: Family) => ({
    name: "PREROUTING",
    policy: "ACCEPT" as const,
    rules: rules.map(({ op, list, invert, ...more }, index): Rule => {
      const port = FIRST_PORT + index;
      const recent = { kind: "recent", op, name: list, side: "source", mask: WHOLE[family] } as const;
      const matches: readonly Match[] = [
        { kind: "protocol", protocol: "UDP" },
        { kind: "dport", from: port, to: port },
        { ...recent, ...more, ...(invert ? { invert } : {}) },
      ];
      return { matches, target: { kind: "drop" } };
    }),
  });
  const tables = (family: Family) => [{ name: "raw" as const, chains: [chain(family)] }];
  return {
    ...NODE,
    iptables: { family: 4, tables: tables(4) },
    ip6tables: { family: 6, tables: tables(6) },
  };
}

const recentRule: fc.Arbitrary<RecentRule> = fc
  .record({
    op: fc.constantFrom("set", "set", "rcheck", "update", "remove"),
    list: fc.constantFrom("A", "B"),
    invert: fc.boolean(),
    seconds: fc.constantFrom(undefined, 1, 3),
    reap: fc.boolean(),
    hitcount: fc.constantFrom(undefined, undefined, 1, 2, 3, 8),
    rttl: fc.boolean(),
  } as const)
  .map(({ seconds, reap, hitcount, rttl, ...rule }): RecentRule => {
    if (rule.op === "set" || rule.op === "remove") return rule;
    return {
      ...rule,
      ...(hitcount === undefined ? {} : { hitcount }),
      ...(rttl ? { rttl: true as const } : {}),
      ...(seconds === undefined ? {} : { seconds, ...(reap ? { reap: true as const } : {}) }),
    };
  });

interface Question {
  readonly client: number;
  readonly family: Family;
  readonly rule: number;
  readonly after: number;
  /** 64 if not said. */
  readonly ttl?: number;
}

function questions(clients: number, rules: number): fc.Arbitrary<readonly Question[]> {
  return fc.array(
    fc.record({
      client: fc.integer({ min: 1, max: clients }),
      family: fc.constantFrom(...FAMILIES),
      rule: fc.nat(rules - 1),
      after: fc.constantFrom(0, 0, 1, 250, 999, 1000, 1001),
      ttl: fc.constantFrom(64, 64, 64, 63),
    }),
    { minLength: 1, maxLength: 300, size: "max" },
  );
}

/** Whether each packet was dropped. */
function run(engine: Engine, asked: readonly Question[]): readonly boolean[] {
  let now = 5000;
  return asked.map((question) => {
    now += question.after;
    return engine.follow(ask(question), { now, in: "eth0" }).reason === "RULE";
  });
}

function answers(asked: readonly Question[], of: (question: Question, now: number) => boolean): boolean[] {
  let now = 5000;
  return asked.map((question) => {
    now += question.after;
    return of(question, now);
  });
}

describe("lists of recent addresses", () => {
  it("answer as xt_recent's, in both families, across changes of place and files", async () => {
    const property = fc.asyncProperty(
      fc.array(recentRule, { minLength: 4, maxLength: 4 }),
      questions(4, 4),
      async (rules, asked) => {
        const oracle = new RecentOracle();
        const expected = answers(asked, ({ client, family, rule, ttl }, now) =>
          oracle.ask(rules[rule] as RecentRule, clientOf(client, family), now, ttl),
        );
        const engine = await Engine.load(withRecent(rules), { connections: 255 });
        const half = asked.length >> 1;
        const before = run(engine, asked.slice(0, half));
        const later = await Engine.load(engine.save());
        const passed = asked.slice(0, half).reduce((sum, { after }) => sum + after, 0);
        const [first, ...rest] = asked.slice(half) as [Question, ...Question[]];
        const after = run(later, [{ ...first, after: first.after + passed }, ...rest]);
        expect([...before, ...after]).toEqual(expected);
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });

  it("keep what is noted again as it is reaped", async () => {
    const rules: readonly RecentRule[] = [
      { op: "set", list: "A", invert: false },
      { op: "update", list: "A", invert: true, seconds: 1, reap: true },
      { op: "rcheck", list: "A", invert: false, seconds: 1 },
    ];
    const engine = await Engine.load(withRecent(rules), { connections: 15 });
    const step = (rule: number, after: number) => ({ client: 1, family: 4, rule, after }) as const;
    expect(run(engine, [step(0, 0), step(1, 1001), step(2, 1000)])).toEqual([true, true, true]);
  });

  /** What becomes of one packet a second, of one client, to a rule that notes and one that asks. */
  async function asked(rule: RecentRule, packets: number, connections = 255): Promise<readonly string[]> {
    const rules: readonly RecentRule[] = [{ op: "set", list: "A", invert: false }, rule];
    const engine = await Engine.load(withRecent(rules), { connections });
    return Array.from({ length: packets }, (_, index) => {
      const now = 5000 + index * 1000;
      const question = { client: 1, family: 4, after: 0 } as const;
      engine.follow(ask({ ...question, rule: 0 }), { now, in: "eth0" });
      return engine.follow(ask({ ...question, rule: 1 }), { now, in: "eth0" }).reason;
    });
  }

  it("count more than they remember where the answer needs no more, and are undecided elsewhere", async () => {
    const often = { op: "rcheck", list: "A", invert: false, hitcount: 10 } as const;
    const never = Array.from({ length: 9 }, () => "NONE");
    expect(await asked(often, 11)).toEqual([...never, "RULE", "RULE"]);
    // Eight are remembered: seven seconds of them are too old for six, and too few for twenty.
    expect(await asked({ ...often, seconds: 6 }, 12)).toEqual([...never, "NONE", "NONE", "NONE"]);
    expect(await asked({ ...often, seconds: 20 }, 11)).toEqual([...never, "UNDECIDED", "UNDECIDED"]);
    expect(await asked({ ...often, seconds: 20, hitcount: 8 }, 9)).toEqual([
      ...never.slice(2),
      "RULE",
      "RULE",
    ]);
  });

  it("remember times of some addresses at once, and of others that they were noted", async () => {
    const rules: readonly RecentRule[] = [
      { op: "set", list: "A", invert: false },
      { op: "rcheck", list: "A", invert: false, seconds: 9, hitcount: 2 },
      { op: "remove", list: "A", invert: false },
    ];
    // A state for 63 clients remembers the times of 15.
    const engine = await Engine.load(withRecent(rules), { connections: 63 });
    const step = (client: number, rule: number) => ({ client, family: 4, rule, after: 0 }) as const;
    const fates = (clients: readonly number[], rule: number) =>
      clients.map((client) => engine.follow(ask(step(client, rule)), { now: 5000, in: "eth0" }).reason);
    const clients = Array.from({ length: 20 }, (_, index) => index + 1);
    fates([...clients, ...clients], 0);
    const told = fates(clients, 1);
    expect(told).toEqual(clients.map((client) => (client <= 15 ? "RULE" : "UNDECIDED")));
    // Room that one leaves is another's.
    fates([1, 20], 2);
    fates([20, 20], 0);
    expect(fates([20, 1], 1)).toEqual(["RULE", "NONE"]);
  });

  it("hold a hundred addresses, and forget the one noted longest ago", async () => {
    const rules: readonly RecentRule[] = [
      { op: "set", list: "A", invert: false },
      { op: "rcheck", list: "A", invert: false },
    ];
    const engine = await Engine.load(withRecent(rules), { connections: 511 });
    const step = (client: number, rule: number) => ({ client, family: 4, rule, after: 0 }) as const;
    const clients = Array.from({ length: 101 }, (_, index) => index + 1);
    // The first is noted again, so that the second is the oldest.
    run(
      engine,
      [...clients.slice(0, 100), 1, 101].map((client) => step(client, 0)),
    );
    const held = run(
      engine,
      clients.map((client) => step(client, 1)),
    );
    expect(clients.filter((_, index) => !held[index])).toEqual([2]);
  });

  it("forget of all lists the address noted longest ago where a state has no more room", async () => {
    const rules: readonly RecentRule[] = [
      { op: "set", list: "A", invert: false },
      { op: "set", list: "B", invert: false },
      { op: "rcheck", list: "A", invert: false },
      { op: "rcheck", list: "B", invert: false },
    ];
    const engine = await Engine.load(withRecent(rules), { connections: 15 });
    const step = (client: number, rule: number) => ({ client, family: 6, rule, after: 0 }) as const;
    run(
      engine,
      Array.from({ length: 20 }, (_, client) => step(client + 1, client & 1)),
    );
    const held = run(
      engine,
      Array.from({ length: 20 }, (_, client) => step(client + 1, 2 + (client & 1))),
    );
    expect(held).toEqual(Array.from({ length: 20 }, (_, client) => client >= 5));
  });

  it("are empty when a rule names them again after none did", async () => {
    const rules: readonly RecentRule[] = [
      { op: "set", list: "A", invert: false },
      { op: "rcheck", list: "A", invert: false },
    ];
    const ruleset = withRecent(rules);
    const held = { client: 1, family: 4, rule: 1, after: 0 } as const;
    const engine = await Engine.load(ruleset, { connections: 15 });
    expect(run(engine, [{ ...held, rule: 0 }, held])).toEqual([true, true]);
    const [chain] = ruleset.iptables?.tables[0]?.chains ?? [];
    const [chain6] = ruleset.ip6tables?.tables[0]?.chains ?? [];
    if (chain === undefined || chain6 === undefined) throw new Error("no chain");
    const set = (rules4: readonly Rule[], rules6: readonly Rule[]) =>
      engine.apply([
        { kind: "chain-set", table: "raw", chain: { ...chain, rules: rules4 } },
        { kind: "chain-set", table: "raw", chain: { ...chain6, rules: rules6 }, family: 6 },
      ]);
    set([], chain6.rules);
    set(chain.rules, chain6.rules);
    expect(run(engine, [held])).toEqual([true]);
    set([], []);
    set(chain.rules, chain6.rules);
    expect(run(engine, [held])).toEqual([false]);
  });
});

const MOST = 3;
const drop: NftStatement = { kind: "verdict", verdict: { kind: "drop" } };

/** Rules that note clients in a set of at most three, and that ask for them; each drops what it hits. */
function withDynamic(timeout: number): Ruleset {
  const set: NftSet = { name: "clients", dynamic: { timeout, size: MOST }, addresses: [] };
  const of = (index: number, statement: NftStatement): NftRule => ({
    statements: [
      { kind: "match-protocol", protocol: "UDP" },
      { kind: "match-dport", port: FIRST_PORT + index },
      statement,
      drop,
    ],
  });
  const table = (family: Family) => ({
    name: "filter",
    family,
    sets: [set],
    maps: [],
    chains: [
      {
        name: "prerouting",
        base: { type: "filter" as const, hook: "prerouting" as const, priority: 0 },
        rules: [
          of(0, { kind: "update-set", set: "clients", side: "saddr" }),
          of(1, { kind: "match-address-set", set: "clients", side: "saddr" }),
          of(2, { kind: "match-address-set", set: "clients", side: "saddr", invert: true }),
        ],
      },
    ],
  });
  const { iptables, ip6tables, ...rest } = NODE;
  return { ...rest, nftables: table(4), nftables6: table(6) } as unknown as Ruleset;
}

describe("sets that rules fill", () => {
  it("hold addresses for their time and up to their size", async () => {
    const property = fc.asyncProperty(questions(5, 3), async (asked) => {
      const oracles = { 4: new DynamicSetOracle(2, MOST), 6: new DynamicSetOracle(2, MOST) };
      const expected = answers(asked, ({ client, family, rule }, now) => {
        const address = clientOf(client, family);
        if (rule === 0) return oracles[family].update(address, now);
        return oracles[family].has(address, now) === (rule === 1);
      });
      expect(run(await Engine.load(withDynamic(2), { connections: 255 }), asked)).toEqual(expected);
    });
    await fc.assert(property, { numRuns: 40 });
  });

  it("begin anew, with their rules, where they are replaced by one of another time", async () => {
    const engine = await Engine.load(withDynamic(2), { connections: 15 });
    const note = { client: 1, family: 4, rule: 0, after: 0 } as const;
    const held = { ...note, rule: 1 };
    expect(run(engine, [note, held, { ...held, after: 1500 }])).toEqual([true, true, true]);
    const set: NftSet = { name: "clients", dynamic: { timeout: 9, size: MOST }, addresses: [] };
    engine.apply([{ kind: "nft-set-set", set }]);
    expect(run(engine, [{ ...held, after: 1500 }, note, { ...held, after: 8000 }])).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe.each(["iptables", "nftables"] as const)("session affinity in mode %s", (proxy) => {
  const names = ["10.244.1.9", "10.244.1.10", "10.244.1.11", "10.244.1.12"];
  const built = cluster()
    .service("shop/web", { clusterIPs: "10.96.0.10", ports: ":80", affinitySeconds: 60 })
    .slice("shop/web", ":8080", ...names.map((name) => `${name}@worker-1`))
    .build();

  /** The endpoint that a new connection of a client's is led to. */
  function endpointOf(engine: Engine, client: string, port: number, now: number): string {
    const { frame } = engine.follow(tcp(`${client}:${port}`, "10.96.0.10:80"), { now, in: "eth0" });
    return / > ([\d.]+)\.8080/.exec(printPacket(frame))?.[1] ?? "nowhere";
  }

  it("leads a client where it went, until its time is over since the last connection", async () => {
    const engine = await Engine.load(compile(built, { proxy }), { connections: 4095 });
    const last = new Set<string>();
    for (let client = 1; client <= 40; client++) {
      const address = `198.51.100.${client}`;
      const went = [0, 59_999, 119_998].map((now, index) =>
        endpointOf(engine, address, 1000 + index, client * 200_000 + now),
      );
      expect(new Set(went).size).toBe(1);
      last.add(`${went[0]}`);
    }
    expect([...last].sort()).toEqual([...names].sort());
  });

  it("draws again after that", async () => {
    const engine = await Engine.load(compile(built, { proxy }), { connections: 4095 });
    const went = Array.from({ length: 40 }, (_, index) =>
      endpointOf(engine, "198.51.100.1", 1000 + index, 1 + index * 61_000),
    );
    expect(new Set(went).size).toBe(names.length);
  });
});
