import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CompileOptions, compile } from "../../src/compile.js";
import { diffNodes } from "../../src/diff/diff.js";
import { type FlowDifference, groupDifferences } from "../../src/diff/difference.js";
import type { Side } from "../../src/diff/side.js";
import { Engine } from "../../src/engine/engine.js";
import type { Cluster } from "../../src/model/cluster.js";
import { printIp } from "../../src/net/ip.js";
import type { Chain, Iptables, Rule } from "../../src/ruleset/iptables.js";
import { clusterFrom, drawnServices, MODES } from "../drawn-cluster.js";
import { type ClusterBuilder, clusterOf, dualClusterOf, type ServiceFields } from "../proxy/cluster-of.js";
import { groupsOf, lineOf, sideOf } from "./ask.js";

const mode = fc.constantFrom(...MODES);
const stack = fc.constantFrom("IPv4" as const, "IPv6" as const, "dual" as const);

/** A Service as it is written most often, with what a test says of it. */
function webOf(fields: ServiceFields, ...endpoints: readonly string[]): ClusterBuilder {
  return clusterOf()
    .service("shop/web", { clusterIPs: "10.96.0.10", ports: "http:80", ...fields })
    .slice("shop/web", "http:8080", ...endpoints);
}

const ENDPOINTS = ["10.244.1.10@worker-1", "10.244.2.10@worker-2"] as const;

/** What a change of a cluster's manifests changes. */
async function changedBy(a: Cluster, b: Cluster, options: CompileOptions = {}) {
  return groupDifferences(await diffNodes(sideOf(a, options), sideOf(b, options)));
}

function engineOf({ ruleset }: Side): Promise<Engine> {
  return Engine.load(ruleset, { connections: 63 });
}

/** What one side makes of a packet, asked anew: what becomes of it and where it goes, in any order. */
function endsAt(engine: Engine, { question: { sent } }: FlowDifference, index: 0 | 1): string {
  const ends = engine
    .explore(sent[index].frame)
    .map(({ verdict, reason, destination, masquerade, probability }) => {
      const to = destination === undefined ? "-" : `${printIp(destination.address)}:${destination.port}`;
      return `${verdict} ${reason} ${to} ${masquerade} ${probability === null}`;
    });
  return ends.sort().join("\n");
}

describe("the difference of two nodes", () => {
  it("is nothing for one that is compared with itself", async () => {
    await fc.assert(
      fc.asyncProperty(drawnServices, mode, stack, async (services, proxy, families) => {
        const cluster = clusterFrom(services, families);
        let asked = 0;
        const onAsked = () => void asked++;
        const options = { allPackets: true, onAsked };
        expect(await diffNodes(sideOf(cluster, { proxy }), sideOf(cluster, { proxy }), options)).toEqual([]);
        expect(asked).toBeGreaterThan(50);
      }),
      { numRuns: 4 },
    );
  });

  it("is the same in both directions", async () => {
    await fc.assert(
      fc.asyncProperty(drawnServices, drawnServices, mode, mode, async (some, others, one, other) => {
        const [a, b] = [
          sideOf(clusterFrom(some), { proxy: one }),
          sideOf(clusterFrom(others), { proxy: other }),
        ];
        const [there, back] = [await diffNodes(a, b), await diffNodes(b, a)];
        expect(back.map(lineOf)).toEqual(there.map(lineOf));
        expect(back.map(({ answers: [x, y] }) => [y, x])).toEqual(there.map(({ answers }) => [...answers]));
      }),
      { numRuns: 5 },
    );
  });

  it("holds no packet that both, asked anew, make the same of", async () => {
    let seen = 0;
    await fc.assert(
      fc.asyncProperty(drawnServices, drawnServices, mode, mode, async (some, others, one, other) => {
        const [a, b] = [
          sideOf(clusterFrom(some), { proxy: one }),
          sideOf(clusterFrom(others), { proxy: other }),
        ];
        const differences = await diffNodes(a, b);
        const plain = differences.filter(({ change }) => change !== "accepted by name");
        const [here, there] = [await engineOf(a), await engineOf(b)];
        for (const difference of plain) {
          expect(endsAt(here, difference, 0)).not.toEqual(endsAt(there, difference, 1));
          seen += 1;
        }
      }),
      { numRuns: 4 },
    );
    expect(seen).toBeGreaterThan(10);
  });
});

