import type { Cluster } from "../model/cluster.js";
import { syntheticCluster } from "../model/synthetic.js";
import type { ComparisonInput, ComparisonRow, SchedulerRow } from "../report/comparison.js";
import { roundRow, roundSchedulerRow } from "../report/rounding.js";
import { SCHEDULERS } from "../ruleset/ipvs.js";
import { type Measured, type MeasureOptions, measure, measureSteps, type Subject } from "./measure.js";
import { measureSchedulers } from "./schedulers.js";

/** Synthetic clusters of growing size. */
export interface Series {
  /** Numbers of Services; measured in ascending order, each once. */
  readonly sizes: readonly number[];
  /** Endpoints of every Service. */
  readonly endpoints: number;
  readonly nodes: number;
}

/** What to compare the modes on: clusters as they are, then a series; and then schedulers. */
export interface ComparePlan {
  readonly clusters: readonly { readonly name: string; readonly cluster: Cluster }[];
  readonly series: Series | undefined;
  /** Endpoints of one Service, which each of IPVS' schedulers chooses among; measured in ascending order, each once. */
  readonly destinations?: readonly number[];
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

/** All that was measured. */
export interface Comparing {
  readonly compared: readonly Compared[];
  /** Rounded to what counts. */
  readonly schedulers: readonly SchedulerRow[];
}

interface NamedSubject extends Subject {
  readonly what: string;
}

function seriesInput({ endpoints, nodes }: Series): ComparisonInput {
  const each = `${endpoints} ${endpoints === 1 ? "endpoint" : "endpoints"} per Service`;
  return { kind: "synthetic", name: `${each} on ${nodes} ${nodes === 1 ? "node" : "nodes"}` };
}

function ascending(sizes: readonly number[] | undefined): readonly number[] {
  return [...new Set(sizes)].sort((a, b) => a - b);
}

/** One after another, so that but one synthetic cluster is held at a time. */
function* subjectsOf({ clusters, series }: ComparePlan, seed: number): Generator<NamedSubject> {
  for (const { name, cluster } of clusters) yield { input: { kind: "cluster", name }, cluster, what: name };
  if (series === undefined) return;
  for (const services of ascending(series.sizes)) {
    const { endpoints, nodes } = series;
    const cluster = syntheticCluster({ services, endpoints, nodes, seed });
    const what = `${services.toLocaleString("en")} ${services === 1 ? "Service" : "Services"}`;
    yield { input: seriesInput(series), cluster, what };
  }
}

/** Counts steps through clusters and schedulers. */
class Steps {
  readonly #show: (progress: CompareProgress) => void;
  readonly #total: number;
  #done = 0;

  constructor({ onProgress = () => {}, ...measuring }: CompareOptions, subjects: number) {
    this.#show = onProgress;
    this.#total = subjects * measureSteps(measuring);
  }

  /** Begins with what is measured; each call of what it returns is a step of it. */
  begin(what: string): () => void {
    const show = () => this.#show({ done: this.#done, total: this.#total, what });
    show();
    return () => {
      this.#done++;
      show();
    };
  }
}

/**
 * Measures every mode on every cluster of the plan, and then every scheduler. InputError for a cluster in which nothing can
 * be measured or that cannot be compiled.
 */
export async function compareModes(plan: ComparePlan, options: CompareOptions): Promise<Comparing> {
  const { onProgress: _, ...measuring } = options;
  const { clusters, series, destinations } = plan;
  const subjects = [clusters, ascending(series?.sizes), ascending(destinations)].flat().length;
  const steps = new Steps(options, subjects);
  const compared: Compared[] = [];
  for (const subject of subjectsOf(plan, options.seed)) {
    const onStep = steps.begin(subject.what);
    compared.push({ ...(await measure(subject, { ...measuring, onStep })), input: subject.input });
  }
  const schedulers: SchedulerRow[] = [];
  for (const count of ascending(destinations)) {
    const onStep = steps.begin(`schedulers among ${count.toLocaleString("en")} destinations`);
    const choosing = { ...measuring, schedulers: options.ipvsSchedulers ?? SCHEDULERS, onStep };
    schedulers.push(...(await measureSchedulers(count, choosing)));
  }
  return { compared, schedulers: schedulers.map(roundSchedulerRow) };
}

/** All rows, each with its input, however many there are: their shape depends on nothing. Rounded to what counts. */
export function comparedRows(compared: readonly Compared[]): readonly ComparisonRow[] {
  return compared.flatMap(({ rows, input }) => rows.map((row) => ({ ...roundRow(row), input })));
}
