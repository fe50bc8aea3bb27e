import { Command, Option } from "commander";
import { compile, Engine, InputError, type ProxyMode, type Ruleset } from "../../index.js";
import { type Capture, LINK_TYPE_ETHERNET, linkTypeName, parsePcap, writePcap } from "../../io/pcap.js";
import { reasonWords } from "../../trace/reasons.js";
import { UsageError } from "../errors.js";
import { readOctets, STDIN } from "../input.js";
import { addClusterOptions, type ClusterOptions, loadCluster, modeOption } from "../options.js";
import { DiagnosticPrinter, printToStderr, printToStdout, structured, writeWhole } from "../output.js";
import { type Fate, type Replay, replay } from "../replay.js";

interface RunOptions extends ClusterOptions {
  readonly node?: string;
  readonly mode: ProxyMode;
  readonly pcap: string;
  readonly write?: string;
  readonly in?: string;
  readonly output: "table" | "json" | "yaml";
}

const EXAMPLES = `
Examples:
  # What would node worker-1 do with these packets?
  packetyard run -f cluster.yaml --node worker-1 --pcap in.pcap

  # And as they leave it, to look at with tcpdump or Wireshark
  packetyard run -f cluster.yaml --node worker-1 --pcap in.pcap --write out.pcap

  # Captured on the uplink, kube-proxy in mode nftables
  tcpdump -i eth0 -w - | packetyard run -f cluster.yaml --mode nftables --in eth0 --pcap - -o json
`;

function refuse(file: string, message: string): InputError {
  return new InputError([{ severity: "error", place: { file }, message }]);
}

/** The whole capture. InputError for what is no capture, is cut, or is not of Ethernet. */
function readCapture(path: string): Capture {
  const file = path === STDIN ? "stdin" : path;
  const capture = parsePcap(readOctets(path), file);
  if (capture.linkType === LINK_TYPE_ETHERNET) return capture;
  const message = `has packets of link type ${linkTypeName(capture.linkType)}; only ETHERNET (1) is run: capture on an Ethernet interface.`;
  throw refuse(file, message);
}

function checkInterface({ node, interfaces }: Ruleset, name: string | undefined): void {
  if (name === undefined || interfaces.some((one) => one.name === name)) return;
  const names = interfaces.map((one) => one.name).join(", ");
  const message = `--in ${name}: the node has no such interface; it has ${names}.`;
  throw new InputError([{ severity: "error", place: { object: `Node ${node}` }, message }]);
}

function printTable(fates: readonly Fate[], total: number): string {
  const rows = [
    ["VERDICT", "PACKETS", "REASON"],
    ...fates.map(({ verdict, reason, packets }) => [
      verdict.toLowerCase(),
      String(packets),
      reasonWords(reason),
    ]),
    ["total", String(total), ""],
  ] as const;
  const width = Math.max(...rows.map(([, packets = ""]) => packets.length));
  return rows
    .map(([verdict = "", packets = "", reason = ""]) =>
      `${verdict.padEnd(8)}  ${packets.padStart(width)}  ${reason}`.trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

function asData(options: RunOptions, node: string, packets: number, { fates, forwarded }: Replay): unknown {
  const { mode, pcap, write } = options;
  return {
    apiVersion: "packetyard/v1",
    kind: "Run",
    node,
    mode,
    pcap,
    packets,
    verdicts: fates.map(({ verdict, reason, packets: count }) => ({
      verdict,
      reason: reason === "NONE" ? null : reason,
      packets: count,
    })),
    ...(write === undefined ? {} : { written: { file: write, packets: forwarded.length } }),
  };
}

async function run(options: RunOptions): Promise<void> {
  const { node, mode, pcap, write, in: inName } = options;
  if (pcap === STDIN && options.filename.includes(STDIN)) {
    throw new UsageError("-f - and --pcap - both ask for stdin: give one of them as a file.");
  }
  const cluster = loadCluster(options);
  const ruleset = compile(cluster, { proxy: mode, ...(node === undefined ? {} : { node }) });
  checkInterface(ruleset, inName);
  const capture = readCapture(pcap);
  new DiagnosticPrinter().print(ruleset.diagnostics);
  const engine = await Engine.load(ruleset);
  const { packets } = capture;
  const keep = write !== undefined;
  const result = replay(engine, packets, { keep, ...(inName === undefined ? {} : { in: inName }) });
  if (write !== undefined) {
    writeWhole(write, writePcap({ packets: result.forwarded, nanosecond: capture.nanosecond }));
    printToStderr(`wrote ${result.forwarded.length} of ${packets.length} packets to ${write}\n`);
  }
  printToStdout(
    options.output === "table"
      ? printTable(result.fates, packets.length)
      : structured(asData(options, ruleset.node, packets.length, result), options.output),
  );
}

/** `packetyard run`: a capture through a node. */
export function runCommand(): Command {
  const command = new Command("run").description(
    "Run every packet of a capture through a node: a table of verdicts, and the packets as they leave.",
  );
  return addClusterOptions(command)
    .requiredOption("--pcap <file>", "capture to run, pcap or pcapng, of Ethernet; - for stdin")
    .option("--write <file>", "write the packets that leave the node to a pcap file")
    .option("--node <name>", "node to run them through (default: the first)")
    .addOption(modeOption())
    .option(
      "--in <interface>",
      "interface that they come in by (default: the one each packet's source is routed by)",
    )
    .addOption(
      new Option("-o, --output <format>", "how to print").choices(["table", "json", "yaml"]).default("table"),
    )
    .addHelpText("after", EXAMPLES)
    .action(run);
}
