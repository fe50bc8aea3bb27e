import { Command, InvalidArgumentError, Option } from "commander";
import { compile, type Ruleset } from "../../index.js";
import { printIp } from "../../net/ip.js";
import { ownSource } from "../../ruleset/own-source.js";
import { printSteps } from "../../trace/steps.js";
import { DiagnosticPrinter } from "../diagnostic-printer.js";
import { addDumpOptions, type DumpOptions, namesDump } from "../dump.js";
import type { End } from "../ends.js";
import { UsageError } from "../errors.js";
import {
  firstPacket,
  PACKET_PROTOCOLS,
  type PacketProtocol,
  parseProtocol,
  SOURCE_PORT,
} from "../first-packet.js";
import { interfaceName } from "../interface.js";
import { follow, type Journey, type Leg } from "../journey.js";
import { defaultNode } from "../node.js";
import { addClusterOptions, type ClusterOptions, integer, loadCluster, seedOption } from "../options.js";
import { outcomeAsData, printOutcomes } from "../outcomes.js";
import { printStructured, printToStdout } from "../output.js";
import { type PacketArguments, packetEnds, parseMentions, protocolOf } from "../packet-ends.js";
import { paint } from "../paint.js";
import { addProxyOptions, type ProxyArguments, proxyOptionsOf } from "../proxy-options.js";
import { traceDump } from "./trace-dump.js";
import { traceFlows } from "./trace-flows.js";

interface TraceOptions extends ClusterOptions, DumpOptions, ProxyArguments, PacketArguments {
  readonly flows?: string;
  readonly seed?: number;
  readonly output: "text" | "json" | "yaml";
}

const HELP = `
NAMESPACE/ may be left out for the namespace default. PORT is a number or a declared port's name.

Examples:
  # A Pod of the example cluster calls a Service
  packetyard trace --from pod/shop/cart --to svc/shop/web:80

  # The same where kube-proxy runs in mode ipvs; the first Pod of the Deployment web
  packetyard trace --mode ipvs --from pod/shop/web --to svc/shop/catalog:http

  # A client outside calls a nodePort
  packetyard trace -f cluster.yaml --node worker-1 --from 198.51.100.7:40000 --to node/worker-1:30080

  # A node of which only the rules are known: which of them decides?
  iptables-save | packetyard trace --iptables-save - --from 198.51.100.7:40000 --to 192.0.2.1:22

  # The same with its network, not guessed
  ip -d addr > addr; ip route > route; iptables-save > rules
  packetyard trace --iptables-save rules --ip-addr addr --ip-route route --from 10.0.0.9:1 --to 10.96.0.10:53 --protocol udp

  # An IPVS director without a cluster: which real server does a client come to?
  ipvsadm-save -n | packetyard trace --ipvsadm-save - --from 198.51.100.7:40000 --to 192.0.2.10:80

  # From a running cluster, for a program
  kubectl get nodes,pods,services,endpointslices -A -o yaml > cluster.yaml
  packetyard trace -f cluster.yaml --from pod/shop/cart --to svc/shop/web:80 -o json

  # Many questions: what may become of the first packet of each connection, by the rules of one node?
  echo '{"from":"10.244.1.2","to":"10.96.1.1:80"}' > flows.jsonl
  echo '{"from":"198.51.100.7:40000","to":"172.18.0.3:30080","protocol":"UDP","iface":"eth0"}' >> flows.jsonl
  packetyard trace -f cluster.yaml --node worker-1 --flows flows.jsonl -o json

The lines of --flows have from (IP, or IP:port), to (IP:port; an IPv6 address in brackets), and may have protocol (TCP,
UDP, SCTP or ICMP, which has no ports) and iface, where it comes in: rules ask for names alone, so every name will do, but one
that neither the node nor a rule knows is warned of. Every connection is the only one, and every destination has a route: the
rules alone decide. What the node's own addresses send starts on the node.
`;

function printText({ legs, end }: Journey): void {
  const nodes = legs.map(({ node, steps, answer }) => {
    const way = answer === undefined ? steps : [...steps, answer];
    return `${paint("bold", `node ${node}`)}\n${printSteps(way)}\n`;
  });
  printToStdout(`${nodes.join("\n")}\n${legs.map(choicesOf).join("")}${end}\n`);
}

/** All that might have become of the packet on a node, where that is more than what did. */
function choicesOf({ node, outcomes, names, numbering }: Leg): string {
  if (outcomes.length < 2) return "";
  return `${paint("bold", `all outcomes on node ${node}`)}\n${printOutcomes(outcomes, names, numbering)}\n\n`;
}

function endAsData({ name, address, port }: End): Record<string, unknown> {
  return { name, address: printIp(address), port };
}

