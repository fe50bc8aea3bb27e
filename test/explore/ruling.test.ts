import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compile } from "../../src/compile.js";
import { Engine } from "../../src/engine/engine.js";
import { likeliest } from "../../src/explore/outcome.js";
import { type Ruling, rulingOf } from "../../src/explore/ruling.js";
import type { Cluster } from "../../src/model/cluster.js";
import { parseIp, printIp } from "../../src/net/ip.js";
import { sctp, tcp, udp } from "../../src/packet/build.js";
import type { Iptables, Rule } from "../../src/ruleset/iptables.js";
import { SCHEDULERS } from "../../src/ruleset/ipvs.js";
import { routable, unnamedInterface } from "../../src/ruleset/routable.js";
import { PROXY_MODES, type ProxyMode, type Ruleset } from "../../src/ruleset/ruleset.js";
import { numgenChances, statisticChances } from "../oracle/chances.js";
import type { Ratio } from "../oracle/outcomes.js";
import { clusterOf, dualClusterOf, ip, prefix } from "../proxy/cluster-of.js";

const POD = "10.244.1.9";
const OUTSIDE = "198.51.100.7";
const NODE = "172.18.0.2";

/** Asks of one node's rules, as the command does. */
class Rules {
  private constructor(
    readonly engine: Engine,
    readonly otherwise: string,
  ) {}

  static async of(ruleset: Ruleset, ...interfaces: readonly string[]): Promise<Rules> {
    const otherwise = unnamedInterface(ruleset);
    const engine = await Engine.load(routable(ruleset, [otherwise, ...interfaces]), { connections: 8 });
    return new Rules(engine, otherwise);
  }

  ask(from: string, to: string, build = tcp, iface = this.otherwise): Ruling {
    const source = from.includes(":") ? `[${from}]:40000` : `${from}:40000`;
    const frame = build(source, to);
    const isOwn = this.engine.interfaceNumber(frame) === 0;
    const outcomes = this.engine.explore(frame, isOwn ? {} : { in: iface });
    return rulingOf(outcomes, typeof parseIp(from) === "number" ? 4 : 6, this.engine.numbering);
  }
}

function rulesOf(cluster: Cluster, proxy: ProxyMode, node = "worker-1"): Promise<Rules> {
  return Rules.of(compile(cluster, { proxy, node }));
}

const endpointsOf = ({ outcomes }: Ruling) => outcomes.map(({ endpoint }) => endpoint);
const untouched = { endpoint: null, probability: 1, fraction: "1", masquerade: false };

/** Both sides as integers, so that no fraction need be in its lowest terms. */
function isSame(fraction: string | null, [n, d]: Ratio): boolean {
  const [numerator = "", denominator = "1"] = (fraction ?? "0/1").split("/");
  return BigInt(numerator) * d === n * BigInt(denominator);
}

/** Sides may be far beyond what a double holds. */
function asNumber([n, d]: Ratio): number {
  return Number((n << 60n) / d) / 2 ** 60;
}

/** Addresses as kube-proxy sorts endpoints: by their text. */
function endpointTexts(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `10.244.${1 + (index % 2)}.${index + 10}`);
}

const CHANCES = { iptables: statisticChances, nftables: numgenChances } as const;

