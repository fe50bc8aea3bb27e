import type { Cluster } from "../model/cluster.js";
import { syntheticCluster } from "../model/synthetic.js";
import type { ComparisonInput, ComparisonRow } from "../report/comparison.js";
import { roundRow } from "../report/rounding.js";
import { type Measured, type MeasureOptions, measure, measureSteps, type Subject } from "./measure.js";

/** Synthetic clusters of growing size. */
export interface Series {
  /** Numbers of Services; measured in ascending order, each once. */
  readonly sizes: readonly number[];
  /** Endpoints of every Service. */
  readonly endpoints: number;
  readonly nodes: number;
}

/** What to compare the modes on: clusters as they are, then a series. */
export interface ComparePlan {
  readonly clusters: readonly { readonly name: string; readonly cluster: Cluster }[];
  readonly series: Series | undefined;
}

export interface CompareOptions extends Omit<MeasureOptions, "onStep"> {
  /** Called before a cluster is measured and after every step of it. */
  readonly onProgress?: (progress: CompareProgress) => void;
}

export interface CompareProgress {
  readonly done: number;
  readonly total: number;
  /** What is being measured: `shop.yaml`, `1,000 Services`. */
  readonly what: string;
}

/** What was measured on one cluster. */
export interface Compared extends Measured {
  readonly input: ComparisonInput;
}

interface NamedSubject extends Subject {
  readonly what: string;
}

function seriesInput({ endpoints, nodes }: Series): ComparisonInput {
  const each = `${endpoints} ${endpoints === 1 ? "endpoint" : "endpoints"} per Service`;
  return { kind: "synthetic", name: `${each} on ${nodes} ${nodes === 1 ? "node" : "nodes"}` };
}

function sizesOf(series: Series | undefined): readonly number[] {
  return [...new Set(series?.sizes)].sort((a, b) => a - b);
}

/** One after another, so that but one synthetic cluster is held at a time. */
function* subjectsOf({ clusters, series }: ComparePlan, seed: number): Generator<NamedSubject> {
  for (const { name, cluster } of clusters) yield { input: { kind: "cluster", name }, cluster, what: name };
  if (series === undefined) return;
  for (const services of sizesOf(series)) {
    const { endpoints, nodes } = series;
    const cluster = syntheticCluster({ services, endpoints, nodes, seed });
    const what = `${services.toLocaleString("en")} ${services === 1 ? "Service" : "Services"}`;
    yield { input: seriesInput(series), cluster, what };
  }
}

/**
 * Measures every mode on every cluster of the plan. InputError for a cluster in which nothing can be measured or
 * that cannot be compiled.
 */
export async function compareModes(plan: ComparePlan, options: CompareOptions): Promise<readonly Compared[]> {
  const { onProgress = () => {}, ...measuring } = options;
  const total = (plan.clusters.length + sizesOf(plan.series).length) * measureSteps(options);
  const compared: Compared[] = [];
  let done = 0;
  for (const subject of subjectsOf(plan, options.seed)) {
    const { what, input } = subject;
    onProgress({ done, total, what });
    const onStep = () => onProgress({ done: ++done, total, what });
    compared.push({ ...(await measure(subject, { ...measuring, onStep })), input });
  }
  return compared;
}

/** All rows, each with its input, however many there are: their shape depends on nothing. Rounded to what counts. */
export function comparedRows(compared: readonly Compared[]): readonly ComparisonRow[] {
  return compared.flatMap(({ rows, input }) => rows.map((row) => ({ ...roundRow(row), input })));
}
