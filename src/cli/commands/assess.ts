import { Command, Option } from "commander";
import { type AssessOptions, assess, type Cluster, TARGET_MODES, type TargetMode } from "../../index.js";
import { printAssessmentReport } from "../../report/assessment-section.js";
import { parseIpvs } from "../../ruleset/ipvs-save.js";
import { assessProgress } from "../assess-progress.js";
import { printAssessment } from "../assess-text.js";
import { DiagnosticPrinter } from "../diagnostic-printer.js";
import { UsageError } from "../errors.js";
import { checkStdin, readText } from "../input.js";
import { defaultNode } from "../node.js";
import { addClusterOptions, type ClusterOptions, loadCluster } from "../options.js";
import { printNote, printStructured, printToStderr, printToStdout, writeWhole } from "../output.js";
import { packageVersion } from "../package.js";
import {
  addConfigOptions,
  ipvsSchedulerOption,
  type ProxyArguments,
  proxyOptionsOf,
} from "../proxy-options.js";
import { columnsOf } from "../wrap.js";
import { checkReportPlace } from "./compare-report.js";

interface Options extends ClusterOptions, Omit<ProxyArguments, "mode"> {
  readonly ipvsadmSave?: string;
  readonly to: TargetMode;
  readonly node?: readonly string[];
  readonly report?: string;
  readonly output: "text" | "json" | "yaml";
}

const HELP = `
The cluster's nodes are taken to run kube-proxy in mode ipvs. They are asked about the same packets as they are and in the
other mode: first packets of connections, the next ones of connections that are open at the switch, and those of clients that
come again. What differs is told by what it is about, with the plainest packet and what either mode did with it, and of a
client that comes again with the connection that it had before. breaks: who was served is not any more.

Without --node all nodes are asked, with --ipvsadm-save the first. What is the same on all of them is told once, and else with the names of the nodes.

Exit codes: 0 when it could be assessed, whatever was found; 1 when the input is bad, 2 when the command line is.

Examples:
  # What changes when this cluster leaves IPVS for nftables?
  kubectl get nodes,pods,services,endpointslices -A -o yaml > cluster.yaml
  packetyard assess -f cluster.yaml

  # With the nodes' own configuration, and for iptables
  kubectl get -n kube-system configmap kube-proxy -o yaml > kube-proxy.yaml
  packetyard assess -f cluster.yaml --proxy-config kube-proxy.yaml --to iptables

  # With what one node's kernel really holds: schedulers, weights and virtual servers of others
  ssh worker-1 sudo ipvsadm-save -n > worker-1.ipvs
  packetyard assess -f cluster.yaml --node worker-1 --ipvsadm-save worker-1.ipvs

  # As a page, and for programs
  packetyard assess -f cluster.yaml --report leaving-ipvs.html -o json > leaving-ipvs.json
`;

/** The nodes that are asked for, or all; of a listing the one that it is of. UsageError for one that is not there. */
function nodesOf(
  cluster: Cluster,
  options: Options,
  proxy: NonNullable<AssessOptions["proxy"]>,
): readonly string[] {
  const { node: asked, ipvsadmSave, localAddress } = options;
  const there = cluster.nodes.map(({ name }) => name);
  const stranger = asked?.find((name) => !there.includes(name));
  if (stranger !== undefined)
    throw new UsageError(
      `--node ${stranger}: no such node is in the cluster; there are ${there.join(", ")}.`,
    );
  const [option] =
    Object.entries({ "--ipvsadm-save": ipvsadmSave, "--local-address": localAddress }).find(
      ([, value]) => value !== undefined,
    ) ?? [];
  if (option === undefined) return asked ?? there;
  if (asked !== undefined && asked.length > 1)
    throw new UsageError(`${option} is of one node: give one --node, which one.`);
  return asked ?? [defaultNode(cluster, proxy)];
}

function listingOf(path: string | undefined): Pick<AssessOptions, "listing"> {
  if (path === undefined) return {};
  const { file, text } = readText(path);
  return { listing: { file, ipvs: parseIpvs(text, file) } };
}

function checkInputs({ filename, proxyConfig, ipvsadmSave, report }: Options): void {
  checkStdin({ "-f": filename, "--proxy-config": proxyConfig, "--ipvsadm-save": ipvsadmSave });
  if (report !== undefined) checkReportPlace(report);
}

function noteMode(mode: string | undefined): void {
  if (mode === undefined || mode === "ipvs") return;
  printNote(`kube-proxy's configuration says mode ${mode}: its nodes are assessed as though it said ipvs.`);
}

async function run(options: Options): Promise<void> {
  checkInputs(options);
  const { to, ipvsadmSave, report, output } = options;
  const listing = listingOf(ipvsadmSave);
  const proxy = proxyOptionsOf(options);
  const cluster = loadCluster(options);
  noteMode((proxy.proxyConfig ?? cluster.proxyConfig)?.mode);
  const nodes = nodesOf(cluster, options, proxy);
  const { onAsked, stop } = assessProgress(nodes);
  const told = assess(cluster, { to, nodes, proxy, onAsked, ...listing }).finally(stop);
  const { assessment, diagnostics } = await told;
  new DiagnosticPrinter().print(diagnostics);
  if (output === "text") printToStdout(printAssessment(assessment, columnsOf(process.stdout)));
  else printStructured(assessment, output);
  if (report === undefined) return;
  writeWhole(report, printAssessmentReport(assessment, packageVersion()));
  printToStderr(`report written to ${report}\n`);
}

const collect = (value: string, before: readonly string[] = []) => [...before, value];

/** `packetyard assess`: what changes for a cluster's nodes on leaving IPVS. */
export function assessCommand(): Command {
  const command = new Command("assess").description(
    "What changes when a cluster's kube-proxy leaves mode ipvs for nftables or iptables.",
  );
  return addConfigOptions(addClusterOptions(command))
    .addOption(ipvsSchedulerOption())
    .option(
      "--ipvsadm-save <file>",
      "what the node's kernel holds (ipvsadm-save -n), instead of what its cluster gives it; - for stdin",
    )
    .addOption(new Option("--to <mode>", "what IPVS is left for").choices(TARGET_MODES).default("nftables"))
    .option("--node <name>", "node to ask; give it again for more (default: all)", collect)
    .option("--report <file>", "HTML file to write")
    .addOption(
      new Option("-o, --output <format>", "how to print").choices(["text", "json", "yaml"]).default("text"),
    )
    .addHelpText("after", HELP)
    .action(run);
}
