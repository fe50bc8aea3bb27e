import { describe, expect, it } from "vitest";
import { findings, headline } from "../../src/report/findings.js";
import { costAt, MODES, rowAt, SERIES } from "./fixture.js";

describe("findings", () => {
  it("of three modes at four sizes", () => {
    expect(headline(SERIES.rows)).toBe(
      "At 10,000 Services a new connection costs 120 times as much in iptables mode as in nftables mode",
    );
    expect(findings(SERIES.rows)).toEqual([
      "At 10,000 Services a new connection costs 12 µs in iptables mode, 117 ns in IPVS mode and 102 ns in nftables mode: iptables costs 100 times as much as IPVS and 120 times as much as nftables.",
      "From 10 to 10,000 Services (1,000 times as many) the cost of a new connection grows 140 times in iptables mode and stays level in IPVS mode (1.2 times) and nftables mode (1.2 times).",
      "Up to about 17 Services iptables mode is no dearer than IPVS mode (at 10: 84 ns against 100 ns); beyond, it is.",
      "Up to about 11 Services iptables mode is no dearer than nftables mode (at 10: 84 ns against 87 ns); beyond, it is.",
      "In iptables mode the last of 10,000 Services costs 24 µs, the first 88 ns: the place in the list makes it 270 times as much.",
      "A packet of a connection that is already known costs 58 ns in iptables mode, 68 ns in IPVS mode and 60 ns in nftables mode; measured by its cost at 10 Services that is 1.2 times in iptables mode, 1.2 times in IPVS mode and 1.2 times in nftables mode.",
      "The tables of 10,000 Services take 4.2 MB in iptables mode, 3.1 MB in IPVS mode and 3.5 MB in nftables mode; compiling them takes 210 ms in iptables mode, 120 ms in IPVS mode and 170 ms in nftables mode.",
    ]);
  });

  it("of one size: no growth, no crossover", () => {
    expect(findings(MODES.map((mode) => rowAt(mode, 12)))).toEqual([
      "At 12 Services a new connection costs 86 ns in iptables mode, 100 ns in IPVS mode and 87 ns in nftables mode: IPVS costs 1.1 times as much as nftables and 1.2 times as much as iptables.",
      "In iptables mode the last of 12 Services costs 98 ns, the first 76 ns: the place in the list makes it 1.3 times as much.",
      "A packet of a connection that is already known costs 50 ns in iptables mode, 59 ns in IPVS mode and 51 ns in nftables mode.",
      "The tables of 12 Services take 7.6 KB in iptables mode, 6.3 KB in IPVS mode and 6.8 KB in nftables mode; compiling them takes 652 µs in iptables mode, 544 µs in IPVS mode and 604 µs in nftables mode.",
    ]);
  });

  it("of one mode: no ratio between modes", () => {
    const rows = SERIES.rows.filter((row) => row.mode === "ipvs");
    expect(headline(rows)).toBe("At 10,000 Services a new connection costs 117 ns in IPVS mode");
    expect(findings(rows).slice(0, 2)).toEqual([
      "At 10,000 Services a new connection costs 117 ns in IPVS mode.",
      "From 10 to 10,000 Services (1,000 times as many) the cost of a new connection stays level in IPVS mode (1.2 times).",
    ]);
  });

  it("says so when iptables does not bend", () => {
    const rows = SERIES.rows.map((row) => {
      const flat = { newConnection: costAt(row.mode === "ipvs" ? 94 : 90), established: costAt(50) };
      return { ...row, ...flat, newConnectionFirst: costAt(90), newConnectionLast: costAt(91) };
    });
    expect(headline(rows)).toBe("At 10,000 Services a new connection costs the same in every mode");
    expect(findings(rows).slice(0, 6)).toEqual([
      "At 10,000 Services a new connection costs 90 ns in iptables mode, 94 ns in IPVS mode and 90 ns in nftables mode: the same, as far as the spreads can tell.",
      "From 10 to 10,000 Services (1,000 times as many) the cost of a new connection stays level in iptables mode (1.0 times), IPVS mode (1.0 times) and nftables mode (1.0 times). So iptables mode does not bend here: its cost does not follow the number of Services over these sizes, though it walks 5,006 rules instead of 11.",
      "iptables mode is nowhere clearly dearer than IPVS mode between 10 and 10,000 Services.",
      "iptables mode is nowhere clearly dearer than nftables mode between 10 and 10,000 Services.",
      "In iptables mode the last of 10,000 Services costs 91 ns, the first 90 ns: the place in the list does not matter.",
      "A packet of a connection that is already known costs 50 ns in iptables mode, 50 ns in IPVS mode and 50 ns in nftables mode, the same as at 10 Services as far as the spreads can tell.",
    ]);
  });

  it("says so when iptables is dearer everywhere, when a cost falls, and when two are the same", () => {
    const rows = [10, 1000].flatMap((services) => [
      rowAt("iptables", services, { newConnection: costAt(500) }),
      rowAt("ipvs", services, { newConnection: costAt(2000 / services) }),
      rowAt("later", services, { newConnection: costAt(490) }),
    ]);
    expect(findings(rows).slice(0, 4)).toEqual([
      "At 1,000 Services a new connection costs 500 ns in iptables mode, 2 ns in IPVS mode and 490 ns in later mode: iptables costs 250 times as much as IPVS, the same as later as far as the spreads can tell.",
      "From 10 to 1,000 Services (100 times as many) the cost of a new connection stays level in iptables mode (1.0 times) and later mode (1.0 times) and falls in IPVS mode (0.01 times). So iptables mode does not bend here: its cost does not follow the number of Services over these sizes, though it walks 506 rules instead of 11.",
      "iptables mode is dearer than IPVS mode at every size measured, from 10 Services on (500 ns against 200 ns).",
      "iptables mode is nowhere clearly dearer than later mode between 10 and 1,000 Services.",
    ]);
  });

  it("says when established packets feel the size", () => {
    const rows = [1, 1000].map((services) =>
      rowAt("ipvs", services, { established: costAt(40 + services / 10) }),
    );
    expect(findings(rows)).toContain(
      "A packet of a connection that is already known costs 140 ns in IPVS mode; measured by its cost at 1 Service that is 3.5 times in IPVS mode.",
    );
  });

  it("of nothing", () => {
    expect(headline([])).toBe("Nothing was measured");
    expect(findings([])).toEqual([]);
  });
});
