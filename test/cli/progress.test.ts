import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ShownProgress } from "../../src/cli/commands/compare-progress.js";
import { progress } from "../../src/cli/progress.js";

const { stderr } = process;
const before = { isTTY: stderr.isTTY, columns: stderr.columns, TERM: process.env.TERM };
let written: string[] = [];

function terminal(columns: number | undefined): void {
  Object.assign(stderr, { isTTY: true, columns });
}

/** What stands behind the bar, drawing by drawing. */
function texts(): readonly string[] {
  return written.filter((text) => text.includes("%")).map((text) => text.split("%  ")[1] ?? "");
}

beforeEach(() => {
  written = [];
  process.env.TERM = "xterm";
  vi.spyOn(stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
});

afterEach(() => {
  vi.restoreAllMocks();
  Object.assign(stderr, { isTTY: before.isTTY, columns: before.columns });
  if (before.TERM === undefined) delete process.env.TERM;
  else process.env.TERM = before.TERM;
});

describe("the progress bar", () => {
  it.each([
    [undefined, 79],
    [0, 79],
    [60, 59],
  ])("fits a terminal of %s columns", (columns, width) => {
    terminal(columns);
    progress("steps", 4).tick(1, "x".repeat(200));
    expect(written.map((text) => text.replace("\r\u001b[K", "").length)).toEqual([width]);
  });

  it("says what compare measures, and the round of it", () => {
    terminal(80);
    const shown = new ShownProgress(2);
    const total = 10;
    for (let done = 0; done <= 5; done++) shown.show({ done, total, what: "1,000 Services" });
    for (let done = 5; done <= 10; done++) shown.show({ done, total, what: "10,000 Services" });
    expect([...new Set(texts())]).toEqual([
      "measuring 1,000 Services …",
      "measuring 1,000 Services, round 1 of 2 …",
      "measuring 1,000 Services, round 2 of 2 …",
      "measuring 10,000 Services …",
      "measuring 10,000 Services, round 1 of 2 …",
      "measuring 10,000 Services, round 2 of 2 …",
    ]);
  });

  it("names no round where their number is not known", () => {
    terminal(80);
    const shown = new ShownProgress();
    for (let done = 0; done <= 5; done++) shown.show({ done, total: 5, what: "shop.yaml" });
    expect(new Set(texts())).toEqual(new Set(["measuring shop.yaml …"]));
  });
});
