import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { MissingExport } from "./native/kernel.js";
import { NO_IO, printReport } from "./native/print.js";
import { measureCase, type RoundOptions } from "./native/rounds.js";
import { type MissingRow, type Row, rowsOf } from "./native/rows.js";
import type { Scenario } from "./native/scenario.js";
import { scenariosOf } from "./native/scenarios.js";
import { findFullTable } from "./native/shared-table.js";
import { Side } from "./native/side.js";
import {
  buildHarness,
  describeLoad,
  describeNative,
  findToolchain,
  harnessCommand,
  NotInstalled,
  pinned,
} from "./native/toolchain.js";

interface Options extends RoundOptions {
  readonly only?: string;
  readonly json?: string;
  readonly core: number;
  readonly all?: boolean;
}

const FULL_TABLE = "the full Internet table";
const OURS = fileURLToPath(new URL("./native/ours.js", import.meta.url));

/** Both sides of one scenario, started afresh on one core. */
async function start(harness: string, core: number): Promise<{ ours: Side; native: Side; dpdk: string }> {
  const native = new Side("the native harness", harnessCommand(harness, core));
  const ours = new Side("packetyard", [...pinned(core), process.execPath, OURS]);
  try {
    const dpdk = await native.greeting();
    await ours.greeting();
    return { ours, native, dpdk };
  } catch (error) {
    native.end();
    ours.end();
    throw error;
  }
}

class Run {
  readonly rows: Row[] = [];
  readonly missing: MissingRow[] = [];
  dpdk = "";

  constructor(
    readonly harness: string,
    readonly folder: string,
    readonly options: Options,
  ) {}

  async play(scenario: Scenario): Promise<void> {
    const folder = join(this.folder, scenario.name);
    mkdirSync(folder);
    process.stderr.write(`${scenario.name} … `);
    scenario.write(folder);
    const sides = await start(this.harness, this.options.core);
    this.dpdk = sides.dpdk;
    try {
      // Our side first: it numbers the connections that the hash then holds.
      await sides.ours.ask("open", scenario.subject, folder);
      await sides.native.ask("open", scenario.subject, folder);
      for (const one of scenario.cases) {
        const { ours, peers } = await measureCase(one, folder, sides, this.options);
        this.rows.push(...rowsOf(one, ours, peers));
        if (this.options.all)
          this.#tell(`${one.work}, ${one.keys}`, [{ name: "packetyard", ns: ours }, ...peers]);
      }
      process.stderr.write("done\n");
    } catch (error) {
      if (!(error instanceof MissingExport)) throw error;
      process.stderr.write("not there yet\n");
      this.missing.push(...scenario.cases.map(({ work, keys }) => ({ work, keys, lacks: error.missing })));
    } finally {
      sides.ours.end();
      sides.native.end();
      rmSync(folder, { recursive: true, force: true });
    }
  }

  #tell(title: string, variants: readonly { readonly name: string; readonly ns: readonly number[] }[]): void {
    const lines = variants.map(({ name, ns }) => `  ${name}: ${ns.map((one) => one.toFixed(2)).join(" ")}\n`);
    process.stderr.write(`\n${title}\n${lines.join("")}`);
  }
}

async function compare(options: Options): Promise<void> {
  findToolchain();
  const { only = "", json } = options;
  // Now, not when all is measured.
  if (json !== undefined) writeFileSync(json, "");
  const full = findFullTable(process.env.PACKETYARD_SHARED ?? "../shared");
  const scenarios = scenariosOf(full).filter(({ name }) => name.includes(only));
  if (scenarios.length === 0) {
    const names = scenariosOf(full).map(({ name }) => name);
    const more = full === undefined ? `, or set PACKETYARD_SHARED for those over ${FULL_TABLE}` : "";
    throw new Error(`There is nothing named «${only}» to measure: name one of ${names.join(", ")}${more}.`);
  }
  const skipped = [
    ...describeLoad(),
    ...(full === undefined
      ? [`Rows over ${FULL_TABLE} are skipped: PACKETYARD_SHARED names no folder that has it.`]
      : []),
  ];
  const folder = mkdtempSync(join(tmpdir(), "packetyard-native-"));
  const run = new Run(buildHarness(process.cwd()), folder, options);
  process.stderr.write(`${NO_IO}\n`);
  try {
    for (const scenario of scenarios) await run.play(scenario);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const report = { machine: describeNative(run.dpdk), rows: run.rows, missing: run.missing, skipped };
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`);
  process.stdout.write(printReport(report));
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("It is a whole number, 1 or more.");
}

function parseCore(text: string): number {
  const [core, last] = [Number(text), availableParallelism() - 1];
  if (text !== "" && Number.isInteger(core) && core >= 0 && core <= last) return core;
  throw new InvalidArgumentError(`This machine's cores are 0 to ${last}.`);
}

await new Command("bench:native")
  .description("time packetyard beside DPDK and plain C, in turn on one core, in memory alone (no I/O)")
  .option("--only <name>", "scenarios whose name holds this text")
  .option("--rounds <count>", "how often each side has its turn", parseCount, 9)
  .option("--turn <ms>", "milliseconds of a turn", parseCount, 40)
  .option("--core <number>", "the core that both run on", parseCore, availableParallelism() - 1)
  .option("--all", "tell every native variant's time in every round")
  .option("--json <file>", "write the numbers there too")
  .action((options: Options) => compare(options))
  .parseAsync()
  .catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error instanceof NotInstalled ? 2 : 1;
  });
