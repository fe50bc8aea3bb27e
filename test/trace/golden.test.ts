import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tcp } from "../../src/packet/build.js";
import { engineOf } from "./small-cluster.js";

/** A story of a page: `# from to`, and below it what the trace of that packet says. */
interface Story {
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

function readPage(mode: string): Story[] {
  const page = readFileSync(join(import.meta.dirname, "golden", `${mode}.txt`), "utf8");
  return page
    .split(/^# /m)
    .slice(1)
    .map((story) => {
      const [head = "", ...lines] = story.trim().split("\n");
      const [from = "", to = ""] = head.split(/\s+/);
      return { from, to, text: lines.join("\n") };
    });
}

/** The port that masquerading draws is written `*` in the pages. */
function withoutDraws(text: string): string {
  return text.replace(/^(masquerade .*):[0-9]+$/gm, "$1:*");
}

describe.each(["iptables", "ipvs", "nftables"] as const)("a trace in mode %s", (proxy) => {
  const stories = readPage(proxy);

  it("has a page of stories", () => {
    expect(stories.length).toBeGreaterThanOrEqual(5);
  });

  it.each(stories)("from $from to $to reads as its page does", async ({ from, to, text }) => {
    const engine = await engineOf({ proxy, node: "worker-1" });
    expect(withoutDraws(engine.trace(tcp(from, to)))).toBe(text);
  });
});
