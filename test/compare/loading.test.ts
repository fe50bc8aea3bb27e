import { describe, expect, it } from "vitest";
import { loadModes } from "../../src/compare/loading.js";
import { syntheticCluster } from "../../src/model/synthetic.js";

describe("loadModes", () => {
  it("loads an engine a mode, and in mode ipvs one for each scheduler that is named", async () => {
    const cluster = syntheticCluster({ services: 2, endpoints: 2, nodes: 1, seed: 1 });
    const options = { node: cluster.nodes[0]?.name ?? "", proxy: {}, seed: 1, connections: 63, times: 0 };
    const loaded = await loadModes(cluster, {
      ...options,
      modes: ["nftables", "ipvs"],
      ipvsSchedulers: ["sh", "wrr"],
    });
    const told = loaded.map(({ mode, engine }) => [mode, engine.ruleset.ipvs?.servers[0]?.scheduler]);
    expect(told).toEqual([
      ["nftables", undefined],
      ["ipvs sh", "sh"],
      ["ipvs wrr", "wrr"],
    ]);
    const [plain] = await loadModes(cluster, { ...options, modes: ["ipvs"], proxy: { ipvsScheduler: "dh" } });
    expect([plain?.mode, plain?.engine.ruleset.ipvs?.servers[0]?.scheduler]).toEqual(["ipvs", "dh"]);
  });
});
