import { basename } from "node:path";
import type { ComparePlan } from "../../compare/compare.js";
import type { ProxyMode } from "../../index.js";
import type { Scheduler } from "../../ruleset/ipvs.js";
import { UsageError } from "../errors.js";
import { STDIN } from "../input.js";
import { type ClusterOptions, loadCluster } from "../options.js";
import type { ProxyArguments } from "../proxy-options.js";

/** What is measured where nothing is said. */
export const SIZES = [10, 100, 1000, 10_000] as const;
export const DESTINATIONS = [10, 100, 1000] as const;
const NODES_DEFAULT = 3;
export const FORMATS = ["table", "json", "csv"] as const;

/** What the command line says. */
export interface CompareArguments extends ClusterOptions, Omit<ProxyArguments, "ipvsScheduler"> {
  readonly services?: readonly number[];
  readonly endpoints: number;
  readonly destinations?: readonly number[];
  readonly modes: readonly ProxyMode[];
  readonly ipvsScheduler?: readonly Scheduler[];
  readonly seed: number;
  readonly rounds: number;
  /** false: --no-report. */
  readonly report?: string | false;
  readonly assess?: boolean;
  readonly output: (typeof FORMATS)[number];
}

/** UsageError for schedulers where mode ipvs is left out, or where nothing tells of them. */
export function checkSchedulers(
  { modes, ipvsScheduler, destinations, output }: CompareArguments,
  report: string | undefined,
) {
  const [option] =
    Object.entries({ "--ipvs-scheduler": ipvsScheduler, "--destinations": destinations }).find(
      ([, value]) => value !== undefined,
    ) ?? [];
  if (option !== undefined && !modes.includes("ipvs"))
    throw new UsageError(`${option} is of mode ipvs, and --modes leaves it out: give one of them.`);
  if (destinations !== undefined && output === "csv" && report === undefined)
    throw new UsageError("--destinations is not told in csv: leave it out, or give --report.");
}

/** Among how many destinations schedulers are measured: as asked, or where synthetic clusters are unasked, too. */
function destinationsFor(options: CompareArguments, report: string | undefined): readonly number[] {
  const { destinations, filename, services, modes, output } = options;
  if (destinations !== undefined) return destinations;
  const isTold = output !== "csv" || report !== undefined;
  const isAlone = filename.length === 0 && services === undefined;
  return isTold && isAlone && modes.includes("ipvs") ? DESTINATIONS : [];
}

/** What is measured; UsageError for options that contradict one another. */
export function planOf(options: CompareArguments, report: string | undefined): ComparePlan {
  const { filename, services, endpoints, nodes = NODES_DEFAULT } = options;
  const usesCluster = filename.length > 0 || services === undefined;
  const usesSeries = filename.length === 0 || services !== undefined;
  if (!usesCluster && options.serviceCidr !== undefined) {
    throw new UsageError(
      "--service-cidr is of a cluster's Services, and --services alone makes clusters that have their own: leave it out, or give -f.",
    );
  }
  return {
    clusters: usesCluster ? [{ name: clusterName(filename), cluster: loadCluster(options) }] : [],
    series: usesSeries ? { sizes: services ?? SIZES, endpoints, nodes } : undefined,
    destinations: destinationsFor(options, report),
  };
}

function clusterName(paths: readonly string[]): string {
  const [first, ...others] = paths.map((path) => (path === STDIN ? "stdin" : basename(path)));
  if (first === undefined) return "examples/shop.yaml";
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}
