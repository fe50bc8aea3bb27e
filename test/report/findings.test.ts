import { describe, expect, it } from "vitest";
import { findings, headline } from "../../src/report/findings.js";
import { costAt, MODES, rowAt, SERIES } from "./fixture.js";

describe("findings", () => {
  it("of three modes at four sizes", () => {
    expect(headline(SERIES.rows)).toBe(
      "At 10,000 Services a new connection costs 110 to 120 times as much in iptables mode as in nftables mode",
    );
    expect(findings(SERIES.rows)).toEqual([
      "At 10,000 Services a new connection costs 12 µs in iptables mode, 117 ns in IPVS mode and 102 ns in nftables mode: iptables costs 96 to 110 times as much as IPVS and 110 to 120 times as much as nftables.",
      "From 10 to 10,000 Services (1,000 times as many) the cost of a new connection grows 130 to 150 times in iptables mode, 1.1 to 1.2 times in IPVS mode and 1.1 to 1.2 times in nftables mode.",
      "Up to about 11 to 17 Services iptables mode is not clearly dearer than IPVS mode or nftables mode (at 10: 84 ns against 100 ns and 87 ns); beyond, it is.",
      "In iptables mode the last of 10,000 Services costs 24 µs, the first 88 ns: the place in the list makes it 250 to 280 times as much.",
      "A packet of a connection that is already known costs 58 ns in iptables mode, 68 ns in IPVS mode and 60 ns in nftables mode; measured by its cost at 10 Services that is 1.1 to 1.2 times in iptables mode, 1.1 to 1.2 times in IPVS mode and 1.1 to 1.2 times in nftables mode.",
      "The tables of 10,000 Services take 4.2 MB in iptables mode, 3.1 MB in IPVS mode and 3.5 MB in nftables mode; compiling them takes 210 ms in iptables mode, 120 ms in IPVS mode and 170 ms in nftables mode.",
    ]);
  });

  it("of one size: no growth, no crossover", () => {
    expect(findings(MODES.map((mode) => rowAt(mode, 12)))).toEqual([
      "At 12 Services a new connection costs 86 ns in iptables mode, 100 ns in IPVS mode and 87 ns in nftables mode: IPVS costs 1.1 to 1.2 times as much as nftables and 1.1 to 1.2 times as much as iptables.",
      "In iptables mode the last of 12 Services costs 98 ns, the first 76 ns: the place in the list makes it 1.2 to 1.4 times as much.",
      "A packet of a connection that is already known costs 50 ns in iptables mode, 59 ns in IPVS mode and 51 ns in nftables mode.",
      "The tables of 12 Services take 7.6 KB in iptables mode, 6.3 KB in IPVS mode and 6.8 KB in nftables mode; compiling them takes 652 µs in iptables mode, 544 µs in IPVS mode and 604 µs in nftables mode.",
    ]);
  });

  it("of one mode with several schedulers: each is named", () => {
    const rows = ["ipvs rr", "ipvs mh"].map((mode) => rowAt(mode, 12));
    expect(findings(rows).at(-2)).toMatch(
      /^A packet of a connection that is already known costs .* in IPVS mode \(rr\) and .* in IPVS mode \(mh\)\.$/,
    );
  });

  it("of one mode: no ratio between modes", () => {
    const rows = SERIES.rows.filter((row) => row.mode === "ipvs");
    expect(headline(rows)).toBe("At 10,000 Services a new connection costs 117 ns in IPVS mode");
    expect(findings(rows).slice(0, 2)).toEqual([
      "At 10,000 Services a new connection costs 117 ns in IPVS mode.",
      "From 10 to 10,000 Services (1,000 times as many) the cost of a new connection grows 1.1 to 1.2 times in IPVS mode.",
    ]);
  });

  it("says so when iptables does not bend", () => {
    const rows = SERIES.rows.map((row) => {
      const flat = { newConnection: costAt(row.mode === "ipvs" ? 94 : 90), established: costAt(50) };
      return { ...row, ...flat, newConnectionFirst: costAt(90), newConnectionLast: costAt(91) };
    });
    expect(headline(rows)).toBe(
      "At 10,000 Services a new connection costs the same in every mode, as far as 7 rounds can tell",
    );
    expect(findings(rows).slice(0, 5)).toEqual([
      "At 10,000 Services a new connection costs 90 ns in iptables mode, 94 ns in IPVS mode and 90 ns in nftables mode: the same, as far as 7 rounds can tell.",
      "From 10 to 10,000 Services (1,000 times as many) the cost of a new connection stays level in iptables mode (0.94 to 1.1 times), IPVS mode (0.94 to 1.1 times) and nftables mode (0.94 to 1.1 times). So iptables mode does not bend here: as far as 7 rounds can tell its cost does not follow the number of Services over these sizes, though it walks 5,006 rules instead of 11.",
      "iptables mode is nowhere clearly dearer than IPVS mode or nftables mode between 10 and 10,000 Services.",
      "In iptables mode the last of 10,000 Services costs 91 ns (88 ns to 94 ns), the first 90 ns (87 ns to 93 ns): the same, as far as 7 rounds can tell.",
      "A packet of a connection that is already known costs 50 ns in iptables mode, 50 ns in IPVS mode and 50 ns in nftables mode, the same as at 10 Services as far as 7 rounds can tell.",
    ]);
  });

  it("says so when iptables is dearer everywhere, when a cost falls, and when two are the same", () => {
    const rows = [10, 1000].flatMap((services) => [
      rowAt("iptables", services, { newConnection: costAt(500) }),
      rowAt("ipvs", services, { newConnection: costAt(2000 / services) }),
      rowAt("later", services, { newConnection: costAt(490) }),
    ]);
    expect(findings(rows).slice(0, 4)).toEqual([
      "At 1,000 Services a new connection costs 500 ns in iptables mode, 2 ns in IPVS mode and 490 ns in later mode: iptables costs 240 to 270 times as much as IPVS, the same as later as far as 7 rounds can tell.",
      "From 10 to 1,000 Services (100 times as many) the cost of a new connection stays level in iptables mode (0.94 to 1.1 times) and later mode (0.94 to 1.1 times); it falls in IPVS mode (0.0094 to 0.011 times). So iptables mode does not bend here: as far as 7 rounds can tell its cost does not follow the number of Services over these sizes, though it walks 506 rules instead of 11.",
      "iptables mode is dearer than IPVS mode at every size measured, from 10 Services on (500 ns against 200 ns).",
      "iptables mode is nowhere clearly dearer than later mode between 10 and 1,000 Services.",
    ]);
  });

  it("says when established packets feel the size", () => {
    const rows = [1, 1000].map((services) =>
      rowAt("ipvs", services, { established: costAt(40 + services / 10) }),
    );
    expect(findings(rows)).toContain(
      "A packet of a connection that is already known costs 140 ns in IPVS mode; measured by its cost at 1 Service that is 3.3 to 3.7 times in IPVS mode.",
    );
  });

  it("makes no claim from too few rounds, however large the difference", () => {
    const rows = MODES.flatMap((mode, i) =>
      [10, 1000].map((size) => rowAt(mode, size, { rounds: 1, newConnection: costAt(100 * (1 + 3 * i)) })),
    );
    expect(headline(rows)).toBe("At 1,000 Services 1 round cannot tell what a new connection costs by mode");
    const said = findings(rows);
    expect(said).toHaveLength(3);
    expect(said[0]).toBe(
      "At 1,000 Services a new connection costs 100 ns in iptables mode, 400 ns in IPVS mode and 700 ns in nftables mode. But 1 round cannot tell a difference from a disturbance: measure with 3 or more.",
    );
    expect([headline(rows), ...said].join()).not.toContain(" times");
  });

  it("takes no disturbed rounds for a difference", () => {
    const disturbed = { p50: 720, p99: 900, spread: [100, 900] } as const;
    const rows = [
      rowAt("iptables", 10, {
        newConnection: disturbed,
        newConnectionFirst: costAt(100),
        newConnectionLast: disturbed,
      }),
      rowAt("nftables", 10, { newConnection: costAt(101) }),
    ];
    expect(headline(rows)).toBe(
      "At 10 Services 7 rounds are too far apart (the machine was busy) to tell what a new connection costs by mode",
    );
    expect(findings(rows).slice(0, 3)).toEqual([
      "At 10 Services a new connection costs 720 ns in iptables mode and 101 ns in nftables mode: 7 rounds are too far apart (the machine was busy) to tell whether iptables costs more than nftables.",
      "The machine was busy with something else: the slowest of 7 rounds took up to 9.0 times as long as the fastest. Measure again when it is idle.",
      "In iptables mode the last of 10 Services costs 720 ns (100 ns to 900 ns), the first 100 ns (97 ns to 103 ns): 7 rounds are too far apart (the machine was busy) to tell whether the place in the list matters.",
    ]);
  });

  it("never calls the same what a busy machine hides", () => {
    const wide = (p50: number) => ({ p50, p99: p50, spread: [p50 / 2, p50 * 1.8] }) as const;
    const costs = { iptables: 2900, ipvs: 4100, nftables: 1300 };
    const rows = MODES.map((mode) =>
      rowAt(mode, 1000, { newConnection: wide(costs[mode]), established: wide(100) }),
    );
    const said = [headline(rows), ...findings(rows)].join("\n");
    expect(said).not.toContain("the same");
    expect(said).toContain("to tell whether IPVS costs more than iptables and nftables.");
  });

  it("calls ranges that do not touch a difference, however small", () => {
    const between = (low: number, p50: number, high: number) =>
      ({ p50, p99: p50, spread: [low, high] }) as const;
    const rows = [
      rowAt("iptables", 10, { newConnection: between(660, 665, 670) }),
      rowAt("iptables", 100, {
        newConnection: between(745, 750, 755),
        newConnectionFirst: between(661, 665, 670),
        newConnectionLast: between(771, 780, 795),
      }),
    ];
    const said = findings(rows).join("\n");
    expect(said).toContain("grows 1.1 times in iptables mode.");
    expect(said).toContain(
      "costs 780 ns, the first 665 ns: the place in the list makes it 1.2 times as much.",
    );
    expect(said).not.toContain("does not bend");
  });

  describe("where a cost grows and the work does not", () => {
    const growing = (alone: number) =>
      ["ipvs", "nftables"].flatMap((mode) =>
        [10, 10_000].map((size) => {
          const far = size > 10;
          const one = costAt(far ? alone : 200);
          return rowAt(mode, size, {
            walked: mode === "ipvs" ? 21 : 19,
            newConnection: costAt(far ? 600 : 200),
            newConnectionFirst: one,
            newConnectionLast: one,
          });
        }),
      );

    it("lays it to the memory touched, if one Service stays level", () => {
      const said = findings(growing(210));
      expect(said[1]).toContain("grows 2.8 to 3.2 times in IPVS mode and 2.8 to 3.2 times in nftables mode.");
      expect(said[2]).toBe(
        "A new connection walks about as many rules or probes at the largest size as at the smallest (21 against 21 in IPVS mode and 19 against 19 in nftables mode), though its cost grows. So what grows is not the work but the memory that packets to many Services touch: cache misses of this machine's processor. With every packet to one Service the cost stays level: to the first of 10,000 Services 210 ns in IPVS mode (of 10 Services: 200 ns) and to the first of 10,000 Services 210 ns in nftables mode (of 10 Services: 200 ns).",
      );
    });

    it("does not know why, if one Service grows too", () => {
      const said = findings(growing(600)).join("\n");
      expect(said).toContain("What else makes it grow these numbers do not tell.");
      expect(said).not.toContain("cache misses");
    });

    it("says nothing of iptables, whose work grows", () => {
      expect(findings(SERIES.rows).join()).not.toContain("walks about as many");
    });
  });

  it("does not call level what the rounds cannot tell", () => {
    const loose = { p50: 300, p99: 400, spread: [150, 390] } as const;
    const rows = [10, 1000].map((size) =>
      rowAt("ipvs", size, { newConnection: { ...loose, p50: size > 10 ? 300 : 160 } }),
    );
    expect(findings(rows)[2]).toBe(
      "From 10 to 1,000 Services (100 times as many) the cost of a new connection may have changed or not in IPVS mode (0.38 to 2.6 times).",
    );
  });

  it("tells apart crossings that lie far apart", () => {
    const rows = [10, 1000, 100_000].flatMap((size) => [
      rowAt("iptables", size, { newConnection: costAt(size) }),
      rowAt("ipvs", size, { newConnection: costAt(50) }),
      rowAt("nftables", size, { newConnection: costAt(5000) }),
    ]);
    expect(findings(rows).filter((sentence) => sentence.startsWith("Up to about"))).toHaveLength(2);
  });

  it("says how many Services of a cluster have a ClusterIP", () => {
    expect(findings([rowAt("ipvs", 8, { servicesGiven: 10 })]).at(-1)).toBe(
      "8 of 10 Services have a ClusterIP (IPv4): only to these were packets sent.",
    );
    expect(findings([rowAt("ipvs", 8, { servicesGiven: 8 })]).join()).not.toContain("8 of 8");
  });

  it("of nothing", () => {
    expect(headline([])).toBe("Nothing was measured");
    expect(findings([])).toEqual([]);
  });
});
