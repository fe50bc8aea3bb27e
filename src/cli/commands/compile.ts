import { Command, Option } from "commander";
import { type Cluster, compile, Engine, type ProxyMode, printRuleset, type Ruleset } from "../../index.js";
import { RULESET_FORMATS, type RulesetFormat } from "../../ruleset/ruleset.js";
import { DiagnosticPrinter } from "../diagnostic-printer.js";
import { UsageError } from "../errors.js";
import { addClusterOptions, type ClusterOptions, loadCluster } from "../options.js";
import { checkFolder, printToStdout, structured, writeWhole } from "../output.js";
import { addProxyOptions, type ProxyArguments, proxyOptionsOf } from "../proxy-options.js";
import { refuseTerminal, STDOUT } from "../stdout.js";
import { printSummary, type Summary, summarize } from "../summary.js";

const OWN_FORMATS = ["summary", "json", "yaml", "image"] as const;
const FORMATS: readonly Format[] = [...OWN_FORMATS, ...RULESET_FORMATS];

type Format = (typeof OWN_FORMATS)[number] | RulesetFormat;

interface CompileOptions extends ClusterOptions, ProxyArguments {
  readonly node?: string;
  readonly output: Format;
  readonly write?: string;
}

const EXAMPLES = `
Examples:
  # What the first node of the example cluster would hold
  packetyard compile

  # A node's rules as iptables-save prints them
  packetyard compile -f manifests/ --node worker-1 -o iptables-save

  # The same for IPv6, of a node that has it
  packetyard compile -f manifests/ --node worker-1 -o ip6tables-save

  # Its virtual servers as ipvsadm-save -n prints them
  packetyard compile -f manifests/ --mode ipvs -o ipvsadm-save
  packetyard compile -f manifests/ --mode ipvs --ipvs-scheduler mh -o ipvsadm-save

  # What kube-proxy sets of the kernel, as sysctl prints it
  packetyard compile -f manifests/ --mode ipvs -o sysctl

  # The same of a real cluster, with its kube-proxy's own configuration
  kubectl get -n kube-system configmap kube-proxy -o yaml > kube-proxy.yaml
  packetyard compile -f manifests/ --proxy-config kube-proxy.yaml --kubernetes-version 1.33 -o iptables-save

  # The image that the machine runs, for Engine.load
  packetyard compile -f manifests/ --mode nftables -o image --write worker-1.image
`;

/** Modes that have the listing, where not all have it. */
const LISTING_MODES: Readonly<Partial<Record<Format, readonly ProxyMode[]>>> = {
  "iptables-save": ["iptables", "ipvs"],
  "ip6tables-save": ["iptables", "ipvs"],
  "ipset-save": ["ipvs"],
  "ipvsadm-save": ["ipvs"],
  "ipvsadm-set": ["ipvs"],
  nft: ["nftables"],
};

function checkMode(mode: ProxyMode, output: Format): void {
  const modes = LISTING_MODES[output];
  if (modes === undefined || modes.includes(mode)) return;
  const flags = modes.map((one) => `--mode ${one}`).join(" or ");
  throw new UsageError(`-o ${output}: a node in mode ${mode} has no such listing; compile with ${flags}.`);
}

async function compileSummary(cluster: Cluster, ruleset: Ruleset, compileMs: number): Promise<Summary> {
  const start = performance.now();
  const engine = await Engine.load(ruleset);
  return summarize(cluster, engine, { compileMs, loadMs: performance.now() - start });
}

/** Whatever the format asks for, as text or octets. */
async function render(options: CompileOptions): Promise<string | Uint8Array> {
  const { node, output: format } = options;
  const proxyOptions = proxyOptionsOf(options);
  const cluster = loadCluster(options);
  const start = performance.now();
  const ruleset = compile(cluster, { ...proxyOptions, ...(node === undefined ? {} : { node }) });
  const compileMs = performance.now() - start;
  checkMode(ruleset.proxy, format);
  new DiagnosticPrinter().print(ruleset.diagnostics);
  if (format === "image") return (await Engine.load(ruleset)).save({ flows: false });
  if (format !== "summary" && format !== "json" && format !== "yaml") return printRuleset(ruleset, format);
  const summary = await compileSummary(cluster, ruleset, compileMs);
  if (format === "summary") return printSummary(summary);
  return structured({ apiVersion: "packetyard/v1", kind: "Compilation", ...summary }, format);
}

async function run(options: CompileOptions): Promise<void> {
  const { mode, output, write = STDOUT } = options;
  if (mode !== undefined) checkMode(mode, output);
  if (write !== STDOUT) checkFolder(write);
  else if (output === "image") refuseTerminal("an image");
  const data = await render(options);
  if (write === STDOUT) printToStdout(data);
  else writeWhole(write, data);
}

/** `packetyard compile`: what a node's kernel would hold, in the kernel tools' own words. */
export function compileCommand(): Command {
  const command = new Command("compile").description(
    "Compile a cluster for one of its nodes: what kube-proxy and the network plugin leave in its kernel.",
  );
  return addProxyOptions(addClusterOptions(command))
    .option("--node <name>", "node to compile for (default: the first)")
    .addOption(new Option("-o, --output <format>", "what to print").choices(FORMATS).default("summary"))
    .option("--write <file>", "write to a file instead of stdout; - is stdout")
    .addHelpText("after", EXAMPLES)
    .action(run);
}