describe("the node's own packets", () => {
  const balanced = (sourceRanges: string) =>
    clusterOf()
      .service("a/lb", {
        type: "LoadBalancer",
        clusterIPs: "10.96.0.1",
        ingress: "203.0.113.10",
        ports: ":80",
        sourceRanges,
      })
      .slice("a/lb", ":8080", ...ENDPOINTS)
      .build();
  const own = async (cluster: Cluster, a: CompileOptions, b: CompileOptions) => {
    const all = await diffNodes(sideOf(cluster, a), sideOf(cluster, b));
    const isOwn = ({ question: { source, target } }: FlowDifference) =>
      source.asker === "the node" && target.place === "load balancer address" && target.port === 80;
    return all.filter(isOwn);
  };

  it("come from the address that they are to, where that is the node's own", async () => {
    const found = await own(balanced(""), { proxy: "iptables" }, { proxy: "ipvs" });
    expect(found.map(({ question: { sent } }) => sent.map(({ from }) => printIp(from.address)))).toEqual([
      ["172.18.0.2", "203.0.113.10"],
    ]);
    expect(groupDifferences(found)[0]?.example).toMatchObject({
      from: "172.18.0.2:41000",
      atB: { from: "203.0.113.10:41000" },
    });
    const same = await own(balanced(""), { proxy: "ipvs" }, { proxy: "ipvs", ipvsScheduler: "sh" });
    expect(same.map(({ question: { sent } }) => sent[0] === sent[1])).toEqual([true]);
  });

  it("are dropped by that address where source ranges leave the node out", async () => {
    expect(await own(balanced("198.51.100.0/24"), { proxy: "iptables" }, { proxy: "ipvs" })).toEqual([]);
  });
});

