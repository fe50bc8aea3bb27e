import { describe, expect, it } from "vitest";
import { schedulerFindings } from "../../src/report/chooser-findings.js";
import { schedulerChart, schedulerSection } from "../../src/report/chooser-section.js";
import { printSchedulerTable } from "../../src/report/chooser-table.js";
import type { SchedulerRow } from "../../src/report/comparison.js";
import { printComparisonReport } from "../../src/report/html.js";
import { layOut } from "../../src/report/layout.js";
import { seriesColor, seriesDash, seriesMarker } from "../../src/report/palette.js";
import { imbalanceOf } from "./balance.js";
import { comparisonOf, costAt, MODES, rowAt } from "./fixture.js";

const SIZES = [10, 100, 1000] as const;
const WIDE = { width: 940, height: 470 };
const PHONE = { width: 450, height: 430 };

/** Invented: what a destination more costs, ns, beside what is the same at every number of them. */
function rowFor(mode: string, scheduler: string | null, destinations: number, each: number): SchedulerRow {
  const base = mode === "ipvs" ? 900 : 600;
  const walked = scheduler === null && each > 0 ? 14 + destinations / 2 : 20;
  return {
    mode,
    scheduler,
    destinations,
    newConnection: costAt(base + each * destinations),
    walked,
    rounds: 5,
  };
}

const ROWS = SIZES.flatMap((size) => [
  rowFor("iptables", null, size, 2),
  rowFor("ipvs", "rr", size, 0),
  rowFor("ipvs", "lc", size, 2),
  rowFor("ipvs", "wlc", size, 1.4),
  rowFor("ipvs", "sh", size, 0),
  rowFor("nftables", null, size, 0),
]);

describe("schedulerFindings", () => {
  it("tells how costs go with the destinations, what one more adds, and who is dearer", () => {
    expect(schedulerFindings(ROWS)).toEqual([
      "From 10 to 1,000 destinations (100 times as many) the cost of a new connection grows 3.9 to 4.5 times in iptables mode, 3.0 to 3.3 times with lc and 2.4 to 2.7 times with wlc; it stays level with rr and sh and in nftables mode.",
      "To a new connection each destination more adds 1.4 ns with wlc, 2 ns in iptables mode (which walks 514 rules among 1,000 and 19 among 10) and 2 ns with lc.",
      "Among 1,000 destinations a new connection costs 2.6 µs in iptables mode: less with rr (900 ns), sh (900 ns) and wlc (2.3 µs); more with lc (2.9 µs).",
      "Among 1,000 destinations a new connection costs 600 ns in nftables mode: more with rr (900 ns), sh (900 ns), wlc (2.3 µs) and lc (2.9 µs).",
    ]);
  });

  it("claims no difference that the rounds do not bear out", () => {
    const wide = ROWS.map((row) => {
      const { p50 } = row.newConnection;
      return { ...row, newConnection: { p50, p99: p50, spread: [p50 / 20, p50 * 20] as const } };
    });
    const [growth, ...others] = schedulerFindings(wide);
    expect(growth).toMatch(
      /the cost of a new connection may have changed or not with rr, sh, lc and wlc and in iptables mode and nftables mode\.$/,
    );
    expect(others.join()).not.toMatch(/adds|less with|: more with|the same/);
    expect(others[1]).toMatch(/5 rounds are too far apart to tell whether less or more with rr/);
    const [only, ...more] = schedulerFindings(ROWS.map((row) => ({ ...row, rounds: 2 })));
    expect([only, more]).toEqual([
      "2 rounds cannot tell a difference from a disturbance: measure with 3 or more.",
      [],
    ]);
    expect(schedulerFindings([])).toEqual([]);
  });

  it("speaks of no growth among one number of destinations", () => {
    const sentences = schedulerFindings(ROWS.filter(({ destinations }) => destinations === 10));
    expect(sentences.map((sentence) => sentence.slice(0, 21))).toEqual(
      Array(2).fill("Among 10 destinations"),
    );
  });
});

describe("printSchedulerTable", () => {
  it("has a line a way of choosing, schedulers of one manner together", () => {
    expect(printSchedulerTable(ROWS)).toBe(`new connection to one Service, ns, by its endpoints (destinations)
mode       10    100  1,000  each more
iptables  620    800  2,600       2.00
nftables  600    600    600          -
ipvs rr   900    900    900          -
ipvs sh   900    900    900          -
ipvs lc   920  1,100  2,900       2.00
ipvs wlc  914  1,040  2,300       1.40
`);
    const one = ROWS.filter(({ destinations }) => destinations === 10);
    expect(printSchedulerTable(one)).not.toContain("each more");
    expect(printSchedulerTable([])).toBe("");
  });
});

describe("schedulerSection", () => {
  it("is well-formed, in the page and alone, and absent where nothing was measured", () => {
    const rows = MODES.map((mode) => rowAt(mode, 12));
    for (const schedulers of [ROWS, ROWS.slice(0, 6), ROWS.slice(0, 1)]) {
      const page = printComparisonReport(comparisonOf(rows, { schedulers }));
      expect(imbalanceOf(page.replace("<!doctype html>\n", ""))).toBeUndefined();
      expect(page).not.toMatch(/NaN|Infinity|undefined/);
      expect(page).toContain("What a scheduler costs");
    }
    expect(schedulerSection([], WIDE, PHONE)).toBeUndefined();
    expect(printComparisonReport(comparisonOf(rows))).not.toContain("What a scheduler costs");
  });

  it("escapes names from outside", () => {
    const hostile = "<script>alert(1)</script>";
    const rows = [rowFor(hostile, null, 10, 0), rowFor("ipvs", hostile, 10, 0)];
    const source = schedulerSection(rows, WIDE, PHONE)?.source ?? "";
    expect(source).not.toContain("<script");
    expect(imbalanceOf(source)).toBeUndefined();
  });

  it("has room for the labels of every scheduler, also in a narrow window", () => {
    const names = [
      "rr",
      "wrr",
      "lc",
      "wlc",
      "lblc",
      "lblcr",
      "dh",
      "sh",
      "sed",
      "nq",
      "fo",
      "ovf",
      "mh",
      "twos",
    ];
    const rows = SIZES.flatMap((size) => [
      rowFor("iptables", null, size, 2),
      rowFor("nftables", null, size, 0),
      ...names.map((name, i) => rowFor("ipvs", name, size, i / 5)),
    ]);
    const looks = schedulerChart(rows, WIDE).series.map(({ style, variant }) =>
      [seriesColor(style), seriesDash(style, variant), seriesMarker(style + (variant ?? 0), 64)].join(),
    );
    expect(new Set(looks).size).toBe(16);
    for (const size of [WIDE, PHONE]) {
      const { labels, plot } = layOut(schedulerChart(rows, size));
      const ys = labels.map(({ y }) => y).sort((a, b) => a - b);
      expect(ys).toHaveLength(16);
      for (const [i, y] of ys.entries()) if (i > 0) expect(y - (ys[i - 1] ?? 0)).toBeGreaterThan(12);
      expect(plot.right).toBeGreaterThan(size.width / 2);
    }
  });
});