describe("rulings: endpoints", () => {
  const drawn = fc.record({ count: fc.integer({ min: 1, max: 40 }), affinity: fc.boolean() });

  it.each(["iptables", "nftables"] as const)("are as likely as an oracle says: %s", async (mode) => {
    await fc.assert(
      fc.asyncProperty(drawn, async ({ count, affinity }) => {
        const texts = endpointTexts(count);
        const cluster = clusterOf()
          .service("a/web", {
            type: "NodePort",
            clusterIPs: "10.96.0.1",
            ports: ":80>30080",
            ...(affinity ? { affinitySeconds: 100 } : {}),
          })
          .slice("a/web", ":8080", ...texts.map((text) => `${text}@worker-1`))
          .build();
        const rules = await rulesOf(cluster, mode);
        const sorted = texts.map((text) => `${text}:8080`).sort();
        for (const [from, to] of [
          [POD, "10.96.0.1:80"],
          [OUTSIDE, `${NODE}:30080`],
          [NODE, "10.96.0.1:80"],
        ] as const) {
          const { verdict, outcomes } = rules.ask(from, to);
          expect(verdict).toBe("accept");
          expect(outcomes.map(({ endpoint }) => endpoint)).toEqual(sorted);
          for (const [index, { fraction, probability, masquerade }] of outcomes.entries()) {
            const chance = CHANCES[mode](count)[index] ?? [0n, 1n];
            expect(isSame(fraction, chance)).toBe(true);
            expect(probability).toBeCloseTo(asNumber(chance), 12);
            expect(masquerade).toBe(from !== POD);
          }
        }
      }),
      { numRuns: 12 },
    );
  });

  it.each(PROXY_MODES)("are masqueraded each for itself, where a Pod calls itself: %s", async (mode) => {
    const cluster = clusterOf()
      .service("a/web", { clusterIPs: "10.96.0.1", ports: ":80" })
      .slice("a/web", ":8080", `${POD}@worker-1`, "10.244.2.9@worker-2")
      .build();
    const { outcomes } = (await rulesOf(cluster, mode)).ask(POD, "10.96.0.1:80");
    expect(outcomes.map(({ endpoint, masquerade }) => [endpoint, masquerade])).toEqual([
      [`${POD}:8080`, true],
      ["10.244.2.9:8080", false],
    ]);
  });

  it.each(SCHEDULERS)(
    "have no probability where connections or turns decide, and one where a hash does: %s",
    async (ipvsScheduler) => {
      const cluster = clusterOf()
        .service("a/web", { clusterIPs: "10.96.0.1", ports: ":80" })
        .slice("a/web", ":8080", "10.244.1.5@worker-1", "10.244.1.6@worker-1", "10.244.2.7@worker-2")
        .build();
      const rules = await Rules.of(compile(cluster, { proxy: "ipvs", ipvsScheduler }));
      const { outcomes } = rules.ask(POD, "10.96.0.1:80");
      const hashes = ["sh", "mh", "dh"].includes(ipvsScheduler);
      expect(new Set(outcomes.map(({ probability }) => probability))).toEqual(new Set([hashes ? 1 : null]));
      expect(new Set(outcomes.map(({ fraction }) => fraction))).toEqual(new Set([hashes ? "1" : null]));
      // fo leaves no endpoint for another of the same weight.
      expect(outcomes).toHaveLength(hashes || ipvsScheduler === "fo" ? 1 : 3);
    },
  );

  it("are as many as there are endpoints of twos, whichever two it may draw", async () => {
    const endpoints = Array.from({ length: 90 }, (_, index) => `10.244.2.${index + 1}@worker-2`);
    const cluster = clusterOf()
      .service("a/web", { clusterIPs: "10.96.0.1", ports: ":80" })
      .slice("a/web", ":8080", ...endpoints)
      .build();
    const rules = await Rules.of(compile(cluster, { proxy: "ipvs", ipvsScheduler: "twos" }));
    expect(rules.ask(POD, "10.96.0.1:80").outcomes).toHaveLength(90);
  });

  it.each(PROXY_MODES)("are found for UDP, SCTP and IPv6: %s", async (mode) => {
    const cluster = dualClusterOf()
      .service("a/u", { clusterIPs: "10.96.0.1 fd00:96::1", ports: ":53/UDP" })
      .slice("a/u", ":5353/UDP", "10.244.8.5@dual-1")
      .slice("a/u", ":5353/UDP", "fd00:244:0:8::5@dual-1")
      .service("a/s", { clusterIPs: "10.96.0.2", ports: ":53/SCTP" })
      .slice("a/s", ":5353/SCTP", "10.244.8.6@dual-1")
      .build();
    const rules = await rulesOf(cluster, mode, "dual-1");
    expect(endpointsOf(rules.ask("10.244.8.9", "10.96.0.1:53", udp))).toEqual(["10.244.8.5:5353"]);
    expect(endpointsOf(rules.ask("fd00:244:0:8::9", "[fd00:96::1]:53", udp))).toEqual([
      "[fd00:244:0:8::5]:5353",
    ]);
    expect(endpointsOf(rules.ask("10.244.8.9", "10.96.0.2:53", sctp))).toEqual(["10.244.8.6:5353"]);
  });
});