describe("a change of a cluster", () => {
  it("takes an endpoint away", async () => {
    const groups = await changedBy(webOf({}, ...ENDPOINTS).build(), webOf({}, ENDPOINTS[0]).build());
    expect(new Set(groups.map(({ topic, services }) => `${topic} ${services}`))).toEqual(
      new Set(["cluster-ip shop/web"]),
    );
    expect(groups.find(({ example }) => example.asker === "a Pod")).toMatchObject({
      change: "endpoints",
      nodes: ["worker-1"],
      example: {
        to: "10.96.0.10:80",
        protocol: "TCP",
        flags: "S",
        iface: "cni0",
        a: "goes to 10.244.1.10:8080, 10.244.2.10:8080, each by chance 1 in 2",
        b: "goes to 10.244.1.10:8080",
      },
    });
  });

  it("takes a Service away, or its last endpoint", async () => {
    const web = webOf({}, ...ENDPOINTS).build();
    const gone = await changedBy(web, clusterOf().build(), { proxy: "nftables" });
    expect(new Set(gone.map(({ a, b }) => `${a} | ${b}`))).toContain("goes to an endpoint | is dropped");
    const empty = await changedBy(web, webOf({}).build());
    expect(new Set(empty.map(({ b }) => b))).toEqual(new Set(["is rejected (ICMP port unreachable)"]));
  });

  it("narrows source ranges, at whose edge somebody is shut out", async () => {
    const fields = { type: "LoadBalancer", ingress: "203.0.113.10" } as const;
    const a = webOf({ ...fields, sourceRanges: "192.0.2.0/24" }, ...ENDPOINTS).build();
    const b = webOf({ ...fields, sourceRanges: "192.0.2.0/25 192.0.2.192/26" }, ...ENDPOINTS).build();
    for (const proxy of MODES) {
      const groups = await changedBy(a, b, { proxy });
      expect(groups.map(({ topic, change }) => [topic, change])).toEqual([["external", "fate"]]);
      expect(groups[0]?.example).toMatchObject({ asker: "at the edge of a source range", b: "is dropped" });
      expect(groups[0]?.example.from).toMatch(/^192\.0\.2\.12[89]:/);
    }
  });

  it("lets clients be forgotten, or forgotten sooner", async () => {
    const with600 = webOf({ affinitySeconds: 600 }, ...ENDPOINTS).build();
    const without = await changedBy(with600, webOf({}, ...ENDPOINTS).build());
    expect(without.map(({ topic, a, b }) => [topic, a, b])).toEqual([
      ["affinity", "goes to an endpoint, masqueraded", "goes to an endpoint, masqueraded"],
    ]);
    expect(without[0]?.example.earlier).toEqual({ to: "10.96.0.10:80", seconds: 1 });
    const sooner = await changedBy(with600, webOf({ affinitySeconds: 60 }, ...ENDPOINTS).build());
    expect(sooner.map(({ topic, example }) => [topic, example.earlier?.seconds])).toEqual([["affinity", 61]]);
  });

  it("lets clients be forgotten, or forgotten sooner, in mode ipvs", async () => {
    const proxy = "ipvs" as const;
    const with600 = webOf({ affinitySeconds: 600 }, ...ENDPOINTS).build();
    const forgotten = async (fields: ServiceFields) => {
      const groups = await changedBy(with600, webOf(fields, ...ENDPOINTS).build(), { proxy });
      return groups.map(({ topic, example }) => [topic, example.earlier?.seconds]);
    };
    expect(await forgotten({})).toEqual([["affinity", 1]]);
    expect(await forgotten({ affinitySeconds: 60 })).toEqual([["affinity", 599]]);
    expect(await forgotten({ affinitySeconds: 600 })).toEqual([]);
  });

  it("lets clients of both families be forgotten sooner", async () => {
    const dual = (affinitySeconds: number) =>
      dualClusterOf()
        .service("shop/web", { clusterIPs: "10.96.0.10 fd00:96::10", ports: "http:80", affinitySeconds })
        .slice("shop/web", "http:8080", "10.244.8.10@dual-1", "10.244.9.10@dual-2")
        .slice("shop/web", "http:8080", "fd00:244:0:8::10@dual-1", "fd00:244:0:9::10@dual-2")
        .build();
    const [group] = await changedBy(dual(600), dual(60), { node: "dual-1" });
    expect(group).toMatchObject({ topic: "affinity", flows: 2 });
  });

  it("is told of the node where it shows", async () => {
    const a = webOf({ internalTrafficPolicy: "Local" }, ...ENDPOINTS).build();
    const b = webOf({ internalTrafficPolicy: "Local" }, ENDPOINTS[0]).build();
    const at = async (node: string) => (await changedBy(a, b, { node })).map(({ b: words }) => words);
    expect(await at("worker-1")).toEqual([]);
    expect(new Set(await at("worker-2"))).toEqual(new Set(["is dropped"]));
  });

  it("is found in IPv6 alone, where that is all that changes", async () => {
    const dual = (...six: readonly string[]) =>
      dualClusterOf()
        .service("shop/web", { clusterIPs: "10.96.0.10 fd00:96::10", ports: "http:80" })
        .slice("shop/web", "http:8080", "10.244.8.10@dual-1")
        .slice("shop/web", "http:8080", ...six)
        .build();
    const groups = await changedBy(dual("fd00:244:0:8::10@dual-1"), dual("fd00:244:0:9::10@dual-2"), {
      node: "dual-1",
    });
    expect(groups.map(({ change, example }) => [change, example.to])).toContainEqual([
      "endpoints",
      "[fd00:96::10]:80",
    ]);
    expect(groups.every(({ example }) => example.to.startsWith("["))).toBe(true);
  });

  it("of masquerade is told as such", async () => {
    const web = webOf({}, ...ENDPOINTS).build();
    const groups = await groupsOf(web, [{}, { masqueradeAll: true }]);
    expect(groups.map(({ change, a, b }) => [change, a, b])).toEqual([
      ["masquerade", "goes to an endpoint", "goes to an endpoint, masqueraded"],
    ]);
  });

  it("of a scheduler that hashes is who chooses, not other endpoints", async () => {
    const web = webOf({}, ...ENDPOINTS).build();
    for (const ipvsScheduler of ["sh", "mh"] as const) {
      const groups = await groupsOf(web, [{ proxy: "iptables" }, { proxy: "ipvs", ipvsScheduler }]);
      expect(groups.filter(({ change }) => change === "choice")).not.toEqual([]);
      expect(groups.filter(({ change }) => change === "endpoints")).toEqual([]);
    }
  });

  it("of protocols other than TCP shows in their packets", async () => {
    for (const [protocol, flags] of [
      ["UDP", ""],
      ["SCTP", "INIT"],
    ] as const) {
      const made = (port: number) =>
        clusterOf()
          .service("shop/dns", { clusterIPs: "10.96.0.10", ports: `dns:53/${protocol}` })
          .slice("shop/dns", `dns:${port}/${protocol}`, ...ENDPOINTS)
          .build();
      const groups = await changedBy(made(5353), made(5354));
      expect(groups[0]?.example).toMatchObject({ protocol, flags, to: "10.96.0.10:53" });
    }
  });

  it("shows of a packet out of state what is wrong with it", async () => {
    const dns = clusterOf()
      .service("shop/dns", { clusterIPs: "10.96.0.10", ports: "dns:53/UDP" })
      .slice("shop/dns", "dns:53/UDP", ...ENDPOINTS)
      .build();
    const modes = [{ proxy: "iptables" }, { proxy: "nftables" }] as const;
    const groups = await groupsOf(dns, modes, { allPackets: true });
    const shown = groups.filter(({ topic }) => topic === "out-of-state").map(({ example }) => example);
    expect(shown).toContainEqual(expect.objectContaining({ protocol: "UDP", flags: "bad checksum" }));
    expect(shown.filter(({ flags }) => flags === "")).toEqual([]);
  });
});

