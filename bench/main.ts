import { writeFileSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { describeMachine } from "../src/cli/machine.js";
import { applyTopic } from "./apply.bench.js";
import { compileTopic } from "./compile.bench.js";
import { exactTopic } from "./exact.bench.js";
import { fib4Topic } from "./fib4.bench.js";
import { fib6Topic } from "./fib6.bench.js";
import { flowTopic } from "./flow.bench.js";
import { maglevTopic } from "./maglev.bench.js";
import { measureCase, type Result } from "./measure.js";
import { openingTopic } from "./opening.bench.js";
import { pipelineTopic } from "./pipeline.bench.js";
import { printHead, printResult } from "./print.js";
import { isBelow, printRatios, ratiosOf } from "./ratios.js";
import { rulesTopic } from "./rules.bench.js";
import type { Topic } from "./topic.js";
import { tunnelTopic } from "./tunnel.bench.js";

const TOPICS: readonly Topic[] = [
  fib4Topic,
  fib6Topic,
  exactTopic,
  flowTopic,
  maglevTopic,
  openingTopic,
  rulesTopic,
  tunnelTopic,
  pipelineTopic,
  compileTopic,
  applyTopic,
];

interface Options {
  readonly only?: string;
  readonly time: number;
  readonly json?: string;
}

function parseTime(text: string): number {
  const ms = Number(text);
  if (Number.isFinite(ms) && ms > 0) return ms;
  throw new InvalidArgumentError("It is a number of milliseconds.");
}

async function bench({ only = "", time, json }: Options): Promise<void> {
  const topics = TOPICS.filter(({ name }) => name.includes(only));
  if (topics.length === 0)
    throw new Error(`there is no topic «${only}»: name one of ${TOPICS.map(({ name }) => name).join(", ")}.`);
  const machine = describeMachine();
  process.stdout.write(printHead(machine));
  const results: Result[] = [];
  for (const topic of topics) {
    for await (const one of await topic.cases()) {
      const result = await measureCase(topic.name, one, time);
      results.push(result);
      process.stdout.write(printResult(result));
    }
  }
  const ratios = ratiosOf(results);
  process.stdout.write(printRatios(ratios));
  if (json === undefined) return;
  const numbers = { machine, results, ratios, below: ratios.filter(isBelow) };
  writeFileSync(json, `${JSON.stringify(numbers, undefined, 2)}\n`);
}

await new Command("bench")
  .description("time packetyard's parts beside plain TypeScript that does the same")
  .option("--only <topic>", "topics whose name holds this text")
  .option("--time <ms>", "milliseconds for each contender of a case", parseTime, 1000)
  .option("--json <file>", "write the numbers there too")
  .action((options: Options) => bench(options))
  .parseAsync()
  .catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