describe("rulings: refusals", () => {
  const cluster = dualClusterOf()
    .service("a/none", { clusterIPs: "10.96.0.1 fd00:96::1", ports: ":80" })
    .service("a/local", {
      type: "LoadBalancer",
      clusterIPs: "10.96.0.2",
      ports: ":80>30080",
      externalTrafficPolicy: "Local",
      healthCheckNodePort: 32000,
    })
    .slice("a/local", ":8080", "10.244.9.5@dual-2")
    .build();

  const comment = '-m comment --comment "a/none has no endpoints"';
  const REJECTING = {
    iptables: (to: string, kind: string) =>
      `-A KUBE-SERVICES -d ${to} -p tcp ${comment} -m tcp --dport 80 -j REJECT --reject-with ${kind}`,
    // No rule refuses: IPVS has no destination.
    ipvs: () => undefined,
    nftables: (to: string) => `add rule ${to.includes(":") ? "ip6" : "ip"} kube-proxy reject-chain reject`,
  } as const;

  it.each(PROXY_MODES)("tell what the sender hears, and by which rule: %s", async (mode) => {
    const rules = await rulesOf(cluster, mode, "dual-1");
    const refused = (kind: "icmp-port-unreachable" | "icmp6-port-unreachable", to: string) => {
      const rule = REJECTING[mode](to, kind);
      return { verdict: "reject", with: kind, ...(rule && { rule }), outcomes: [] };
    };
    expect(rules.ask(POD, "10.96.0.1:80")).toStrictEqual(refused("icmp-port-unreachable", "10.96.0.1/32"));
    expect(rules.ask("fd00:244::9", "[fd00:96::1]:80")).toStrictEqual(
      refused("icmp6-port-unreachable", "fd00:96::1/128"),
    );
  });

  it.each([
    [
      "iptables",
      '-A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "a/local has no local endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 30080 -j DROP',
    ],
    [
      "nftables",
      "add rule ip kube-proxy nodeport-endpoints-check ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports",
    ],
  ] as const)("are drops where no endpoint is local: %s", async (mode, rule) => {
    const rules = await rulesOf(cluster, mode, "dual-1");
    expect(rules.ask(OUTSIDE, "172.18.0.8:30080")).toStrictEqual({ verdict: "drop", rule, outcomes: [] });
  });

  it.each([
    ["iptables", true],
    ["ipvs", true],
    ["nftables", false],
  ] as const)("do not hit health checks, which %s accepts by name: %s", async (mode, isByName) => {
    const rules = await rulesOf(cluster, mode, "dual-1");
    const accepted = isByName ? { accepted: true } : {};
    expect(rules.ask(OUTSIDE, "172.18.0.8:32000").outcomes).toEqual([
      { verdict: "accept", ...untouched, ...accepted },
    ]);
    expect(rules.ask(OUTSIDE, "172.18.0.8:32001").outcomes).toEqual([{ verdict: "accept", ...untouched }]);
  });
});

/** A node whose nat PREROUTING and filter FORWARD have these rules. */
function withRules(nat: readonly Rule[], filter: readonly Rule[]): Ruleset {
  const iptables: Iptables = {
    family: 4,
    tables: [
      { name: "nat", chains: [{ name: "PREROUTING", policy: "ACCEPT", rules: nat }] },
      { name: "filter", chains: [{ name: "FORWARD", policy: "ACCEPT", rules: filter }] },
    ],
  };
  return { ...compile(clusterOf().build()), iptables };
}

const half = { kind: "statistic", threshold: 2 ** 30 } as const;
const isTcp = { kind: "protocol", protocol: "TCP" } as const;

