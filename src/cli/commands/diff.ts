import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { DifferenceGroups, diffNodes, InputError, KUBERNETES_VERSIONS } from "../../index.js";
import { SCHEDULERS } from "../../ruleset/ipvs.js";
import { DiagnosticPrinter } from "../diagnostic-printer.js";
import { type DiffArguments, nodesOf, type Subjects, subjectsOf } from "../diff-sides.js";
import { type DiffResult, diffAsData, printDiff } from "../diff-text.js";
import { addDumpOptions } from "../dump.js";
import { reportError } from "../errors.js";
import { addNetworkOptions, MODES } from "../options.js";
import { printStructured, printToStdout } from "../output.js";
import { progress } from "../progress.js";
import { addProxyOptions } from "../proxy-options.js";
import { columnsOf } from "../wrap.js";

interface DiffOptions extends DiffArguments {
  readonly allPackets?: boolean;
  readonly output: "text" | "json" | "yaml";
}

const HELP = `
A and B are clusters: a file, a folder with all below it, or - for stdin. Of one cluster two ways of running kube-proxy
are compared, or what it gives a node with what that node's own iptables-save printed. Without any it is the example cluster.

Exit codes: 0 when no flow differs, 1 when some do, 2 when they could not be compared.

Examples:
  # What does a change of manifests change?
  packetyard diff old.yaml new.yaml

  # What changes with kube-proxy's mode, its version, its configuration?
  packetyard diff cluster.yaml --modes iptables nftables
  packetyard diff cluster.yaml --mode nftables --kubernetes-versions 1.33 1.35
  packetyard diff cluster.yaml --mode ipvs --ipvs-schedulers rr sh
  packetyard diff cluster.yaml --proxy-configs old.conf new.conf

  # Does a node do what its cluster says?
  packetyard diff cluster.yaml --node worker-1 --iptables-save rules.txt

  # For a program, with every example packet's octets
  packetyard diff cluster.yaml --modes iptables ipvs --all-packets -o json
`;

const EXIT_DIFFERENT = 1;
const EXIT_TROUBLE = 2;
/** Packets between two looks at the clock. */
const STRIDE = 64;

/** Two values, each of those that are known. */
function pairOf(known: readonly string[]) {
  return (value: string, before: readonly string[] | undefined): readonly string[] => {
    if (!known.includes(value)) throw new InvalidArgumentError(`Allowed choices are ${known.join(", ")}.`);
    return [...(before ?? []), value];
  };
}

/** Rules of a dump that do not fit together are bad input: no kernel held them. */
function refused(error: unknown, { iptablesSave }: DiffArguments): unknown {
  if (iptablesSave === undefined || !(error instanceof TypeError)) return error;
  return new InputError([{ severity: "error", place: { file: iptablesSave }, message: error.message }]);
}

async function compareNodes([a, b]: Subjects, options: DiffOptions): Promise<DiffResult> {
  const nodes = nodesOf([a, b], options);
  const diagnostics = new DiagnosticPrinter();
  const bar = progress("nodes", nodes.length);
  const groups = new DifferenceGroups();
  let asked = 0;
  for (const node of nodes) {
    const sides = [a.at(node), b.at(node)] as const;
    for (const { cluster, ruleset } of sides)
      diagnostics.print([...(cluster?.diagnostics ?? []), ...ruleset.diagnostics]);
    const onAsked = () => {
      asked++;
      if (asked % STRIDE === 0) bar.tick(0, `node ${node}: ${asked} packets asked about`);
    };
    const { allPackets = false } = options;
    const families = b.families === undefined ? {} : { families: b.families };
    const found = await diffNodes(...sides, { allPackets, onAsked, ...families });
    for (const one of found) groups.add(one);
    bar.tick();
  }
  bar.stop();
  return { labels: [a.label, b.label], nodes, asked, groups: groups.all };
}

async function diff(a: string | undefined, b: string | undefined, options: DiffOptions): Promise<void> {
  try {
    const subjects = subjectsOf(
      [a, b].filter((path) => path !== undefined),
      options,
    );
    const result = await compareNodes(subjects, options);
    if (options.output === "text") printToStdout(printDiff(result, columnsOf(process.stdout)));
    else printStructured(diffAsData(result), options.output);
    process.exitCode = result.groups.length === 0 ? 0 : EXIT_DIFFERENT;
  } catch (error) {
    reportError(refused(error, options));
    process.exitCode = EXIT_TROUBLE;
  }
}

const collect = (value: string, before: readonly string[] = []) => [...before, value];

/** `packetyard diff`: which flows two clusters, or two ways of running one, treat differently. */
export function diffCommand(): Command {
  const command = new Command("diff").description(
    "Which flows change between two clusters, two modes of kube-proxy, or a cluster and a node's own rules.",
  );
  return addProxyOptions(addDumpOptions(addNetworkOptions(command), "as B"))
    .addArgument(new Argument("[a]", "a cluster: a file, a folder, or - (default: the example cluster)"))
    .addArgument(new Argument("[b]", "another one"))
    .addOption(
      new Option("--modes <modes...>", "kube-proxy's mode of A and of B: two names").argParser(pairOf(MODES)),
    )
    .addOption(
      new Option("--ipvs-schedulers <names...>", "what picks endpoints in A's and B's mode ipvs").argParser(
        pairOf(SCHEDULERS),
      ),
    )
    .addOption(
      new Option("--kubernetes-versions <versions...>", "whose kube-proxy A and B follow").argParser(
        pairOf(KUBERNETES_VERSIONS),
      ),
    )
    .option("--proxy-configs <files...>", "kube-proxy's configuration of A and of B", collect)
    .option("--node <name>", "node to ask; give it again for more (default: all that A and B have)", collect)
    .option("--all-packets", "packets out of state too: ACK, RST, FIN, SYN+ACK, ICMP errors, invalid ones")
    .addOption(
      new Option("-o, --output <format>", "how to print").choices(["text", "json", "yaml"]).default("text"),
    )
    .addHelpText("after", HELP)
    .action(diff);
}
