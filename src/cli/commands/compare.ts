import { Command, InvalidArgumentError, Option } from "commander";
import {
  type Compared,
  type ComparePlan,
  type Comparing,
  comparedRows,
  compareModes,
} from "../../compare/compare.js";
import { assess, type CompileOptions, type ProxyMode } from "../../index.js";
import { printSchedulerTable } from "../../report/chooser-table.js";
import type { Comparison } from "../../report/comparison.js";
import { printComparisonReport } from "../../report/html.js";
import {
  type Emphasis,
  printComparisonCsv,
  printComparisonTable,
  type TableOptions,
} from "../../report/table.js";
import { SCHEDULERS, type Scheduler } from "../../ruleset/ipvs.js";
import { assessProgress } from "../assess-progress.js";
import { DiagnosticPrinter } from "../diagnostic-printer.js";
import { UsageError } from "../errors.js";
import { describeMachine } from "../machine.js";
import { addClusterOptions, integer, MODES } from "../options.js";
import { printNote, printStructured, printToStderr, printToStdout, writeWhole } from "../output.js";
import { paint } from "../paint.js";
import { addConfigOptions, proxyOptionsOf } from "../proxy-options.js";
import {
  type CompareArguments,
  checkSchedulers,
  DESTINATIONS,
  FORMATS,
  planOf,
  SIZES,
} from "./compare-plan.js";
import { ShownProgress } from "./compare-progress.js";
import { checkReportPlace } from "./compare-report.js";

const SIZE_MAX = 50_000;
const ENDPOINTS_MAX = 1000;
const DESTINATIONS_MAX = 10_000;
const ROUNDS = 5;
const REPORT = "packetyard-report.html";
/** Columns where there is no terminal that tells; -o csv has everything. */
const COLUMNS = 120;

const HELP = `
What is measured:
  Without -f and --services: the example cluster, synthetic clusters of ${SIZES.join(", ")} Services, and what each
  scheduler of IPVS costs among ${DESTINATIONS.join(", ")} destinations.
  -f alone: the cluster that it names. --services alone: synthetic clusters. Both: both. --destinations: schedulers, too.
  In each mode, on the first node with pods, the cost of a packet that opens a connection (destinations uniform
  over all Services; all to the first Service; all to the last) and of one whose connection is known. The clock
  stands around batches of 2,048 packets in memory; there is no network, and checksums of TCP and UDP are left to
  the network card, as nodes do. The modes take turns. Mpps is 1000 / the median of established packets.
  A scheduler's cost is that of a packet that opens a connection to one Service with so many endpoints, beside the other
  modes' to the same. It is told in tables, JSON and the HTML file; csv holds the rows of clusters alone.

The report is written where the output is a table, or wherever --report says.

Examples:
  packetyard compare
  packetyard compare -f shop.yaml
  packetyard compare -f manifests/ --nodes 5 --modes iptables,nftables --report shop.html
  packetyard compare -f manifests/ --proxy-config kube-proxy.yaml --kubernetes-version 1.33
  packetyard compare --ipvs-scheduler rr,wrr,sh,mh
  packetyard compare -f shop.yaml --destinations 10,100,1000,5000
  packetyard compare -f shop.yaml --assess --report shop.html
  packetyard compare --services 10,100,1000,10000,50000 --no-report
  packetyard compare --services 1000 --endpoints 20 -o json > comparison.json
  kubectl get nodes,pods,services,endpointslices -A -o yaml | packetyard compare -f -
`;

function sizesUpTo(max: number): (text: string) => readonly number[] {
  const parse = integer(1, max);
  return (text) => {
    try {
      return text.split(",").map((size) => parse(size.trim()));
    } catch {
      throw new InvalidArgumentError(`They are whole numbers from 1 to ${max} with commas between.`);
    }
  };
}

function parseModes(text: string): readonly ProxyMode[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !MODES.some((mode) => mode === name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`There is no mode «${unknown}»: the modes are ${MODES.join(", ")}.`);
  return MODES.filter((mode) => names.includes(mode));
}

function parseSchedulers(text: string): readonly Scheduler[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !SCHEDULERS.some((one) => one === name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`There is no scheduler «${unknown}»: there are ${SCHEDULERS.join(", ")}.`);
  return SCHEDULERS.filter((one) => names.includes(one));
}