describe("rulings of rules", () => {
  it("are mixed where outcomes differ, in the order of the rules", async () => {
    const nat: Rule[] = [
      { matches: [isTcp, half], target: { kind: "dnat", address: ip("10.244.2.9"), port: 1 } },
      { matches: [isTcp, half], target: { kind: "dnat", address: ip("10.244.1.9"), port: 2 } },
    ];
    const blocked = { kind: "destination", prefix: prefix("10.244.1.9/32") } as const;
    const filter: Rule[] = [
      { matches: [blocked], target: { kind: "reject", with: "icmp-host-prohibited" } },
      { matches: [half], target: { kind: "drop" } },
    ];
    const ruling = (await Rules.of(withRules(nat, filter))).ask(OUTSIDE, "8.8.8.8:80");
    expect(ruling.verdict).toBe("mixed");
    expect(
      ruling.outcomes.map(({ verdict, endpoint, fraction, with: kind }) => [
        verdict,
        endpoint,
        fraction,
        kind,
      ]),
    ).toEqual([
      ["drop", "10.244.2.9:1", "1/4", undefined],
      ["accept", "10.244.2.9:1", "1/4", undefined],
      ["reject", "10.244.1.9:2", "1/4", "icmp-host-prohibited"],
      ["drop", null, "1/8", undefined],
      ["accept", null, "1/8", undefined],
    ]);
    const drop = "-A FORWARD -m statistic --mode random --probability 0.50000000000 -j DROP";
    const reject = "-A FORWARD -d 10.244.1.9/32 -j REJECT --reject-with icmp-host-prohibited";
    expect(ruling.outcomes.map(({ rule }) => rule)).toEqual([drop, undefined, reject, drop, undefined]);
  });

  it("name the policy that drops, behind rules that matched, and nothing where no route is the cause", async () => {
    const { iptables, ...rest } = withRules([], []);
    const mark: Rule = { matches: [], target: { kind: "mark", value: 1, mask: 1 } };
    const filter = [{ name: "FORWARD", policy: "DROP" as const, rules: [mark] }];
    const tables = iptables?.tables.map((table) =>
      table.name === "filter" ? { ...table, chains: filter } : table,
    );
    const dropping = await Rules.of({ ...rest, iptables: { family: 4, tables: tables ?? [] } });
    expect(dropping.ask(OUTSIDE, "8.8.8.8:80")).toStrictEqual({
      verdict: "drop",
      rule: "-P FORWARD DROP",
      outcomes: [],
    });
    const routes = [{ prefix: prefix("8.8.0.0/16"), dev: "lo", refusal: "blackhole" }] as const;
    const engine = await Engine.load({ ...withRules([mark], []), routes }, { connections: 8 });
    const outcomes = engine.explore(tcp(`${OUTSIDE}:40000`, "8.8.8.8:80"));
    expect(outcomes.map(({ reason }) => reason)).toEqual(["BLACKHOLE"]);
    expect(rulingOf(outcomes, 4, engine.numbering)).toStrictEqual({
      verdict: "drop",
      why: "its route is a blackhole",
      outcomes: [],
    });
  });

  it("find a route to everywhere, and no interface that rules name", async () => {
    const drop: Rule = { matches: [{ kind: "in-interface", name: "eth+" }], target: { kind: "drop" } };
    const routes = [{ prefix: prefix("8.8.0.0/16"), dev: "lo", refusal: "blackhole" }] as const;
    const ruleset = { ...withRules([], [drop]), routes, neighbours: [] };
    const rules = await Rules.of(ruleset, "eth7");
    expect(rules.ask(OUTSIDE, "8.8.8.8:80").verdict).toBe("accept");
    expect(rules.ask("fd00::1", "[fd00::2]:80").verdict).toBe("accept");
    expect(rules.ask(OUTSIDE, "8.8.8.8:80", tcp, "eth7").verdict).toBe("drop");
    const taken = [..."xyzwvutsrqponmlkjihgfedcba0123456789"].map(
      (letter): Rule => ({ matches: [{ kind: "in-interface", name: `${letter}+` }] }),
    );
    expect(unnamedInterface(withRules([], taken))).toBe("");
    expect(unnamedInterface(withRules([], taken.slice(1)))).toBe("x");
  });

  it.each(PROXY_MODES)("judge alone what no kernel routes, too: %s", async (mode) => {
    const cluster = dualClusterOf()
      .service("a/web", { type: "NodePort", clusterIPs: "10.96.0.1 fd00:96::1", ports: ":80>30080" })
      .slice("a/web", ":8080", "10.244.8.5@dual-1")
      .slice("a/web", ":8080", "fd00:244:0:8::5@dual-1")
      .build();
    const rules = await rulesOf(cluster, mode, "dual-1");
    // Of an IPv6 nodePort no mode answers on ::1.
    for (const to of ["[::1]:30080", "[::1]:9", "[fe80::7]:30080"])
      expect(rules.ask("2001:db8::7", to)).toStrictEqual({
        verdict: "accept",
        outcomes: [{ verdict: "accept", ...untouched }],
      });
    expect(endpointsOf(rules.ask("2001:db8::7", "[fd00:96::1]:80"))).toEqual(["[fd00:244:0:8::5]:8080"]);
    expect(rules.ask(OUTSIDE, "0.0.0.0:80").verdict).toBe("accept");
    expect(rules.ask("224.0.0.1", "10.96.0.1:80")).toStrictEqual({
      verdict: "drop",
      why: expect.stringContaining("martian"),
      outcomes: [],
    });
  });

  it("that are not known are told by their place", async () => {
    const target = { kind: "unknown", name: "TARPIT", text: "-j TARPIT" } as const;
    const filter: Rule[] = [{ matches: [] }, { matches: [isTcp], target, line: 17 }];
    const ruling = (await Rules.of(withRules([], filter))).ask(OUTSIDE, "8.8.8.8:80");
    const undecided = { table: "filter", chain: "FORWARD", rule: 2, line: 17 };
    expect(ruling).toEqual({ verdict: "undecided", undecided, outcomes: [] });
  });
});

