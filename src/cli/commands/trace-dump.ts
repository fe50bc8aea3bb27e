import { type Ip, type Step, type Trace, tcp, udp } from "../../index.js";
import { familyOf, printIp } from "../../net/ip.js";
import { printHostPort } from "../../net/port.js";
import { printSteps } from "../../trace/steps.js";
import { type DumpedNode, type DumpOptions, loadDump, loadEngine } from "../dump.js";
import { UsageError } from "../errors.js";
import { FATES } from "../journey.js";
import type { Mention } from "../mention.js";
import { outcomeAsData, printOutcomes } from "../outcomes.js";
import { DiagnosticPrinter, printStructured, printToStdout } from "../output.js";
import { paint } from "../paint.js";

/** What is asked of a node that is known by its dumps. */
export interface DumpTrace extends DumpOptions {
  readonly source: Mention;
  readonly destination: Mention;
  readonly protocol: "tcp" | "udp";
  /** The source port, where the source does not say it. */
  readonly sport: number;
  readonly seed: number;
  readonly output: "text" | "json" | "yaml";
}

interface PacketEnd {
  readonly address: Ip;
  readonly port: number;
}

/** A trace opens one connection. */
const CONNECTIONS = 1024;

/** The rule that could not be asked, and where it stands. */
interface Undecided {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

function undecidedAt({ steps, reason }: Trace, family: 4 | 6, { tables }: DumpedNode): Undecided | undefined {
  if (reason !== "UNDECIDED") return undefined;
  const line = steps.findLast((step) => step.line !== undefined)?.line;
  const table = tables[family];
  if (line === undefined || table === undefined) return undefined;
  return { file: table.file, line, rule: table.text.split("\n")[line - 1]?.trim() ?? "" };
}

function ending({ verdict, steps, out }: Trace, node: string, undecided: Undecided | undefined): string {
  if (undecided !== undefined)
    return `undecided at line ${undecided.line} of ${undecided.file}: ${undecided.rule}`;
  if (verdict === "LOCAL") return `delivered to the node itself (${node})`;
  const last: Step | undefined = steps.at(-1);
  if (verdict === "FORWARD") return `leaves node ${node} by ${out}`;
  return `${FATES[verdict]} on node ${node}: ${last?.text ?? ""}`;
}

/** Ends are addresses: a node's dumps name nothing. */
function endOf({ kind, text, ...mention }: Mention, otherwise: number): PacketEnd {
  if (kind !== "address" || !("address" in mention)) {
    throw new UsageError(`«${text}»: a node's rules name nobody; write IP:port.`);
  }
  const port = mention.port === undefined ? otherwise : Number(mention.port);
  if (port === 0) throw new UsageError(`«${text}»: a packet goes to a port; write ${text}:PORT.`);
  return { address: mention.address, port };
}

const endAsData = ({ address, port }: PacketEnd) => ({
  name: printIp(address),
  address: printIp(address),
  port,
});

/** `trace --iptables-save`: one packet's way through a node of which only dumps are known. */
export async function traceDump(options: DumpTrace): Promise<void> {
  const { source, destination, protocol, sport, seed, output } = options;
  const [from, to] = [endOf(source, sport), endOf(destination, 0)];
  const family = familyOf(from.address);
  if (familyOf(to.address) !== family)
    throw new UsageError("--from and --to are of two families: give two addresses of one.");
  const dumped = loadDump(options);
  const { ruleset } = dumped;
  new DiagnosticPrinter().print(ruleset.diagnostics);
  const engine = await loadEngine(dumped, { seed, connections: CONNECTIONS });
  const build = protocol === "tcp" ? tcp : udp;
  const frame = build(printHostPort(from.address, from.port), printHostPort(to.address, to.port));
  const arrival = options.in === undefined ? {} : { in: options.in };
  const outcomes = engine.explore(frame, arrival);
  const trace = engine.follow(frame, { ...arrival, answer: true });
  const undecided = undecidedAt(trace, family, dumped);
  const end = ending(trace, ruleset.node, undecided);
  if (output === "text") {
    const answered = trace.answer === undefined ? [] : [trace.answer.step];
    const way = `${paint("bold", `node ${ruleset.node}`)}\n${printSteps([...trace.steps, ...answered])}`;
    const all = outcomes.length < 2 ? "" : `all outcomes\n${printOutcomes(outcomes, ruleset.names)}\n\n`;
    printToStdout(`${way}\n\n${all}${end}\n`);
    return;
  }
  const { steps, verdict, reason, out } = trace;
  const leg = {
    node: ruleset.node,
    steps,
    verdict,
    reason: reason === "NONE" ? null : reason,
    out: out ?? null,
    answer: trace.answer?.step ?? null,
    outcomes: outcomes.map((outcome) => outcomeAsData(outcome, engine.numbering)),
  };
  const data = {
    apiVersion: "packetyard/v1",
    kind: "Trace",
    mode: ruleset.proxy,
    protocol,
    from: endAsData(from),
    to: endAsData(to),
    nodes: [leg],
    delivered: null,
    undecided: undecided ?? null,
    end,
  };
  printStructured(data, output);
}