/** `packetyard compare` */
export function compareCommand(): Command {
  const command = new Command("compare").description(
    "Measure what kube-proxy's modes cost, on your cluster or at growing sizes.",
  );
  return addConfigOptions(addClusterOptions(command))
    .option(
      "--services <numbers>",
      "sizes of synthetic clusters in Services, with commas between",
      sizesUpTo(SIZE_MAX),
    )
    .option(
      "--endpoints <number>",
      "endpoints of each Service of a synthetic cluster",
      integer(1, ENDPOINTS_MAX),
      4,
    )
    .option(
      "--destinations <numbers>",
      "among how many each scheduler of IPVS is measured, with commas between",
      sizesUpTo(DESTINATIONS_MAX),
    )
    .addOption(
      new Option("--modes <modes>", "modes to compare, with commas between")
        .argParser(parseModes)
        .default(MODES, MODES.join(",")),
    )
    .addOption(
      new Option(
        "--ipvs-scheduler <names>",
        "mode ipvs is measured with each of these, with commas between (default: kube-proxy's configuration's, or rr)",
      ).argParser(parseSchedulers),
    )
    .option("--seed <number>", "of all that is random: destinations, endpoints", integer(0, 2 ** 32 - 1), 1)
    .option("--rounds <number>", "how often every mode has its turn", integer(1, 1000), ROUNDS)
    .option("--report <file>", `HTML file to write (default: ${REPORT}, for tables)`)
    .option("--no-report", "write no HTML file")
    .option("--assess", "the HTML file tells too what leaving IPVS for nftables changes (packetyard assess)")
    .addOption(new Option("-o, --output <format>", "what to print").choices(FORMATS).default("table"))
    .addHelpText("after", HELP)
    .action((options: CompareArguments) => compare(options));
}

async function compare(options: CompareArguments): Promise<void> {
  const report = reportFile(options);
  checkAssess(options, report);
  const { ipvsScheduler: schedulers, ...others } = options;
  const proxy = proxyOptionsOf(others);
  checkSchedulers(options, report);
  const plan = planOf(options, report);
  const { modes, seed, rounds } = options;
  const shown = new ShownProgress(rounds);
  const comparing = await compareModes(plan, {
    modes,
    ...(schedulers === undefined ? {} : { ipvsSchedulers: schedulers }),
    proxy,
    seed,
    rounds,
    onProgress: (step) => shown.show(step),
  }).finally(() => shown.stop());
  sayNotes(comparing.compared);
  const comparison = comparisonOf(comparing, seed);
  print(comparison, options.output);
  if (report === undefined) return;
  const assessment = await assessmentOf(plan, options, proxy);
  writeWhole(report, printComparisonReport(comparison, assessment));
  printToStderr(`report written to ${report}\n`);
}

/** Where the report goes; a place that cannot be is refused before anything is measured. */
function reportFile({ report, output }: CompareArguments): string | undefined {
  const file = report ?? (output === "table" ? REPORT : false);
  if (file === false) return undefined;
  checkReportPlace(file);
  return file;
}

/** UsageError where there is no page, or no cluster, to tell it of. */
function checkAssess({ assess: isAsked, filename }: CompareArguments, report: string | undefined): void {
  if (isAsked === true && (report === undefined || filename.length === 0))
    throw new UsageError("--assess tells of a cluster in the HTML file: give -f, and --report.");
}

async function assessmentOf({ clusters }: ComparePlan, options: CompareArguments, proxy: CompileOptions) {
  const [first] = clusters;
  if (options.assess !== true || first === undefined) return {};
  const { onAsked, stop } = assessProgress(first.cluster.nodes.map(({ name }) => name));
  const { assessment } = await assess(first.cluster, { proxy, onAsked }).finally(stop);
  return { assessment };
}

function comparisonOf({ compared, schedulers }: Comparing, seed: number): Comparison {
  return {
    apiVersion: "packetyard/v1",
    kind: "Comparison",
    machine: describeMachine(),
    seed,
    measuredAt: new Date().toISOString(),
    input: compared[0]?.input ?? { kind: "synthetic", name: "" },
    rows: comparedRows(compared),
    schedulers,
  };
}

function print(comparison: Comparison, format: CompareArguments["output"]): void {
  if (format === "json") printStructured(comparison, "json");
  else if (format === "csv") printToStdout(printComparisonCsv(comparison));
  else printToStdout(tablesOf(comparison, tableOptions()));
}

function tablesOf(comparison: Comparison, options: TableOptions): string {
  const schedulers = printSchedulerTable(comparison.schedulers ?? [], options);
  return `${printComparisonTable(comparison, options)}${schedulers === "" ? "" : `\n${schedulers}`}`;
}

function tableOptions(): TableOptions {
  const { columns = COLUMNS } = process.stdout;
  const emphasise = (text: string, emphasis: Emphasis) => paint(emphasis === "best" ? "green" : "bold", text);
  return { paint: emphasise, width: columns };
}

/** What a user's cluster holds that was not measured. */
function sayNotes(compared: readonly Compared[]): void {
  const printer = new DiagnosticPrinter();
  for (const { input, diagnostics, silent, node } of compared) {
    if (input.kind !== "cluster") continue;
    printer.print(diagnostics);
    if (silent.length === 0) continue;
    const names = silent.slice(0, 5).map(({ name }) => name);
    const more = silent.length > names.length ? ` and ${silent.length - names.length} more` : "";
    printNote(
      `${input.name}: no packets for ${names.join(", ")}${more}: no endpoint answers to pods of ${node}.`,
    );
  }
}
