import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError, Option } from "commander";
import { askDirector, printVerdict, type Verdict } from "../ipvs/asking.js";
import { machineSide } from "../ipvs/machine-side.js";
import { BROKEN_RULES, type BrokenRule } from "./broken-rule.js";
import { expectKernel, expectUml, NotHere } from "./shell.js";
import { holdTrial, MODES, type Mode, type Trial } from "./trial.js";
import { runInUml } from "./user-mode-linux.js";
import { faultsOf, printDifferences, printReasons, printTable } from "./verdict.js";

/** Asks the Linux kernel: loads the printed rules, sends packets, and compares with what the machine says. */

interface Options {
  readonly mode: readonly string[];
  readonly family: keyof typeof FAMILIES;
  readonly packets: number;
  readonly connections: number;
  readonly scenario?: number;
  readonly seed: number;
  readonly break?: BrokenRule;
  readonly trust?: boolean;
  readonly here?: boolean;
  readonly examples: number;
  readonly json?: boolean;
}

/** What a run comes to. */
interface Result {
  readonly trials: readonly Trial[];
  readonly director?: Verdict;
  /** What was not as it should be, a sentence each. */
  readonly faults: readonly string[];
}

const FAMILIES = { "4": [4], "6": [6], both: [4, 6] } as const;

/** Packets that suffice to meet a rule that is broken. */
const FEW = 2_500;
/** Beside the modes: virtual servers without a cluster. */
const DIRECTOR = "director";
const SKIPPED = 2;

const say = (line: string) => process.stderr.write(`${line}\n`);

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("It is a whole number, 1 or more.");
}

/** Kinds of differences in few packets. */
async function kindsOf(mode: Mode, options: Options, broken?: BrokenRule): Promise<readonly string[]> {
  const [families, seed] = [FAMILIES[options.family], options.seed];
  const setup = { mode, families, packets: FEW, seed, ...(broken === undefined ? {} : { broken }) };
  return (await holdTrial(setup, () => {})).groups.map(({ what }) => what);
}

/** A rule broken on purpose must be noticed, or the comparison proves nothing. */
async function overlooked(mode: Mode, options: Options): Promise<string[]> {
  const usual = new Set(await kindsOf(mode, options));
  const faults: string[] = [];
  for (const broken of BROKEN_RULES) {
    const found = (await kindsOf(mode, options, broken)).filter((what) => !usual.has(what));
    say(`${mode.name}: a broken ${broken} rule makes ${found.length} kinds of differences`);
    if (found.length === 0) faults.push(`${mode.name}: a broken ${broken} rule was not noticed.`);
  }
  return faults;
}

/** Asks this machine's kernel. */
async function askHere(mode: Mode, options: Options): Promise<Result> {
  const { packets, seed, break: broken, trust = false } = options;
  const families = FAMILIES[options.family];
  const trial = await holdTrial(
    { mode, families, packets, seed, ...(broken === undefined ? {} : { broken }) },
    say,
  );
  const unnoticed = broken === undefined && !trust ? await overlooked(mode, options) : [];
  return { trials: [trial], faults: [...faultsOf(trial), ...unnoticed] };
}

/** Asks user-mode Linux, where this same program runs. */
async function askUml(mode: Mode, options: Options): Promise<Result> {
  const { family, packets, seed, examples, break: broken, trust = false } = options;
  const numbers = ["--packets", packets, "--seed", seed, "--examples", examples].map(String);
  const flags = [...(broken === undefined ? [] : ["--break", broken]), ...(trust ? ["--trust"] : [])];
  const own = [
    process.execPath,
    fileURLToPath(import.meta.url),
    "--here",
    "--json",
    "--mode",
    mode.name,
    "--family",
    family,
  ];
  const { status, output } = await runInUml([...own, ...numbers, ...flags], say);
  if (output === "") throw new Error(`In user-mode Linux the program ended with status ${status}.`);
  return JSON.parse(output) as Result;
}

/** IPVS alone, connection by connection; nothing where user-mode Linux is not here, which is said. */
async function askAlone({ connections, seed, scenario }: Options): Promise<Verdict | undefined> {
  try {
    expectUml();
  } catch (error) {
    if (!(error instanceof NotHere)) throw error;
    say(`${DIRECTOR}: skipped: ${error.message}`);
    return undefined;
  }
  const one = scenario === undefined ? {} : { scenario };
  return askDirector({ connections, seed, ...one }, machineSide, say);
}

/** What a mode comes to; nothing where user-mode Linux would be needed and is not here, which is said. */
async function askMode(mode: Mode, options: Options): Promise<Result> {
  if (mode.inUml !== true || options.here === true) return askHere(mode, options);
  try {
    expectUml();
  } catch (error) {
    if (!(error instanceof NotHere)) throw error;
    say(`${mode.name}: skipped: ${error.message}`);
    return { trials: [], faults: [] };
  }
  return askUml(mode, options);
}

async function ask(options: Options): Promise<Result> {
  expectKernel();
  const results: Result[] = [];
  for (const mode of MODES.filter(({ name }) => options.mode.includes(name))) {
    results.push(await askMode(mode, options));
  }
  const director = options.mode.includes(DIRECTOR) ? await askAlone(options) : undefined;
  return {
    trials: results.flatMap(({ trials }) => trials),
    ...(director === undefined ? {} : { director }),
    faults: [...results.flatMap(({ faults }) => faults), ...(director?.faults ?? [])],
  };
}

function print({ trials, director, faults }: Result, { seed, examples, json = false }: Options): void {
  if (json) {
    const cut = trials.map((trial) => ({ ...trial, groups: trial.groups.slice(0, examples) }));
    console.log(JSON.stringify({ seed, trials: cut, director, faults }, undefined, 2));
    return;
  }
  for (const { groups } of trials) process.stdout.write(printDifferences(groups, examples));
  if (trials.length > 0) console.log(printTable(trials));
  process.stdout.write(printReasons(trials));
  if (director !== undefined) process.stdout.write(printVerdict(director, examples));
  for (const fault of faults) console.log(fault);
}

const names = [...MODES.map(({ name }) => name), DIRECTOR];
const command = new Command("test:kernel")
  .addOption(new Option("--mode <mode...>", "who is asked").choices(names).default(names))
  .addOption(new Option("--family <family>", "of the cluster").choices(Object.keys(FAMILIES)).default("both"))
  .option("--packets <count>", "packets a mode", parseCount, 100_000)
  .option("--connections <count>", "connections of IPVS alone (director)", parseCount, 5_000)
  .option("--scenario <number>", "only this one of those that IPVS alone is asked", parseCount)
  .option("--seed <seed>", "of all that is drawn", parseCount, 1)
  .addOption(
    new Option("--break <rule>", "loads a wrong rule, to see that it is noticed").choices(BROKEN_RULES),
  )
  .option("--trust", "does not ask whether broken rules are noticed")
  .option("--here", "asks this kernel, not user-mode Linux, in mode ipvs too")
  .option("--examples <count>", "kinds of differences to show", parseCount, 20)
  .option("--json", "prints the result as JSON");

// Ended this way too, what was made is taken away.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

command.action(async (options: Options) => {
  try {
    const result = await ask(options);
    print(result, options);
    process.exitCode = result.faults.length === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof NotHere)) throw error;
    console.error(`skipped: ${error.message}`);
    process.exitCode = SKIPPED;
  }
});
await command.parseAsync();
