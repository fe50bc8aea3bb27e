import { describe, expect, it } from "vitest";
import type { Assessment, AssessmentFinding } from "../../src/report/assessment.js";
import { packetWords, printAssessmentReport, reachWords } from "../../src/report/assessment-section.js";
import { printComparisonReport } from "../../src/report/html.js";
import { imbalanceOf } from "./balance.js";
import { SERIES } from "./fixture.js";

const HOSTILE = `"><script>alert('x')</script>&amp;`;

const FINDING: AssessmentFinding = {
  category: "node-ports",
  effect: "breaks",
  about: "A nodePort on a further address of the node: it is not served any more.",
  advice: "Set nodePortAddresses.",
  before: "goes to an endpoint",
  after: "reaches the node itself",
  flows: 1200,
  services: ["shop/web"],
  nodes: ["worker-1", "worker-2"],
  example: {
    node: "worker-1",
    from: "198.51.100.7:41000",
    to: "10.244.1.0:30080",
    protocol: "TCP",
    flags: "S",
    iface: "eth0",
    source: "outside",
    place: "nodePort",
    service: "shop/web:http",
    earlier: null,
    frame: "00",
    sentAfter: null,
    before: { verdict: "accept", text: "goes to 10.244.1.2:8080" },
    after: { verdict: "accept", text: "reaches the node itself" },
    run: true,
  },
};

function assessmentOf(...findings: readonly AssessmentFinding[]): Assessment {
  const categories = [{ name: "node-ports", title: "Addresses of nodePorts", text: "Fewer." }];
  const told = { from: "ipvs", to: "nftables", schedulers: ["rr"], nodes: ["worker-1"], asked: 7 } as const;
  return { apiVersion: "packetyard/v1", kind: "Assessment", ...told, categories, findings };
}

describe("the assessment's section", () => {
  it("tells each finding with its packet and both verdicts", () => {
    const page = printAssessmentReport(assessmentOf(FINDING), "1.2.3");
    for (const part of [
      "<h3>Addresses of nodePorts</h3>",
      "accept: goes to 10.244.1.2:8080",
      "1 finding (breaks: 1)",
    ])
      expect(page).toContain(part);
    expect(page).toContain("<dt>nftables</dt><dd>accept: reaches the node itself</dd>");
    expect(printAssessmentReport(assessmentOf(), "1")).toContain(
      "Nothing changes: 7 packets asked about on 1 node",
    );
    expect(packetWords(FINDING.example, "nftables")).toBe(
      "198.51.100.7:41000 > 10.244.1.0:30080 TCP S, by eth0 of worker-1 (outside to nodePort of shop/web:http)",
    );
    const sentAfter = { from: "172.18.0.3:41000", frame: "01" };
    expect(packetWords({ ...FINDING.example, sentAfter }, "iptables")).toMatch(
      /shop\/web:http\); from 172\.18\.0\.3:41000 in mode iptables$/,
    );
    const reach = (...nodes: readonly string[]) => reachWords(FINDING, { nodes });
    expect(reach("worker-1", "worker-2", "worker-3")).toBe(
      "1,200 flows; Service shop/web; nodes worker-1 and worker-2",
    );
    expect(reach("worker-1", "worker-2")).toBe("1,200 flows; Service shop/web; every node");
  });

  it("numbers the findings through all categories, and makes stand out what breaks", () => {
    const moves = { ...FINDING, category: "switch", effect: "moves", about: "Open." } as const;
    const { categories, ...rest } = assessmentOf(FINDING, moves, FINDING);
    const both = [...categories, { name: "switch", title: "Open connections", text: "" }];
    const page = printAssessmentReport({ ...rest, categories: both }, "1");
    const heads = [...page.matchAll(/<h4>(\d)\. <span class="effect (\w+)">/g)];
    expect(heads.map(([, number, effect]) => `${number} ${effect}`)).toEqual([
      "1 breaks",
      "2 breaks",
      "3 moves",
    ]);
    expect(page).toContain(".effect.breaks{");
    expect(page.match(/<h[12]>[^<]*<\/h[12]>/g)).toEqual([
      "<h1>What leaving IPVS for nftables changes</h1>",
      "<h2>Findings</h2>",
    ]);
  });

  it("tells the connection that a packet's client had before", () => {
    const earlier = {
      from: "198.51.100.7:41000",
      to: "10.96.0.1:80",
      seconds: 601,
      wentTo: "10.244.1.2:8080",
      isInUse: true,
    };
    const words = (more: Partial<typeof earlier>) => {
      const example = { ...FINDING.example, earlier: { ...earlier, ...more } };
      return packetWords(example, "nftables").replace(/^.*\), /, "");
    };
    expect(words({})).toBe(
      "601 s after the same client's to 10.96.0.1:80, which went to 10.244.1.2:8080 and is still in use",
    );
    expect(words({ from: "198.51.100.70:41000", seconds: 1, isInUse: false })).toBe(
      "1 s after 198.51.100.70:41000's to 10.96.0.1:80, which went to 10.244.1.2:8080",
    );
  });

  it("is well-formed whatever names it tells", () => {
    const example = { ...FINDING.example, service: HOSTILE, node: HOSTILE, iface: null };
    const page = printAssessmentReport(assessmentOf({ ...FINDING, services: [HOSTILE], example }), HOSTILE);
    expect(imbalanceOf(page.replace("<!doctype html>\n", ""))).toBeUndefined();
    expect(page).not.toMatch(/<script|&amp;/);
  });

  it("stands in the comparison's page before all numbers", () => {
    const page = printComparisonReport(SERIES, { assessment: assessmentOf(FINDING) });
    expect(imbalanceOf(page.replace("<!doctype html>\n", ""))).toBeUndefined();
    const places = ["What leaving IPVS for nftables changes", "<h2>All numbers</h2>"].map((one) =>
      page.indexOf(one),
    );
    expect(places[0]).toBeGreaterThan(0);
    expect(places[1]).toBeGreaterThan(places[0] ?? 0);
  });
});
