import type { Comparison, ComparisonGroup, ComparisonRow, Cost } from "./comparison.js";
import { printCount, printRatioRange } from "./quantity.js";
import { fewestRounds, ratioRange } from "./sameness.js";

/** `a`, `a and b`, `a, b and c`. */
export function listed(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join("");
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

/** `1 Service`, `10,000 Services`. */
export function services(count: number): string {
  return `${printCount(count)} ${count === 1 ? "Service" : "Services"}`;
}

/** Keeps a number and its unit on one line. */
export function unbroken(text: string): string {
  return text.replace(/(\d) (ns|µs|ms|s|B|KB|MB|GB|%|times|Services?|destinations?)\b/g, "$1\u00A0$2");
}

/** `8 to 12 times`: what the spreads leave open. */
export function ratio(dividend: Cost, divisor: Cost): string {
  return printRatioRange(...ratioRange(dividend, divisor));
}

/** `1 round`, `5 rounds`, `the rounds` where their number is not known. */
export function rounds(rows: readonly Pick<ComparisonRow, "rounds">[]): string {
  const count = fewestRounds(rows);
  if (count === undefined) return "the rounds";
  return `${printCount(count)} ${count === 1 ? "round" : "rounds"}`;
}

/** `the cluster shop.yaml`, `a synthetic cluster (…)`. */
export function inputName(input: Comparison["input"]): string {
  return input.kind === "cluster" ? `the cluster ${input.name}` : `a synthetic cluster (${input.name})`;
}

/** `8 of 10 Services have a ClusterIP`; undefined where all of them do. */
export function clusterIPShare(rows: readonly ComparisonRow[]): string | undefined {
  const row = rows.find((each) => each.servicesGiven !== undefined && each.servicesGiven !== each.services);
  if (row?.servicesGiven === undefined) return undefined;
  const verb = row.services === 1 ? "has" : "have";
  return `${printCount(row.services)} of ${services(row.servicesGiven)} ${verb} a ClusterIP (IPv4)`;
}

/** What stands over the rows of an input: its name, and how many of its Services count. None where it goes without. */
export function groupTitle({ input, rows }: ComparisonGroup, groups: number): string | undefined {
  const share = clusterIPShare(rows);
  if (groups < 2 && share === undefined) return undefined;
  return share === undefined ? input.name : `${input.name}: ${share}`;
}
