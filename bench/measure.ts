import { Bench } from "tinybench";
import { median, spreadOf } from "../src/report/statistics.js";
import type { Case, Contender } from "./topic.js";

/** What a contender takes for one of what is counted: ns, median of the rounds' medians, and the rounds' range. */
export interface Timing {
  readonly name: string;
  readonly ns: number;
  readonly spread: readonly [number, number];
  /** How many times the first contender's time this is. */
  readonly ratio: number;
}

export interface Result {
  readonly topic: string;
  readonly name: string;
  readonly unit: string;
  readonly contenders: readonly Timing[];
}

/** Every contender has its turn so often. */
const ROUNDS = 3;
const RUNS_MIN = 5;
/** In shorter runs it is the clock that is measured. */
const RUN_NS_MIN = 100_000;

/** The median of a contender's runs, ns, from about so many milliseconds of them. */
async function timeRuns({ name, run, prepare }: Contender, ms: number): Promise<number> {
  const bench = new Bench({
    time: ms,
    iterations: RUNS_MIN,
    warmupTime: ms / 4,
    warmupIterations: RUNS_MIN,
    throws: true,
  });
  bench.add(name, () => run(), prepare === undefined ? {} : { beforeEach: () => prepare() });
  const [task] = await bench.run();
  if (task?.result.state !== "completed") throw new Error(`${name}: ${task?.result.state ?? "not run"}.`);
  return task.result.latency.p50 * 1e6;
}

/** Times every contender of a case for about so many milliseconds, in turn. */
export async function measureCase(topic: string, one: Case, ms: number): Promise<Result> {
  const rounds: number[][] = one.contenders.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, contender] of one.contenders.entries())
      rounds[index]?.push(await timeRuns(contender, ms / ROUNDS));
  }
  const medians = rounds.map(median);
  const shortest = Math.min(...medians);
  if (shortest < RUN_NS_MIN)
    process.stderr.write(
      `${topic}, ${one.name}: a run takes only ${Math.round(shortest)} ns; do more in one.\n`,
    );
  const contenders = one.contenders.map(({ name }, index) => {
    const [low, high] = spreadOf(rounds[index] ?? []);
    const ns = medians[index] ?? 0;
    return {
      name,
      ns: ns / one.count,
      spread: [low / one.count, high / one.count] as const,
      ratio: ns / (medians[0] ?? ns),
    };
  });
  return { topic, name: one.name, unit: one.unit, contenders };
}