describe("a node's own rules", () => {
  const web = webOf({}, ...ENDPOINTS).build();
  const side = sideOf(web);

  /** The node's rules, with one chain's changed; nothing else is known of it. */
  function edited(
    of: string,
    name: string,
    edit: (rules: readonly Rule[]) => readonly Rule[],
    cluster = web,
  ): Side {
    const change = (chain: Chain) =>
      chain.name.startsWith(name) ? { ...chain, rules: edit(chain.rules) } : chain;
    const { iptables, ...rest } = compile(cluster);
    const tables =
      iptables?.tables.map((table) =>
        table.name === of ? { ...table, chains: table.chains.map(change) } : table,
      ) ?? [];
    const rules: Iptables = { family: 4, tables };
    return { ruleset: { ...rest, iptables: rules } };
  }

  it("are as its cluster says", async () => {
    expect(
      await diffNodes(
        side,
        edited("nat", "KUBE-SERVICES", (rules) => rules),
      ),
    ).toEqual([]);
  });

  it("draw endpoints with other chances", async () => {
    const biased = edited("nat", "KUBE-SVC-", (rules) =>
      rules.map((rule) => ({
        ...rule,
        matches: rule.matches.map((match) =>
          match.kind === "statistic" ? { ...match, threshold: 2 ** 29 } : match,
        ),
      })),
    );
    const groups = groupDifferences(await diffNodes(side, biased));
    expect(new Set(groups.map(({ change }) => change))).toEqual(new Set(["weights"]));
    expect(groups[0]?.example.b).toContain("by chance 25.00 %, 75.00 %");
  });

  it("forget the clients of one endpoint, whichever it is", async () => {
    const sticky = webOf({ affinitySeconds: 600 }, ...ENDPOINTS).build();
    for (const nth of ENDPOINTS.keys()) {
      const forgetful = edited(
        "nat",
        "KUBE-SVC-",
        (rules) => {
          const remembering = rules.filter(({ matches }) => matches.some(({ kind }) => kind === "recent"));
          return rules.filter((rule) => rule !== remembering[nth]);
        },
        sticky,
      );
      const groups = groupDifferences(await diffNodes(sideOf(sticky), forgetful));
      expect(groups.map(({ topic, example }) => [topic, example.earlier?.seconds])).toEqual([
        ["affinity", 1],
      ]);
    }
  });

  it("forget their clients sooner or later", async () => {
    const sticky = webOf({ affinitySeconds: 600 }, ...ENDPOINTS).build();
    const lasting = (seconds: number) => (rule: Rule) => ({
      ...rule,
      matches: rule.matches.map((one) =>
        one.kind === "recent" && one.op === "rcheck" ? { ...one, seconds } : one,
      ),
    });
    const askedAfter = async (seconds: number) => {
      const edit = (rules: readonly Rule[]) => rules.map(lasting(seconds));
      const found = groupDifferences(
        await diffNodes(sideOf(sticky), edited("nat", "KUBE-SVC-", edit, sticky)),
      );
      return found.map(({ topic, example }) => [topic, example.earlier?.seconds]);
    };
    expect(await askedAfter(600)).toEqual([]);
    expect(await askedAfter(599)).toEqual([["affinity", 600]]);
    expect(await askedAfter(601)).toEqual([["affinity", 601]]);
  });

  it("let others in to what listens on localhost", async () => {
    const open = edited("filter", "INPUT", (rules) =>
      rules.filter(({ target }) => target?.kind !== "jump" || target.chain !== "KUBE-FIREWALL"),
    );
    const groups = groupDifferences(await diffNodes(side, open));
    expect(groups.map(({ a, b }) => [a, b])).toEqual([["is dropped", "reaches the node itself"]]);
    expect(groups[0]?.example).toMatchObject({ asker: "a Pod", to: "127.0.0.1:9" });
  });

  it("leave undecided what a rule asks that is not known, and say which", async () => {
    const asking = edited("filter", "FORWARD", (rules) => [
      {
        matches: [{ kind: "unknown", module: "time", text: "-m time --timestart 10:00" }],
        target: { kind: "drop" },
        line: 7,
      },
      ...rules,
    ]);
    const groups = groupDifferences(await diffNodes(side, asking));
    expect(new Set(groups.map(({ topic }) => topic))).toEqual(new Set(["undecided"]));
    expect(groups[0]?.b).toBe("is undecided at line 7 (a rule asks what this program does not know)");
  });

  it("open what its cluster does not know", async () => {
    const open = edited("nat", "KUBE-SERVICES", (rules) => [
      {
        matches: [
          { kind: "destination", prefix: { address: 0x0a600063, length: 32 } },
          { kind: "protocol", protocol: "TCP" },
          { kind: "dport", from: 99, to: 99 },
        ],
        target: { kind: "jump", chain: "KUBE-MARK-MASQ" },
      },
      ...rules,
    ]);
    const groups = groupDifferences(await diffNodes(side, open));
    expect(groups.map(({ topic, change, example }) => [topic, change, example.to, example.place])).toEqual([
      ["other-address", "masquerade", "10.96.0.99:99", "address of a rule"],
    ]);
  });
});
