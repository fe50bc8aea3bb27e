import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawBarChart } from "../../src/report/bars.js";
import { printLineChart } from "../../src/report/chart.js";
import { type ChartSeries, LABEL_GAP, type LineChart, layOut } from "../../src/report/layout.js";
import { barCharts, newConnectionChart, otherCharts } from "../../src/report/plots.js";
import { printTime } from "../../src/report/quantity.js";
import { imbalanceOf } from "./balance.js";
import { SERIES } from "./fixture.js";

const HOSTILE = `</title><script>alert("x")</script>&`;

function chartOf(series: readonly ChartSeries[], more: Partial<LineChart> = {}): LineChart {
  const size = { width: 450, height: 330 };
  return { title: "Cost", note: "Median.", xLabel: "Services", print: printTime, series, ...size, ...more };
}

function flat(name: string, style: number, y: number): ChartSeries {
  return { name, style, role: "main", points: [10, 100].map((x) => ({ x, y, low: y * 0.9, high: y * 1.1 })) };
}

describe("line charts", () => {
  it("are well-formed, whatever the names", () => {
    const charts = [
      newConnectionChart(SERIES.rows, { width: 940, height: 470 }),
      ...otherCharts(SERIES.rows, { width: 450, height: 330 }),
    ];
    for (const chart of charts) expect(imbalanceOf(printLineChart(chart))).toBeUndefined();
    const hostile = printLineChart(chartOf([flat(HOSTILE, 0, 50)], { title: HOSTILE, note: HOSTILE }));
    expect(imbalanceOf(hostile)).toBeUndefined();
    expect(hostile).not.toContain("<script");
  });

  it("name themselves to those who do not see them", () => {
    const svg = printLineChart(chartOf([flat("IPVS", 1, 94)]));
    expect(svg).toMatch(/^<svg [^>]*role="img"[^>]*aria-label="Cost"[^>]*><title>Cost<\/title>/);
    expect(svg).toContain("<title>IPVS, 100 Services: 94 ns (85 ns to 103 ns)</title>");
  });

  it("labels never overlap one another and stay in the picture", () => {
    const heights = fc.array(fc.double({ min: 1, max: 1e5, noNaN: true }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(heights, (ys) => {
        const layout = layOut(chartOf(ys.map((y, i) => flat(`mode ${i}`, i, y))));
        const placed = layout.labels.map((label) => label.y).sort((a, b) => a - b);
        placed.forEach((y, i) => {
          if (i > 0) expect(y - (placed[i - 1] ?? 0)).toBeGreaterThanOrEqual(LABEL_GAP - 1e-6);
          expect(y).toBeGreaterThanOrEqual(layout.plot.top - 1e-6);
          expect(y).toBeLessThanOrEqual(layout.plot.bottom + 1e-6);
        });
        for (const label of layout.labels) {
          expect(label.x).toBeGreaterThan(layout.plot.right);
          expect(label.x + 7 * (label.name.length + 1 + label.value.length)).toBeLessThanOrEqual(450);
        }
      }),
    );
  });

  it("leave out what log axes cannot show", () => {
    const points = [
      { x: 0, y: 5 },
      { x: 10, y: 0 },
      { x: 10, y: Number.NaN },
      { x: 100, y: 7, low: 0, high: 9 },
    ];
    const layout = layOut(chartOf([{ name: "a", style: 0, role: "main", points }]));
    expect(layout.pointsOf({ name: "a", style: 0, role: "main", points })).toEqual([{ x: 100, y: 7 }]);
    const empty = printLineChart(chartOf([]));
    expect(empty).toContain("nothing to draw");
    expect(imbalanceOf(empty)).toBeUndefined();
    expect(empty).not.toMatch(/NaN|Infinity/);
  });

  it("draw the first and the last Service of iptables as edges of a band", () => {
    const chart = newConnectionChart(SERIES.rows, { width: 940, height: 470 });
    expect(chart.series.map(({ name, role }) => `${role} ${name}`)).toEqual([
      "main iptables",
      "main IPVS",
      "main nftables",
      "edge last Service",
      "edge first Service",
    ]);
    expect(chart.bands?.[0]?.points.map((point) => point.x)).toEqual([10, 100, 1000, 10_000]);
    for (const { low, high } of chart.bands?.[0]?.points ?? []) expect(low).toBeLessThan(high);
    const without = SERIES.rows.map(({ newConnectionFirst: _, ...row }) => row);
    expect(newConnectionChart(without, { width: 940, height: 470 }).bands).toEqual([]);
  });
});

describe("bar charts", () => {
  it("are well-formed and as long as their values", () => {
    const chart = barCharts(SERIES.rows, 450)[0];
    const svg = chart === undefined ? "" : drawBarChart(chart).source;
    expect(imbalanceOf(svg)).toBeUndefined();
    const widths = [...svg.matchAll(/<rect [^>]* width="([\d.]+)"/g)].map((match) => Number(match[1]));
    const values = chart?.bars.map((bar) => bar.value) ?? [];
    expect(widths).toHaveLength(3);
    expect((widths[1] ?? 0) / (widths[0] ?? 1)).toBeCloseTo((values[1] ?? 0) / (values[0] ?? 1), 2);
  });

  it("have their values before the bars, wherever the whiskers end", () => {
    const bars = [{ name: "IPVS", style: 1, value: 771, low: 700, high: 1400 }];
    const svg = drawBarChart({ title: "t", note: "n", width: 450, print: printTime, bars }).source;
    const [value, bar] = [/<text x="([\d.]+)"[^>]*>771 ns</, /<rect x="([\d.]+)"/].map((one) =>
      Number(one.exec(svg)?.[1]),
    );
    expect(value).toBe((bar ?? 0) - 8);
  });

  it("hold zeros and nothing", () => {
    const base = { title: "t", note: "n", width: 450, print: printTime };
    const zero = drawBarChart({ ...base, bars: [{ name: HOSTILE, style: 9, value: 0 }] }).source;
    expect(imbalanceOf(zero)).toBeUndefined();
    expect(imbalanceOf(drawBarChart({ ...base, bars: [] }).source)).toBeUndefined();
  });
});
