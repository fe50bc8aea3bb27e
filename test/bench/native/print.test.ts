import { describe, expect, it } from "vitest";
import { NO_IO, printMarkdown, printReport } from "../../../bench/native/print.js";
import { replaceResults } from "../../../bench/native/readme.js";
import { type NativeReport, rowsOf } from "../../../bench/native/rows.js";

const CASE = { work: "IPv4 LPM", keys: "k8s, uniform", file: "uniform.bin", goal: 0.5 };

describe("bench:native rows", () => {
  it("take the best of a group's variants, by the median of their rounds", () => {
    const peers = [
      { group: "dpdk", name: "lucky once", ns: [1, 9, 9] },
      { group: "dpdk", name: "steady", ns: [4, 5, 4] },
    ];
    expect(rowsOf(CASE, [2, 2, 3], peers)).toEqual([
      {
        work: "IPv4 LPM",
        keys: "k8s, uniform",
        ours_ns: 2,
        peer: "steady",
        peer_ns: 4,
        ratio: 0.5,
        rounds: 3,
        spread: [0.4, 0.75],
        goal: 0.5,
      },
    ]);
  });

  it("tell further groups beside, without the goal", () => {
    const peers = [
      { group: "loop", name: "plain", ns: [4] },
      { group: "prefetch", name: "clever", ns: [1] },
    ];
    const rows = rowsOf(CASE, [2], peers);
    expect(rows.map(({ peer, ratio, goal }) => [peer, ratio, goal])).toEqual([
      ["plain", 0.5, 0.5],
      ["clever", 2, undefined],
    ]);
  });
});

const REPORT: NativeReport = {
  machine: "a machine",
  rows: rowsOf(CASE, [2.001, 2, 12.3], [{ group: "dpdk", name: "rte_fib", ns: [11, 12, 13] }]),
  missing: [{ work: "IPv6 LPM", keys: "zipf", lacks: "route6LookupMany" }],
  skipped: ["Some rows are skipped."],
};

describe("bench:native prints", () => {
  it("a table in columns, what is missing, and that no I/O is in it", () => {
    const text = printReport(REPORT);
    expect(text).toMatch(
      /^a machine\n\nwork +keys +ours, ns +best peer +peer, ns +ratio +low – high +goal\n/,
    );
    expect(text).toMatch(/IPv4 LPM +k8s, uniform +2\.00 +rte_fib +12\.0 +0\.17 +0\.17 – 0\.95 +≤ 0\.5\n/);
    expect(text).toContain("IPv6 LPM, zipf: not there yet (the machine has no route6LookupMany).");
    expect(text).toContain("Some rows are skipped.");
    expect(text).toContain(NO_IO);
  });

  it("markdown whose rows have as many cells as its head", () => {
    const lines = printMarkdown(REPORT).split("\n");
    const table = lines.filter((line) => line.startsWith("|"));
    expect(new Set(table.map((line) => line.split("|").length))).toEqual(new Set([10]));
    expect(table.length).toBe(3);
    expect(lines[0]).toBe("a machine; 3 rounds.");
    expect(lines).toContain(NO_IO);
  });
});

describe("bench:native README", () => {
  const begin = "<!-- bench:native begins: written by npm run bench:readme, not by hand -->";
  const end = "<!-- bench:native ends -->";

  it("replaces what stands between the markers, as often as one likes", () => {
    const text = `# a\n${begin}\nold\n${end}\nrest\n`;
    const once = replaceResults(text, "new $& table");
    expect(once).toBe(`# a\n${begin}\nnew $& table\n${end}\nrest\n`);
    expect(replaceResults(once, "new $& table")).toBe(once);
  });

  it.each(["", end + begin, begin, begin + begin + end])("refuses a file without them: %s", (text) => {
    expect(() => replaceResults(text, "x")).toThrow("needs a line");
  });
});
