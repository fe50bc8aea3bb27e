import { Command, Option } from "commander";
import { type Cluster, InputError, type Ip, tcp, udp } from "../../index.js";
import { familyOf, printIp } from "../../net/ip.js";
import { type Protocol, printHostPort } from "../../net/port.js";
import { printSteps } from "../../trace/steps.js";
import { addDumpOptions, type DumpOptions, namesDump } from "../dump.js";
import { type End, findEnds } from "../ends.js";
import { UsageError } from "../errors.js";
import { follow, type Journey, type Leg } from "../journey.js";
import { type Mention, parseMention } from "../mention.js";
import { addClusterOptions, type ClusterOptions, integer, loadCluster, seedOption } from "../options.js";
import { outcomeAsData, printOutcomes } from "../outcomes.js";
import { DiagnosticPrinter, printNote, printStructured, printToStdout } from "../output.js";
import { paint } from "../paint.js";
import { addProxyOptions, type ProxyArguments, proxyOptionsOf } from "../proxy-options.js";
import { traceDump } from "./trace-dump.js";

interface TraceOptions extends ClusterOptions, DumpOptions, ProxyArguments {
  readonly from: string;
  readonly to: string;
  readonly protocol?: "tcp" | "udp";
  readonly sport?: number;
  readonly seed: number;
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

  # From a running cluster, for a program
  kubectl get nodes,pods,services,endpointslices -A -o yaml > cluster.yaml
  packetyard trace -f cluster.yaml --from pod/shop/cart --to svc/shop/web:80 -o json
`;

const SOURCE_PORT = 41000;

/** TCP, unless an option or the port's own declaration says otherwise. */
function protocolOf(options: TraceOptions, to: End): "tcp" | "udp" {
  if (options.protocol !== undefined) return options.protocol;
  if (to.protocol === "SCTP") {
    const message = "is of SCTP, which is not traced: give --protocol tcp or udp to trace that instead.";
    throw new InputError([{ severity: "error", place: { object: `${to.name}:${to.port}` }, message }]);
  }
  return to.protocol === "UDP" ? "udp" : "tcp";
}

interface Mentions {
  readonly source: Mention;
  readonly destination: Mention;
}

function parseMentions({ from, to }: TraceOptions): Mentions {
  const [source, destination] = [parseMention(from), parseMention(to)];
  if (source.kind !== "svc") return { source, destination };
  throw new UsageError(`--from ${from}: a Service sends nothing; name one of its Pods.`);
}

function checkSourcePort({ sport, from: text }: TraceOptions, { port }: Mention, from: End): void {
  if (sport === undefined || port === undefined || from.port === sport) return;
  throw new UsageError(
    `--from ${text} and --sport ${sport} name two source ports, ${from.port} and ${sport}: give one.`,
  );
}

/** An IPv6 address stands in brackets before its port. */
function lacksPort(text: string, address: Ip): UsageError {
  const end = text === printIp(address) && familyOf(address) === 6 ? `[${text}]` : text;
  return new UsageError(`--to ${text}: a packet goes to a port; write ${end}:PORT.`);
}

/** The ends of the packet; a port that a Service does not have is let through, but said. */
function packetEnds(
  cluster: Cluster,
  { source, destination }: Mentions,
  options: TraceOptions,
): { readonly from: End; readonly to: End } {
  const protocol = options.protocol === undefined ? undefined : (options.protocol.toUpperCase() as Protocol);
  const { from, to } = findEnds(cluster, source, destination, protocol);
  if (to.port === 0) throw lacksPort(options.to, to.address);
  if (destination.kind === "svc" && to.protocol === undefined) {
    const of = protocol === undefined ? "" : ` of ${protocol}`;
    printNote(`${to.name} has no port ${to.port}${of}; the packet is sent there all the same.`);
  }
  checkSourcePort(options, source, from);
  // A Pod's declared port is what it listens on; it calls from another one.
  const port = options.sport ?? (source.port === undefined || from.port === 0 ? SOURCE_PORT : from.port);
  return { from: { ...from, port }, to };
}

function startNode(cluster: Cluster, options: TraceOptions, from: End): string {
  return options.node ?? from.node ?? cluster.nodes[0]?.name ?? "";
}

function printText({ legs, end }: Journey): void {
  const nodes = legs.map(({ node, steps, answer }) => {
    const way = answer === undefined ? steps : [...steps, answer];
    return `${paint("bold", `node ${node}`)}\n${printSteps(way)}\n`;
  });
  printToStdout(`${nodes.join("\n")}\n${legs.map(choicesOf).join("")}${end}\n`);
}

/** All that might have become of the packet on a node, where that is more than what did. */
function choicesOf({ node, outcomes, names }: Leg): string {
  if (outcomes.length < 2) return "";
  return `${paint("bold", `all outcomes on node ${node}`)}\n${printOutcomes(outcomes, names)}\n\n`;
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

async function trace(options: TraceOptions): Promise<void> {
  const mentions = parseMentions(options);
  if (namesDump(options)) {
    const { protocol = "tcp", sport = SOURCE_PORT } = options;
    return traceDump({ ...options, ...mentions, protocol, sport });
  }
  const proxy = proxyOptionsOf(options);
  const cluster = loadCluster(options);
  const diagnostics = new DiagnosticPrinter();
  diagnostics.print(cluster.diagnostics);
  const { from, to } = packetEnds(cluster, mentions, options);
  const protocol = protocolOf(options, to);
  const build = protocol === "tcp" ? tcp : udp;
  const frame = build(printHostPort(from.address, from.port), printHostPort(to.address, to.port));
  const { seed } = options;
  const journey = await follow(cluster, frame, { node: startNode(cluster, options, from), proxy, seed });
  for (const leg of journey.legs) diagnostics.print(leg.diagnostics);
  if (options.output === "text") printText(journey);
  else printStructured(asData(journey, from, to, protocol), options.output);
}

/** `packetyard trace`: one packet's way, stage by stage, in words. */
export function traceCommand(): Command {
  const command = new Command("trace").description(
    "Follow one packet through the cluster, stage by stage and node by node, in words.",
  );
  return addProxyOptions(addDumpOptions(addClusterOptions(command)))
    .requiredOption("--from <end>", "who sends: pod/NAMESPACE/NAME[:PORT], node/NAME[:PORT] or IP[:port]")
    .requiredOption(
      "--to <end>",
      "whom to: svc/NAMESPACE/NAME:PORT, pod/NAMESPACE/NAME:PORT, node/NAME:PORT or IP:port",
    )
    .option("--node <name>", "node where the packet starts (default: the sender's, or else the first)")
    .addOption(
      new Option(
        "--protocol <protocol>",
        "transport protocol (default: the destination port's, or else tcp)",
      ).choices(["tcp", "udp"]),
    )
    .option("--sport <port>", `source port (default: ${SOURCE_PORT})`, integer(1, 65535))
    .option(
      "--in <interface>",
      "with --iptables-save: interface it comes in by (default: that of its source's route)",
    )
    .addOption(seedOption())
    .addOption(
      new Option("-o, --output <format>", "how to print").choices(["text", "json", "yaml"]).default("text"),
    )
    .addHelpText("after", HELP)
    .action(trace);
}
