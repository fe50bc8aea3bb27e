import { describe, expect, it } from "vitest";
import { Cluster } from "../../src/cluster.js";
import { comparedRows, compareModes } from "../../src/compare/compare.js";
import { measure, measureSteps } from "../../src/compare/measure.js";
import type { ComparisonRow } from "../../src/report/comparison.js";

const MODES = ["iptables", "ipvs", "nftables"] as const;
const QUICK = { modes: MODES, seed: 7, rounds: 1 } as const;

async function rowsOf(services: number, seed = 7): Promise<readonly ComparisonRow[]> {
  const cluster = Cluster.synthetic({ services, endpoints: 2, seed });
  const input = { kind: "synthetic", name: "test" } as const;
  return (await measure({ input, cluster }, { ...QUICK, seed })).rows;
}

/** The same, measured once however many tests look at it. */
const measured = new Map<number, Promise<readonly ComparisonRow[]>>();
function knownRowsOf(services: number): Promise<readonly ComparisonRow[]> {
  const rows = measured.get(services) ?? rowsOf(services);
  measured.set(services, rows);
  return rows;
}

describe("measure", () => {
  it("gives a row a mode, in the order asked for, with every cost known", async () => {
    const rows = await knownRowsOf(5);
    expect(rows.map(({ mode }) => mode)).toEqual(MODES);
    for (const row of rows) {
      expect(row).toMatchObject({ services: 5, endpoints: 10, rounds: 1 });
      const costs = [row.newConnection, row.newConnectionFirst, row.newConnectionLast, row.established];
      for (const cost of costs) {
        expect(cost?.p50).toBeGreaterThan(0);
        expect(cost?.p99).toBeGreaterThanOrEqual(cost?.p50 ?? 0);
      }
      expect(row.mpps).toBeCloseTo(1000 / row.established.p50);
      expect(row.tableBytes).toBeGreaterThan(0);
      expect(row.compileMs).toBeGreaterThan(0);
    }
  });

  it("walks the same for the same seed", async () => {
    const walked = async (seed: number) =>
      (await rowsOf(20, seed)).map((row) => [row.walked, row.walkedEstablished]);
    const first = await walked(7);
    expect(await walked(7)).toEqual(first);
    expect(await walked(8)).not.toEqual(first);
  });

  it("walks in iptables mode half a rule more per Service, in the others as much at every size", async () => {
    const [small, large] = [await knownRowsOf(32), await knownRowsOf(512)];
    const walked = (rows: readonly ComparisonRow[], mode: string) =>
      rows.find((row) => row.mode === mode)?.walked ?? 0;
    const slope = (walked(large, "iptables") - walked(small, "iptables")) / (512 - 32);
    expect(slope).toBeCloseTo(0.5, 2);
    for (const mode of ["ipvs", "nftables"]) {
      expect(walked(large, mode)).toBeGreaterThan(1);
      expect(walked(large, mode) / walked(small, mode)).toBeCloseTo(1, 1);
    }
  });

  it("walks as little for known connections at every size and in every mode", async () => {
    const [small, large] = [await knownRowsOf(32), await knownRowsOf(512)];
    for (const [index, row] of large.entries()) {
      expect(row.walkedEstablished).toBe(small[index]?.walkedEstablished);
      expect(row.walkedEstablished).toBeLessThan(row.walked);
    }
  });

  it("takes its tables' octets without the connection table", async () => {
    const [small, large] = [await knownRowsOf(5), await knownRowsOf(512)];
    for (const [index, row] of large.entries()) {
      expect(row.tableBytes).toBeGreaterThan(small[index]?.tableBytes ?? 0);
      expect(row.tableBytes).toBeLessThan(2 ** 20);
    }
  });

  it("refuses a cluster with nothing to measure", async () => {
    const input = { kind: "cluster", name: "empty" } as const;
    const lonely = Cluster.synthetic({ services: 0, endpoints: 0 });
    await expect(measure({ input, cluster: lonely }, QUICK)).rejects.toThrow(/add a Pod/);
    const silent = { ...Cluster.synthetic({ services: 2, endpoints: 1 }), endpointSlices: [] };
    await expect(measure({ input, cluster: silent }, QUICK)).rejects.toThrow(/no Service of the cluster/);
  });
});

const SHOP = `
apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec: { containers: [{ name: web, ports: [{ containerPort: 8080 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: nobody }
spec: { selector: { app: nobody }, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: dns }
spec: { selector: { app: web }, ports: [{ port: 53, protocol: UDP, targetPort: 8080 }] }
`;

describe("compareModes", () => {
  it("measures clusters first, then the series in ascending order, each size once", async () => {
    const clusters = [{ name: "shop.yaml", cluster: Cluster.parse(SHOP) }];
    const seen: number[] = [];
    const { compared } = await compareModes(
      { clusters, series: { sizes: [6, 3, 6], endpoints: 1, nodes: 2 } },
      { ...QUICK, modes: ["ipvs"], onProgress: ({ done }) => seen.push(done) },
    );
    const rows = comparedRows(compared);
    expect(rows.map(({ services }) => services)).toEqual([3, 3, 6]);
    expect(rows.map(({ input }) => input?.name)).toEqual([
      "shop.yaml",
      "1 endpoint per Service on 2 nodes",
      "1 endpoint per Service on 2 nodes",
    ]);
    expect(compared[0]?.silent.map(({ name }) => name)).toEqual(["default/nobody"]);
    expect(seen.at(-1)).toBe(3 * measureSteps(QUICK));
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it("gives rows of one shape, rounded, however many inputs there are", async () => {
    const series = { sizes: [3], endpoints: 1, nodes: 1 };
    const { compared } = await compareModes({ clusters: [], series }, { ...QUICK, modes: ["nftables"] });
    const [row] = comparedRows(compared);
    expect(row?.input?.name).toBe("1 endpoint per Service on 1 node");
    expect(row?.servicesGiven).toBe(3);
    for (const ns of [
      row?.newConnection.p50,
      row?.established.p99,
      ...(row?.newConnectionFirst?.spread ?? []),
    ])
      expect(String(ns)).toMatch(/^\d+(\.\d{1,2})?$/);
    expect(String(row?.compileMs)).toMatch(/^\d+(\.\d{1,3})?$/);
  });
});