function asData(journey: Journey, from: End, to: End, protocol: string): unknown {
  return {
    apiVersion: "packetyard/v1",
    kind: "Trace",
    mode: journey.legs[0]?.mode,
    protocol,
    from: endAsData(from),
    to: endAsData(to),
    nodes: journey.legs.map(({ node, steps, verdict, reason, out, answer, outcomes, numbering }) => ({
      node,
      steps,
      verdict,
      reason: reason === "NONE" ? null : reason,
      out: out ?? null,
      answer: answer ?? null,
      outcomes: outcomes.map((outcome) => outcomeAsData(outcome, numbering)),
    })),
    delivered: journey.delivered ?? null,
    end: journey.end,
  };
}

/** A node that names itself as the sender leaves it to its kernel by which of its addresses it calls itself. */
function sentBy(ruleset: Ruleset, sender: End, to: End): End {
  return { ...sender, address: ownSource(ruleset, to.address) ?? sender.address };
}

/** What lines of a file say is not said of all of them. */
function refuseEnds({ from, to, seed }: TraceOptions): void {
  const said = [from && "--from", to && "--to", seed === undefined ? "" : "--seed"].filter(Boolean);
  if (said.length === 0) return;
  throw new UsageError(
    `${said.join(" and ")}: --flows asks of every line, and for all outcomes; leave it out.`,
  );
}

/** In a cluster the sender's route says it, on every node of the way. */
function refuseInterface({ in: name }: TraceOptions): void {
  if (name === undefined) return;
  throw new UsageError(
    `--in ${name}: goes with --iptables-save, --ipvsadm-save or --flows; in a cluster the route of its source says where a packet comes in.`,
  );
}

async function trace(options: TraceOptions): Promise<void> {
  const { protocol = "tcp", sport = SOURCE_PORT, flows } = options;
  if (flows !== undefined) {
    refuseEnds(options);
    return traceFlows({ ...options, flows, protocol, sport });
  }
  const mentions = parseMentions(options);
  if (namesDump(options)) return traceDump({ ...options, ...mentions, protocol, sport });
  refuseInterface(options);
  const proxy = proxyOptionsOf(options);
  const cluster = loadCluster(options);
  const diagnostics = new DiagnosticPrinter();
  diagnostics.print(cluster.diagnostics);
  const { from: sender, to } = packetEnds(cluster, mentions, options);
  const transport = protocolOf(options, to);
  const node = options.node ?? sender.node ?? defaultNode(cluster, proxy);
  const isOwn = mentions.source.kind === "node" && sender.node === node;
  const from = isOwn ? sentBy(compile(cluster, { ...proxy, node }), sender, to) : sender;
  const frame = firstPacket(transport, from, to);
  const journey = await follow(cluster, frame, { node, proxy, seed: options.seed });
  for (const leg of journey.legs) diagnostics.print(leg.diagnostics);
  if (options.output === "text") printText(journey);
  else printStructured(asData(journey, from, to, transport), options.output);
}

function protocolArgument(text: string): PacketProtocol {
  const protocol = parseProtocol(text);
  if (protocol !== undefined) return protocol;
  throw new InvalidArgumentError(`Allowed choices are ${PACKET_PROTOCOLS.join(", ")}.`);
}

/** `packetyard trace`: one packet's way, stage by stage, in words. */
export function traceCommand(): Command {
  const command = new Command("trace").description(
    "Follow one packet through the cluster, stage by stage and node by node, in words.",
  );
  return addProxyOptions(addDumpOptions(addClusterOptions(command)))
    .option("--from <end>", "who sends: pod/NAMESPACE/NAME[:PORT], node/NAME[:PORT] or IP[:port]")
    .option(
      "--to <end>",
      "whom to: svc/NAMESPACE/NAME:PORT, pod/NAMESPACE/NAME:PORT, node/NAME:PORT or IP:port",
    )
    .option(
      "--flows <file>",
      "instead of --from and --to: many packets, each the first of its connection, as JSON Lines; - for stdin",
    )
    .option(
      "--node <name>",
      "node where the packet starts (default: the sender's, or that of kube-proxy's configuration, or the first)",
    )
    .addOption(
      new Option(
        "--protocol <protocol>",
        "transport protocol, in either case (default: the destination port's, or else tcp)",
      )
        .choices(PACKET_PROTOCOLS)
        .argParser(protocolArgument),
    )
    .option("--sport <port>", `source port (default: ${SOURCE_PORT})`, integer(1, 65535))
    .option(
      "--in <interface>",
      "with --iptables-save or --flows: interface it comes in by (default: that of its source's route; one that no rule names)",
      interfaceName,
    )
    .addOption(seedOption().default(undefined, "the likeliest outcome is told"))
    .addOption(
      new Option("-o, --output <format>", "how to print; --flows -o json prints JSON Lines")
        .choices(["text", "json", "yaml"])
        .default("text"),
    )
    .addHelpText("after", HELP)
    .action(trace);
}
