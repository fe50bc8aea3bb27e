import { Command, InvalidArgumentError } from "commander";
import { Compilation } from "../src/compilation.js";
import { Engine } from "../src/engine/engine.js";
import { syntheticCluster } from "../src/model/synthetic.js";
import { PROXY_MODES, type ProxyMode } from "../src/ruleset/ruleset.js";
import { changeScene, changesOf, type SceneSize } from "./change-scene.js";
import { clusterToggles } from "./cluster-changes.js";

/** How long `engine.apply` and `Compilation.apply` take: every call timed by itself, as somebody waits for it. */

interface Options extends SceneSize {
  readonly changes: number;
  readonly mode?: ProxyMode;
}

const WORST_TIMES = 100;

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 0) return count;
  throw new InvalidArgumentError("It is a whole number, 0 or more.");
}

/** Microseconds of calls, by kind. */
class Timings {
  readonly #times = new Map<string, number[]>();

  /** Times a change and what takes it back. */
  time<C>(
    changed: { apply(change: C): unknown },
    { kind, there, back }: { readonly kind: string; readonly there: C; readonly back: C },
  ): void {
    for (const change of [there, back]) {
      const begin = performance.now();
      changed.apply(change);
      this.#add(kind, (performance.now() - begin) * 1000);
    }
  }

  get all(): readonly number[] {
    return [...this.#times.values()].flat();
  }

  print(title: string): void {
    process.stdout.write(`${title}\n`);
    const rows = [...this.#times].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [kind, times] of [...rows, ["all", this.all] as const]) {
      const sorted = [...times].sort((a, b) => a - b);
      const at = (share: number) =>
        (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1).padStart(9);
      const columns = `${at(0.5)}${at(0.99)}${at(0.999)}${at(1)}`;
      process.stdout.write(`  ${kind.padEnd(46)}${String(times.length).padStart(8)}${columns}\n`);
    }
  }

  #add(kind: string, us: number): void {
    const times = this.#times.get(kind) ?? [];
    this.#times.set(kind, times);
    times.push(us);
  }
}

function printHead(title: string, what: string): void {
  const columns = ["p50", "p99", "p99.9", "max"].map((name) => name.padStart(9)).join("");
  process.stdout.write(`\n${title}\n  ${what.padEnd(46)}${"calls".padStart(8)}${columns}\n`);
}

function measureCompilation(mode: ProxyMode, { services, endpoints, changes }: Options): void {
  const cluster = syntheticCluster({ services, endpoints, seed: 1 });
  const compilation = new Compilation(cluster, { proxy: mode });
  const toggle = clusterToggles(cluster, 1);
  const [warm, drawn] = [new Timings(), new Timings()];
  for (let count = 0; count < changes / 10; count++) warm.time(compilation, toggle());
  for (let count = 0; count < changes; count++) drawn.time(compilation, toggle());
  printHead(
    `${mode}, compiled: ${services} Services with ${endpoints} endpoints each`,
    "µs of Compilation.apply",
  );
  drawn.print(" changes drawn alike often");
}

async function measureEngine(mode: ProxyMode, options: Options): Promise<void> {
  const ruleset = changeScene(options, mode);
  const begin = performance.now();
  const engine = await Engine.load(ruleset);
  const loaded = performance.now() - begin;
  const { toggle, worst } = changesOf(ruleset, 1);
  const [first, warm, drawn, wide] = [new Timings(), new Timings(), new Timings(), new Timings()];
  for (let count = 0; count < 6; count++) first.time(engine, toggle());
  for (let count = 0; count < options.changes / 10; count++) warm.time(engine, toggle());
  for (let count = 0; count < options.changes; count++) drawn.time(engine, toggle());
  for (let count = 0; count < WORST_TIMES; count++) for (const one of worst) wide.time(engine, one);
  const { services, endpoints, routes } = options;
  printHead(
    `${mode}: ${services} Services with ${endpoints} endpoints each, ${routes} routes; loaded in ${loaded.toFixed(0)} ms`,
    "µs of engine.apply",
  );
  first.print(" the first changes, which index what they touch");
  drawn.print(" changes drawn alike often");
  wide.print(" the worst");
}

await new Command("changes")
  .description("time Compilation.apply and engine.apply, one change at a time")
  .option("--services <n>", "Services of the cluster", parseCount, 50_000)
  .option("--endpoints <n>", "endpoints of each", parseCount, 5)
  .option("--routes <n>", "routes to the world", parseCount, 1_000_000)
  .option("--changes <n>", "changes, each made and taken back", parseCount, 20_000)
  .option("--mode <mode>", `only one of ${PROXY_MODES.join(", ")}`)
  .action(async (options: Options) => {
    for (const mode of PROXY_MODES)
      if (options.mode === undefined || options.mode === mode) {
        measureCompilation(mode, options);
        await measureEngine(mode, options);
      }
  })
  .parseAsync();