describe("ways", () => {
  it.each(PROXY_MODES)("are gone again by their choices, the likeliest first of equals: %s", async (mode) => {
    const cluster = clusterOf()
      .service("a/web", { clusterIPs: "10.96.0.1", ports: ":80" })
      .slice("a/web", ":8080", ...endpointTexts(5).map((text) => `${text}@worker-1`))
      .build();
    const { engine } = await rulesOf(cluster, mode);
    const frame = tcp(`${OUTSIDE}:40000`, "10.96.0.1:80");
    const outcomes = engine.explore(frame);
    expect(outcomes).toHaveLength(5);
    for (const { choices, destination, records } of outcomes) {
      const trace = engine.follow(frame, { choices });
      engine.clearConnections();
      const told = trace.records.filter(({ event }) => event === "RULE" || event === "IPVS");
      // Records of choices aside, which only who explores is told.
      expect(told).toEqual(records.filter(({ event }) => event === "RULE" || event === "IPVS"));
      expect(trace.steps.some(({ dst }) => dst === `${printIp(destination?.address ?? 0)}:8080`)).toBe(true);
    }
    const best = likeliest(outcomes);
    const isNext = outcomes.findIndex((one) => one.isNext);
    expect(best).toBe(mode === "ipvs" ? outcomes[isNext] : outcomes[0]);
  });

  it.each([
    [2 ** 29, [0, 1], [0, 0]],
    [2 ** 30, [1], [0, 0]],
  ])(
    "to one end are told by the likelier, the first of equals: threshold %i",
    async (threshold, told, other) => {
      const target = { kind: "dnat", address: ip("10.244.2.9"), port: 1 } as const;
      const nat: Rule[] = [
        { matches: [isTcp, { kind: "statistic", threshold }], target },
        { matches: [isTcp, { kind: "statistic", threshold: 2 ** 30 + 1 }], target },
      ];
      const { engine } = await Rules.of(withRules(nat, []));
      const outcomes = engine.explore(tcp(`${OUTSIDE}:40000`, "8.8.8.8:80"));
      expect(outcomes.map(({ choices }) => choices)).toEqual([told, other]);
      expect(outcomes.map(({ ways }) => ways)).toEqual([2, 1]);
      expect(likeliest(outcomes)).toBe(outcomes[0]);
      expect(likeliest(outcomes.toReversed())).toBe(outcomes[0]);
    },
  );
});
