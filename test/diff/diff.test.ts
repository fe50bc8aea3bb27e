import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CompileOptions } from "../../src/compile.js";
import { diffNodes } from "../../src/diff/diff.js";
import { type FlowDifference, groupDifferences } from "../../src/diff/difference.js";
import type { Side } from "../../src/diff/side.js";
import { Engine } from "../../src/engine/engine.js";
import type { Cluster } from "../../src/model/cluster.js";
import { printIp } from "../../src/net/ip.js";
import { clusterFrom, drawnServices, MODES } from "../drawn-cluster.js";
import { clusterOf } from "../proxy/cluster-of.js";
import { lineOf, sideOf } from "./ask.js";
import { ENDPOINTS } from "./web.js";

const mode = fc.constantFrom(...MODES);
const stack = fc.constantFrom("IPv4" as const, "IPv6" as const, "dual" as const);

function engineOf({ ruleset }: Side): Promise<Engine> {
  return Engine.load(ruleset, { connections: 63 });
}

/** What one side makes of a packet, asked anew: what becomes of it and where it goes, in any order. */
function endsAt(engine: Engine, { question: { sent } }: FlowDifference, index: 0 | 1): string {
  const ends = engine
    .explore(sent[index].frame)
    .map(({ verdict, reason, destination, masquerade, probability }) => {
      const to = destination === undefined ? "-" : `${printIp(destination.address)}:${destination.port}`;
      return `${verdict} ${reason} ${to} ${masquerade} ${probability === null}`;
    });
  return ends.sort().join("\n");
}

describe("the difference of two nodes", () => {
  it("is nothing for one that is compared with itself", async () => {
    await fc.assert(
      fc.asyncProperty(drawnServices, mode, stack, async (services, proxy, families) => {
        const cluster = clusterFrom(services, families);
        let asked = 0;
        const onAsked = () => void asked++;
        const options = { allPackets: true, onAsked };
        expect(await diffNodes(sideOf(cluster, { proxy }), sideOf(cluster, { proxy }), options)).toEqual([]);
        expect(asked).toBeGreaterThan(50);
      }),
      { numRuns: 4 },
    );
  });

  it("is the same in both directions", async () => {
    await fc.assert(
      fc.asyncProperty(drawnServices, drawnServices, mode, mode, async (some, others, one, other) => {
        const [a, b] = [
          sideOf(clusterFrom(some), { proxy: one }),
          sideOf(clusterFrom(others), { proxy: other }),
        ];
        const [there, back] = [await diffNodes(a, b), await diffNodes(b, a)];
        expect(back.map(lineOf)).toEqual(there.map(lineOf));
        expect(back.map(({ answers: [x, y] }) => [y, x])).toEqual(there.map(({ answers }) => [...answers]));
      }),
      { numRuns: 5 },
    );
  });

  it("holds no packet that both, asked anew, make the same of", async () => {
    let seen = 0;
    await fc.assert(
      fc.asyncProperty(drawnServices, drawnServices, mode, mode, async (some, others, one, other) => {
        const [a, b] = [
          sideOf(clusterFrom(some), { proxy: one }),
          sideOf(clusterFrom(others), { proxy: other }),
        ];
        const differences = await diffNodes(a, b);
        const plain = differences.filter(({ change }) => change !== "accepted by name");
        const [here, there] = [await engineOf(a), await engineOf(b)];
        for (const difference of plain) {
          expect(endsAt(here, difference, 0)).not.toEqual(endsAt(there, difference, 1));
          seen += 1;
        }
      }),
      { numRuns: 4 },
    );
    expect(seen).toBeGreaterThan(10);
  });
});

describe("the node's own packets", () => {
  const balanced = (sourceRanges: string) =>
    clusterOf()
      .service("a/lb", {
        type: "LoadBalancer",
        clusterIPs: "10.96.0.1",
        ingress: "203.0.113.10",
        ports: ":80",
        sourceRanges,
      })
      .slice("a/lb", ":8080", ...ENDPOINTS)
      .build();
  const own = async (cluster: Cluster, a: CompileOptions, b: CompileOptions) => {
    const all = await diffNodes(sideOf(cluster, a), sideOf(cluster, b));
    const isOwn = ({ question: { source, target } }: FlowDifference) =>
      source.asker === "the node" && target.place === "load balancer address" && target.port === 80;
    return all.filter(isOwn);
  };

  it("come from the address that they are to, where that is the node's own", async () => {
    const found = await own(balanced(""), { proxy: "iptables" }, { proxy: "ipvs" });
    expect(found.map(({ question: { sent } }) => sent.map(({ from }) => printIp(from.address)))).toEqual([
      ["172.18.0.2", "203.0.113.10"],
    ]);
    expect(groupDifferences(found)[0]?.example).toMatchObject({
      from: "172.18.0.2:41000",
      atB: { from: "203.0.113.10:41000" },
    });
    const same = await own(balanced(""), { proxy: "ipvs" }, { proxy: "ipvs", ipvsScheduler: "sh" });
    expect(same.map(({ question: { sent } }) => sent[0] === sent[1])).toEqual([true]);
  });

  it("are dropped by that address where source ranges leave the node out", async () => {
    expect(await own(balanced("198.51.100.0/24"), { proxy: "iptables" }, { proxy: "ipvs" })).toEqual([]);
  });
});
