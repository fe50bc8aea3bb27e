import type { Comparison, ComparisonRow, Cost } from "../../src/report/comparison.js";

/** A cost with a spread of 3 % around it. */
export function costAt(p50: number): Cost {
  return { p50, p99: p50 * 1.35, spread: [p50 * 0.97, p50 * 1.03] };
}

/** Invented numbers of a plausible shape: what iptables costs follows the rules it walks, the others are flat. */
export function rowAt(mode: string, services: number, more: Partial<ComparisonRow> = {}): ComparisonRow {
  const walked = mode === "iptables" ? services / 2 + 6 : mode === "ipvs" ? 1.12 : 1;
  const base = { iptables: 58, ipvs: 94, nftables: 82 }[mode] ?? 100;
  const cold = 1 + 0.06 * Math.log10(services);
  const cost = (rules: number) => costAt((base + (mode === "iptables" ? 1.9 * rules : 0)) * cold);
  const established = { iptables: 47, ipvs: 55, nftables: 48 }[mode] ?? 50;
  return {
    mode,
    services,
    endpoints: services * 4,
    newConnection: cost(walked),
    newConnectionFirst: cost(7),
    newConnectionLast: cost(services + 6),
    established: costAt(established * cold),
    mpps: 1000 / (established * cold),
    walked,
    walkedEstablished: 0,
    tableBytes: 2600 + services * ({ iptables: 420, ipvs: 310, nftables: 350 }[mode] ?? 300),
    compileMs: 0.4 + services * ({ iptables: 0.021, ipvs: 0.012, nftables: 0.017 }[mode] ?? 0.01),
    rounds: 7,
    ...more,
  };
}

export const MODES = ["iptables", "ipvs", "nftables"] as const;
export const SIZES = [10, 100, 1000, 10_000] as const;

export function comparisonOf(rows: readonly ComparisonRow[], more: Partial<Comparison> = {}): Comparison {
  return {
    apiVersion: "packetyard/v1",
    kind: "Comparison",
    machine: {
      cpu: "Example CPU 9000 @ 3.00GHz",
      cores: 2,
      memoryBytes: 8_000_000_000,
      os: "Linux 6.18 x64",
      node: "22.11.0",
      v8: "12.4.254.21",
      packetyard: "0.1.0",
    },
    seed: 1,
    input: { kind: "synthetic", name: "4 endpoints per Service" },
    rows,
    ...more,
  };
}

/** Three modes at four sizes. */
export const SERIES: Comparison = comparisonOf(
  SIZES.flatMap((services) => MODES.map((mode) => rowAt(mode, services))),
);
