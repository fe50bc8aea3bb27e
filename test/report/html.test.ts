import { describe, expect, it } from "vitest";
import { printComparisonReport } from "../../src/report/html.js";
import { imbalanceOf } from "./balance.js";
import { comparisonOf, costAt, MODES, rowAt, SERIES, SIZES } from "./fixture.js";

const HOSTILE = `"><script>alert('x')</script><img src=x onerror=alert(1)>&amp;`;

function bodyOf(page: string): string {
  return page.replace("<!doctype html>\n", "");
}

describe("printComparisonReport", () => {
  it("is well-formed for every shape of data", () => {
    const shop = { kind: "cluster", name: "shop" } as const;
    const cases = [
      SERIES,
      comparisonOf([]),
      comparisonOf([rowAt("ipvs", 1)]),
      comparisonOf(MODES.map((mode) => rowAt(mode, 12))),
      comparisonOf([...MODES.map((mode) => rowAt(mode, 12, { input: shop })), ...SERIES.rows]),
    ];
    for (const each of cases) {
      const page = printComparisonReport(each);
      expect(imbalanceOf(bodyOf(page))).toBeUndefined();
      expect(page).not.toMatch(/NaN|Infinity|undefined/);
    }
  });

  it("escapes every name from outside", () => {
    const machine = {
      ...SERIES.machine,
      cpu: HOSTILE,
      os: HOSTILE,
      node: HOSTILE,
      v8: HOSTILE,
      packetyard: HOSTILE,
    };
    const input = { kind: "cluster", name: HOSTILE } as const;
    const rows = [10, 100].flatMap((size) => [rowAt(HOSTILE, size), rowAt("ipvs", size, { input })]);
    const sections = [{ heading: HOSTILE, paragraphs: [HOSTILE] }];
    const page = printComparisonReport(comparisonOf(rows, { machine, input, measuredAt: HOSTILE }), {
      sections,
    });
    expect(page).not.toMatch(/<script|<img|&amp;/);
    expect(imbalanceOf(bodyOf(page))).toBeUndefined();
  });

  it("needs nothing from elsewhere", () => {
    const page = printComparisonReport(SERIES);
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\bsrc=/);
    const unlinked = page.replace(/<a href="(https:[^"]*)">\1<\/a>/g, "");
    expect(unlinked).not.toBe(page);
    const addresses = [...unlinked.matchAll(/https?:\/\/[^"\s<]+/g)].map((match) => match[0]);
    expect([...new Set(addresses)]).toEqual(["http://www.w3.org/2000/svg"]);
  });

  it("says the machine, the versions, the seed, and what is measured", () => {
    const page = printComparisonReport(SERIES);
    for (const text of [
      "Example CPU 9000 @ 3.00GHz, 2 cores",
      "Linux 6.18 x64",
      "22.11.0 (V8 12.4.254.21)",
      "<dt>Seed</dt><dd>1</dd>",
      "no I/O of any kind",
      "that emptying is not timed",
      "KEP-3866",
      "Tigera",
    ])
      expect(page).toContain(text);
    expect(page).toMatch(/one more rule to walk adds 2\.\d\u00A0ns to a new connection/);
  });

  it("explains the band of the first and the last Service, only where it is", () => {
    const explained = /Thin dotted lines: every packet to the last Service, or every one to the/;
    const textOf = (page: string) => page.replace(/<\/text><text[^>]*>/g, " ");
    expect(textOf(printComparisonReport(SERIES))).toMatch(explained);
    const rows = SERIES.rows.filter(({ mode }) => mode !== "iptables");
    expect(textOf(printComparisonReport(comparisonOf(rows)))).not.toContain("Thin dotted");
  });

  it("gives the table the page's width, its inputs lines of their own, and keeps only the mode in sight", () => {
    const shop = { kind: "cluster", name: "shop" } as const;
    const given = { input: shop, servicesGiven: 15 };
    const mixed = comparisonOf([...MODES.map((mode) => rowAt(mode, 12, given)), ...SERIES.rows]);
    const page = printComparisonReport(mixed);
    expect(page).toContain('<section class="full"><h2>All numbers</h2>');
    expect(page).toMatch(
      /<tr class="input"><th scope="rowgroup" colspan="\d+">shop: 12 of 15 Services have a ClusterIP/,
    );
    expect(page).toContain("the cluster shop (12 of 15 Services have a ClusterIP (IPv4))");
    expect(page).not.toContain(">input</th>");
    expect(page).toContain(".input th{position:static");
  });

  it("explains bold numbers where there are some, and has no other cell bold", () => {
    const bold = "Bold: the cheapest new connection of its size";
    const alike = MODES.map((mode) => rowAt(mode, 10, { newConnection: costAt(100) }));
    expect(printComparisonReport(comparisonOf(alike))).not.toContain(bold);
    const page = printComparisonReport(SERIES);
    expect(page).toContain(bold);
    expect(page).toContain("tbody th{font-weight:400");
  });

  it("draws curves for several sizes, bars for one, and leads with the curves", () => {
    const shop = { kind: "cluster", name: "shop" } as const;
    const mixed = comparisonOf([...MODES.map((mode) => rowAt(mode, 12, { input: shop })), ...SERIES.rows]);
    const page = printComparisonReport(mixed);
    expect(page.indexOf("Charts: a synthetic cluster")).toBeLessThan(
      page.indexOf("Charts: the cluster shop"),
    );
    expect(page.match(/<svg /g)).toHaveLength(2 + 4 + 5);
    expect(page).toContain("<h1>At 10,000\u00A0Services");
  });

  it("admits when the cost of a rule cannot be said", () => {
    expect(printComparisonReport(comparisonOf([rowAt("ipvs", 5)]))).toContain(
      "cannot be said from these numbers",
    );
    const level = SIZES.map((size) => rowAt("iptables", size, { newConnection: costAt(500) }));
    expect(printComparisonReport(comparisonOf(level))).toContain("changes by no more than its rounds differ");
  });

  it("puts further chapters after the method and before the machine", () => {
    const page = printComparisonReport(SERIES, {
      sections: [{ heading: "Agreement with a kernel", paragraphs: ["Later."] }],
    });
    const order = [
      "What exactly is measured",
      "<h2>What a rule costs",
      "Agreement with a kernel",
      "The machine",
    ];
    const places = order.map((heading) => page.indexOf(heading));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
  });
});
