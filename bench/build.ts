import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError, Option } from "commander";
import { describeMachine } from "../src/cli/machine.js";
import { compile } from "../src/compile.js";
import { Engine } from "../src/engine/engine.js";
import { syntheticCluster } from "../src/model/synthetic.js";
import { median, spreadOf } from "../src/report/statistics.js";
import { PROXY_MODES, type ProxyMode } from "../src/ruleset/ruleset.js";

/**
 * How long a large cluster takes to be compiled for a node, and that to be loaded: in fresh processes, as whoever
 * starts a command waits for it, and once more in each, when the host has compiled and grown what it needs.
 */

interface Options {
  readonly services: number;
  readonly endpoints: number;
  readonly nodes: number;
  readonly rounds: number;
  readonly mode?: ProxyMode;
}

/** Milliseconds. */
interface Times {
  readonly compiled: number;
  readonly loaded: number;
}

const PASSES = ["at first", "again"] as const;

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("It is a whole number, 1 or more.");
}

/** In a process of its own: times every pass and tells the parent. */
async function measure(options: Options, proxy: ProxyMode): Promise<void> {
  const cluster = syntheticCluster({ ...options, seed: 1 });
  const times: Times[] = [];
  for (const _ of PASSES) {
    const begin = performance.now();
    const ruleset = compile(cluster, { proxy });
    const compiled = performance.now();
    await Engine.load(ruleset);
    times.push({ compiled: compiled - begin, loaded: performance.now() - compiled });
  }
  process.send?.(times);
}

function inFreshProcess(mode: ProxyMode): Promise<readonly Times[]> {
  return new Promise((resolve, reject) => {
    const args = [...process.argv.slice(2), "--mode", mode];
    const child = fork(fileURLToPath(import.meta.url), args, { env: { ...process.env, [CHILD]: mode } });
    child.once("message", (times) => resolve(times as readonly Times[]));
    child.once("exit", (code) => reject(new Error(`the process that measures ${mode} ended with ${code}.`)));
  });
}

function printTimes(times: readonly number[]): string {
  const [low, high] = spreadOf(times);
  return `${median(times).toFixed(0)} (${low.toFixed(0)} – ${high.toFixed(0)})`.padStart(22);
}

/** A line a pass: what each part took in all rounds. */
function printRounds(mode: ProxyMode, rounds: readonly (readonly Times[])[]): string {
  const lines = PASSES.map((pass, index) => {
    const times = rounds.map((round) => round[index] as Times);
    const columns = [
      times.map(({ compiled }) => compiled),
      times.map(({ loaded }) => loaded),
      times.map(({ compiled, loaded }) => compiled + loaded),
    ];
    return `${`${mode}, ${pass}`.padEnd(20)}${columns.map(printTimes).join("")}\n`;
  });
  return lines.join("");
}

async function measureAll(options: Options): Promise<void> {
  const { services, endpoints, nodes, rounds, mode } = options;
  const { cpu, node } = describeMachine();
  process.stdout.write(
    `${services} Services with ${endpoints} endpoints each, ${nodes} Nodes; Node ${node}, ${cpu}\n` +
      `${"ms, median (range)".padEnd(20)}${["compile", "load", "both"].map((name) => name.padStart(22)).join("")}\n`,
  );
  for (const one of PROXY_MODES) {
    if (mode !== undefined && mode !== one) continue;
    const all: (readonly Times[])[] = [];
    for (let round = 0; round < rounds; round++) all.push(await inFreshProcess(one));
    process.stdout.write(printRounds(one, all));
  }
}

/** Names the mode that a process of its own is to measure. */
const CHILD = "PACKETYARD_BENCH_BUILD";

await new Command("bench:build")
  .description("time compile and Engine.load of a large cluster")
  .option("--services <n>", "Services of the cluster", parseCount, 5000)
  .option("--endpoints <n>", "endpoints of each", parseCount, 50)
  .option("--nodes <n>", "Nodes that they are dealt over", parseCount, 3)
  .option("--rounds <n>", "fresh processes a mode", parseCount, 5)
  .addOption(new Option("--mode <mode>", "only one").choices(PROXY_MODES))
  .action((options: Options) => {
    const mode = process.env[CHILD] as ProxyMode | undefined;
    return mode === undefined ? measureAll(options) : measure(options, mode);
  })
  .parseAsync();
