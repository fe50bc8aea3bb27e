import { describe, expect, it } from "vitest";
import { cheapestRows, printComparisonCsv, printComparisonTable } from "../../src/report/table.js";
import { comparisonOf, costAt, MODES, rowAt, SERIES } from "./fixture.js";

const BARE = comparisonOf([
  {
    mode: "iptables",
    services: 1000,
    endpoints: 4000,
    newConnection: { p50: 2412.4, p99: 3100 },
    established: { p50: 58.31, p99: 71 },
    mpps: 17.2,
    walked: 506.2,
    tableBytes: 423_000,
    compileMs: 21.4,
  },
  {
    mode: "ipvs",
    services: 1000,
    endpoints: 4000,
    newConnection: { p50: 96.4, p99: 120.04 },
    established: { p50: 66, p99: 80 },
    mpps: 15.16,
    walked: 1.12,
    tableBytes: 313_000,
    compileMs: 9.87,
  },
]);

describe("printComparisonTable", () => {
  it("aligns columns under headers with units", () => {
    expect(printComparisonTable(BARE)).toBe(
      `${[
        "mode      Services  endpoints  new connection, ns  established, ns  Mpps   walked  tables  compile",
        "                                       p50    p99        p50   p99        per new      KB       ms",
        "iptables     1,000      4,000        2,412  3,100       58.3  71.0  17.2      506     423     21.4",
        "ipvs         1,000      4,000         96.4    120       66.0  80.0  15.2      1.1     313     9.87",
      ].join("\n")}\n`,
    );
  });

  it("keeps rows as measured and every line within the width", () => {
    for (const width of [64, 70, 80, 100, 120]) {
      const lines = printComparisonTable(SERIES, { width }).trimEnd().split("\n");
      expect(lines).toHaveLength(2 + SERIES.rows.length);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
      expect(lines.slice(2).map((line) => line.split(" ")[0])).toEqual(SERIES.rows.map((row) => row.mode));
    }
  });

  it("never leaves out the medians, however narrow", () => {
    expect(printComparisonTable(SERIES, { width: 1 })).toContain("11,866");
  });

  it("paint adds emphasis and nothing else", () => {
    const paint = (text: string, emphasis: string) =>
      `\u001b[${emphasis === "best" ? 32 : 1}m${text}\u001b[0m`;
    const painted = printComparisonTable(SERIES, { paint });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: ANSI sequences begin with one.
    expect(painted.replace(/\u001b\[\d+m/g, "")).toBe(printComparisonTable(SERIES));
    // At 10 Services the spreads of iptables and nftables touch.
    expect(painted.split("\u001b[32m")).toHaveLength(1 + 3);
  });

  it("names the inputs where there are several, harmless to the terminal", () => {
    const input = { kind: "cluster", name: "shop\u001b[2J" } as const;
    const mixed = comparisonOf([...MODES.map((mode) => rowAt(mode, 12, { input })), ...SERIES.rows]);
    expect(printComparisonTable(mixed)).toMatch(
      /^mode .*\n.*\nshop\uFFFD\[2J\niptables .*\nipvs .*\nnftables .*\n4 endpoints per Service\niptables /,
    );
    expect(printComparisonTable(SERIES)).not.toContain("4 endpoints per Service");
  });

  it("says how many Services of a cluster count", () => {
    const input = { kind: "cluster", name: "shop.yaml" } as const;
    const shop = comparisonOf([rowAt("ipvs", 8, { servicesGiven: 10 })], { input });
    expect(printComparisonTable(shop)).toContain("\nshop.yaml: 8 of 10 Services have a ClusterIP (IPv4)\n");
    expect(printComparisonTable(comparisonOf([rowAt("ipvs", 8, { servicesGiven: 8 })]))).not.toContain(
      " of 8",
    );
  });

  it("emphasises no cheapest that the rounds cannot tell from the next", () => {
    const cheapest = (rounds: number, p50s: readonly number[]) => {
      const rows = MODES.map((mode, i) => rowAt(mode, 10, { rounds, newConnection: costAt(p50s[i] ?? 0) }));
      return [...cheapestRows(comparisonOf(rows))].map(({ mode }) => mode);
    };
    expect(cheapest(5, [300, 200, 100])).toEqual(["nftables"]);
    expect(cheapest(5, [300, 103, 100])).toEqual([]);
    expect(cheapest(2, [300, 200, 100])).toEqual([]);
  });
});

describe("printComparisonCsv", () => {
  const header =
    "input,mode,services,endpoints,new_connection_p50_ns,new_connection_p99_ns,new_connection_low_ns,new_connection_high_ns,new_connection_first_p50_ns,new_connection_last_p50_ns,established_p50_ns,established_p99_ns,established_low_ns,established_high_ns,mpps,walked,walked_established,table_bytes,compile_ms,rounds";

  it("has stable columns, empty where nothing was measured", () => {
    expect(printComparisonCsv(BARE)).toBe(
      `${[
        header,
        "4 endpoints per Service,iptables,1000,4000,2412.4,3100,,,,,58.31,71,,,17.2,506.2,,423000,21.4,",
        "4 endpoints per Service,ipvs,1000,4000,96.4,120.04,,,,,66,80,,,15.16,1.12,,313000,9.87,",
      ].join("\n")}\n`,
    );
  });

  it("rounds times to 0.01 ns and 0.001 ms", () => {
    const newConnection = { p50: 96.123456, p99: 1 / 3, spread: [1.005001, 2.999] } as const;
    const csv = printComparisonCsv(comparisonOf([rowAt("ipvs", 1, { newConnection, compileMs: 2 / 3 })]));
    expect(csv).toContain(",96.12,0.33,1.01,3,");
    expect(csv).toContain(",0.667,");
  });

  it("quotes as RFC 4180 asks", () => {
    const named = comparisonOf([rowAt("ipvs", 1)], { input: { kind: "cluster", name: 'a,"b"\nc' } });
    expect(printComparisonCsv(named)).toContain('\n"a,""b""\nc",ipvs,1,');
  });
});
