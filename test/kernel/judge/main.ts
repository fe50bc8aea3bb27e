import { release } from "node:os";
import { Command, InvalidArgumentError, Option } from "commander";
import { BROKEN_RULES, type BrokenRule } from "./broken-rule.js";
import { expectKernel, NotHere } from "./shell.js";
import { holdTrial, MODES, type Mode, type Trial } from "./trial.js";
import { faultsOf, printDifferences, printTable, rowOf } from "./verdict.js";

/** Asks the Linux kernel: loads the printed rules, sends packets, and compares with what the machine says. */

interface Options {
  readonly mode: readonly string[];
  readonly packets: number;
  readonly seed: number;
  readonly break?: BrokenRule;
  readonly trust?: boolean;
  readonly examples: number;
  readonly json?: boolean;
}

/** Packets that suffice to meet a rule that is broken. */
const FEW = 2_500;
const SKIPPED = 2;

const say = (line: string) => process.stderr.write(`${line}\n`);

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("It is a whole number, 1 or more.");
}

async function differing(mode: Mode, seed: number, broken?: BrokenRule): Promise<number> {
  const setup = { mode, packets: FEW, seed, ...(broken === undefined ? {} : { broken }) };
  return (await holdTrial(setup, () => {})).tally.differing;
}

/** A rule broken on purpose must be noticed, or the comparison proves nothing. */
async function overlooked(mode: Mode, seed: number): Promise<string[]> {
  const usual = await differing(mode, seed);
  const faults: string[] = [];
  for (const broken of BROKEN_RULES) {
    const found = await differing(mode, seed, broken);
    say(`${mode.name}: with a broken ${broken} rule ${found} packets differ`);
    if (found <= usual) faults.push(`${mode.name}: a broken ${broken} rule was not noticed.`);
  }
  return faults;
}

function print(trials: readonly Trial[], faults: readonly string[], options: Options): void {
  if (options.json === true) {
    const rows = trials.map((trial) => ({
      ...rowOf(trial),
      draws: trial.draws,
      groups: trial.tally.differences.slice(0, options.examples),
    }));
    console.log(
      JSON.stringify({ kernel: release(), seed: options.seed, trials: rows, faults }, undefined, 2),
    );
    return;
  }
  for (const { tally } of trials) process.stdout.write(printDifferences(tally.differences, options.examples));
  console.log(`Linux ${release()}, seed ${options.seed}\n\n${printTable(trials)}`);
  for (const fault of faults) console.log(fault);
}

async function main(options: Options): Promise<number> {
  expectKernel();
  const modes = MODES.filter(({ name }) => options.mode.includes(name));
  const trials: Trial[] = [];
  const faults: string[] = [];
  for (const mode of modes) {
    const { packets, seed } = options;
    const setup = { mode, packets, seed, ...(options.break === undefined ? {} : { broken: options.break }) };
    const trial = await holdTrial(setup, say);
    trials.push(trial);
    faults.push(...faultsOf(trial));
    if (options.break === undefined && options.trust !== true) faults.push(...(await overlooked(mode, seed)));
  }
  print(trials, faults, options);
  return faults.length === 0 ? 0 : 1;
}

const names = MODES.map(({ name }) => name);
const command = new Command("test:kernel")
  .addOption(new Option("--mode <mode...>", "who is asked").choices(names).default(names))
  .option("--packets <count>", "packets a mode", parseCount, 100_000)
  .option("--seed <seed>", "of all that is drawn", parseCount, 1)
  .addOption(
    new Option("--break <rule>", "loads a wrong rule, to see that it is noticed").choices(BROKEN_RULES),
  )
  .option("--trust", "does not ask whether broken rules are noticed")
  .option("--examples <count>", "kinds of differences to show", parseCount, 20)
  .option("--json", "prints the result as JSON");

// Ended this way too, what was made is taken away.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

command.action(async (options: Options) => {
  try {
    process.exitCode = await main(options);
  } catch (error) {
    if (!(error instanceof NotHere)) throw error;
    console.error(`skipped: ${error.message}`);
    process.exitCode = SKIPPED;
  }
});
await command.parseAsync();
