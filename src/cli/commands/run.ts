import { Command, Option } from "commander";
import { type Engine, InputError, type Ruleset } from "../../index.js";
import { type Capture, LINK_TYPE_ETHERNET, linkTypeName, parsePcap, writePcap } from "../../io/pcap.js";
import { DiagnosticPrinter } from "../diagnostic-printer.js";
import { addDumpOptions, loadEngine } from "../dump.js";
import { UsageError } from "../errors.js";
import { packetFatesAsData, printPacketFates, printTable } from "../fates.js";
import { checkStdin, readOctets, STDIN } from "../input.js";
import { checkInterface, interfaceName } from "../interface.js";
import { findNode, type NodeOptions } from "../node.js";
import { addClusterOptions, seedOption } from "../options.js";
import { checkFolder, isSameFile, printToStderr, printToStdout, structured, writeWhole } from "../output.js";
import { addProxyOptions } from "../proxy-options.js";
import { clockOf, type Replay, replay } from "../replay.js";
import { checkList, type List, listAsData, listOption, printList } from "../servers.js";
import { refuseTerminal, STDOUT } from "../stdout.js";

interface RunOptions extends NodeOptions {
  readonly pcap: string;
  readonly write?: string;
  readonly answers?: boolean;
  readonly seed: number;
  readonly packets?: boolean;
  readonly list?: List;
  readonly output: "table" | "wide" | "json" | "yaml";
}

const EXAMPLES = `
Examples:
  # What would node worker-1 do with these packets?
  packetyard run -f cluster.yaml --node worker-1 --pcap in.pcap

  # And as they leave it, to look at with tcpdump or Wireshark
  packetyard run -f cluster.yaml --node worker-1 --pcap in.pcap --write out.pcap

  # With the ICMP errors that the node sends about those that do not leave it
  packetyard run -f cluster.yaml --node worker-1 --pcap in.pcap --write out.pcap --answers

  # What became of each packet, and why
  packetyard run -f cluster.yaml --node worker-1 --pcap in.pcap -o wide

  # Through a node of which its own tools tell
  packetyard run --iptables-save rules --ip-addr addr --ip-route route --pcap in.pcap -o wide

  # Through an IPVS director without a cluster, and what it counted
  ipvsadm-save -n | packetyard run --ipvsadm-save - --pcap in.pcap --list

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

function asData(
  options: RunOptions,
  { node, proxy: mode }: Ruleset,
  packets: number,
  { fates, left, answers, each }: Replay,
  listed: Readonly<Record<string, unknown>>,
): unknown {
  const { pcap, write } = options;
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
    ...(options.packets === true ? { perPacket: packetFatesAsData(each) } : {}),
    ...(write === undefined ? {} : { written: { file: write, packets: left.length, answers } }),
    ...listed,
  };
}

/** What cannot be asked for together, and what could not be written in the end, before anything is done. */
function checkOptions({ pcap, filename, iptablesSave, proxyConfig, ...options }: RunOptions): void {
  const { write, answers, packets, output } = options;
  checkStdin({
    "-f": filename,
    "--iptables-save": iptablesSave,
    "--ipvsadm-save": options.ipvsadmSave,
    "--proxy-config": proxyConfig,
    "--pcap": pcap,
  });
  if (packets === true && (output === "table" || output === "wide")) {
    throw new UsageError("--packets goes with -o json or yaml; -o wide prints a line for every packet.");
  }
  if (answers === true && write === undefined)
    throw new UsageError("--answers goes with --write, which says where they are written to.");
  if (write === STDOUT) refuseTerminal("a capture");
  else if (write !== undefined) checkFolder(write);
  if (write !== undefined && write !== STDOUT && isSameFile(write, pcap))
    throw new UsageError("--write names the capture that is read: write to another file.");
}

/** Where stdout takes the capture, all else goes to stderr. */
function writeLeft(
  write: string,
  { nanosecond, packets }: Capture,
  { left, answers, fragments }: Replay,
): void {
  const octets = writePcap({ packets: left, nanosecond });
  if (write === STDOUT) printToStdout(octets);
  else writeWhole(write, octets);
  const name = write === STDOUT ? "stdout" : write;
  const more = answers === 0 ? "" : ` and ${answers} ${answers === 1 ? "answer" : "answers"}`;
  const count = left.length - answers - fragments;
  const frames = fragments === 0 ? "" : ` in ${left.length - answers} frames`;
  printToStderr(`wrote ${count} of ${packets.length} packets${frames}${more} to ${name}\n`);
}

function render(options: RunOptions, engine: Engine, { packets }: Capture, result: Replay): string {
  const { output, list } = options;
  const now = clockOf(packets).at(-1) ?? 0;
  if (output !== "table" && output !== "wide") {
    const listed = list === undefined ? {} : listAsData(engine, now);
    return structured(asData(options, engine.ruleset, packets.length, result, listed), output);
  }
  const table = output === "table" ? printTable(result.fates, packets.length) : printPacketFates(result.each);
  return list === undefined ? table : `${table}\n${printList(engine, list, now)}`;
}

async function run(options: RunOptions): Promise<void> {
  checkOptions(options);
  const { pcap, write, seed, in: inName } = options;
  const node = findNode(options);
  const { ruleset } = node;
  checkInterface(ruleset, inName);
  checkList(options.list, ruleset.proxy);
  const capture = readCapture(pcap);
  new DiagnosticPrinter().print(ruleset.diagnostics);
  const engine = await loadEngine(node, { seed });
  const result = replay(engine, capture.packets, {
    keep: write !== undefined,
    answer: options.answers === true,
    each: options.output === "wide" || options.packets === true,
    ...(inName === undefined ? {} : { in: inName }),
  });
  if (write !== undefined) writeLeft(write, capture, result);
  const text = render(options, engine, capture, result);
  if (write === STDOUT) printToStderr(text);
  else printToStdout(text);
}

/** `packetyard run`: a capture through a node. */
export function runCommand(): Command {
  const command = new Command("run").description(
    "Run every packet of a capture through a node: a table of verdicts, and the packets as they leave.",
  );
  return addProxyOptions(addDumpOptions(addClusterOptions(command)))
    .requiredOption("--pcap <file>", "capture to run, pcap or pcapng, of Ethernet; - for stdin")
    .option("--write <file>", "write the packets that leave the node to a pcap file; - for stdout")
    .option("--answers", "with --write: ICMP errors and TCP resets that the node sends, too")
    .option("--node <name>", "node to run them through (default: the first)")
    .option(
      "--in <interface>",
      "interface that they come in by (default: the one each packet's source is routed by)",
      interfaceName,
    )
    .addOption(seedOption())
    .addOption(
      new Option("-o, --output <format>", "how to print; wide: a line for every packet")
        .choices(["table", "wide", "json", "yaml"])
        .default("table"),
    )
    .addOption(listOption())
    .option("--packets", "with -o json or yaml: every packet's fate too, as perPacket")
    .addHelpText("after", EXAMPLES)
    .action(run);
}
