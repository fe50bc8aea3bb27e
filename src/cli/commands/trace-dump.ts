import type { Step, Trace } from "../../index.js";
import { familyOf, printIp } from "../../net/ip.js";
import { printHostPort } from "../../net/port.js";
import { printSteps } from "../../trace/steps.js";
import { DiagnosticPrinter } from "../diagnostic-printer.js";
import {
  type DumpedNode,
  type DumpedRule,
  type DumpOptions,
  loadDump,
  loadEngine,
  ruleAtLine,
} from "../dump.js";
import { UsageError } from "../errors.js";
import { firstPacket, type PacketEnd, type PacketProtocol } from "../first-packet.js";
import { checkInterface } from "../interface.js";
import { FATES, tell } from "../journey.js";
import type { Mention } from "../mention.js";
import { outcomeAsData, printOutcomes } from "../outcomes.js";
import { printNote, printStructured, printToStdout } from "../output.js";
import { paint } from "../paint.js";

/** What is asked of a node that is known by its dumps. */
export interface DumpTrace extends DumpOptions {
  readonly source: Mention;
  readonly destination: Mention;
  readonly protocol: PacketProtocol;
  /** The source port, where the source does not say it. */
  readonly sport: number;
  /** Undefined: the likeliest outcome is told. */
  readonly seed?: number;
  readonly output: "text" | "json" | "yaml";
}

/** A trace opens one connection. */
const CONNECTIONS = 1024;

/** The rule that could not be asked. */
function undecidedAt({ steps, reason }: Trace, family: 4 | 6, dumped: DumpedNode): DumpedRule | undefined {
  if (reason !== "UNDECIDED") return undefined;
  return ruleAtLine(dumped, family, steps.findLast((step) => step.line !== undefined)?.line);
}

function ending({ verdict, steps, out }: Trace, node: string, undecided: DumpedRule | undefined): string {
  if (undecided !== undefined)
    return `undecided at line ${undecided.line} of ${undecided.file}: ${undecided.rule}`;
  if (verdict === "LOCAL") return `delivered to the node itself (${node})`;
  const last: Step | undefined = steps.at(-1);
  if (verdict === "FORWARD") return `leaves node ${node} by ${out}`;
  return `${FATES[verdict]} on node ${node}: ${last?.text ?? ""}`;
}

/** Ends are addresses: a node's dumps name nothing. */
function endOf({ kind, text, ...mention }: Mention, otherwise: number, protocol: PacketProtocol): PacketEnd {
  if (kind !== "address" || !("address" in mention)) {
    throw new UsageError(`«${text}»: a node's rules name nobody; write IP:port.`);
  }
  if (protocol === "icmp") return { address: mention.address, port: 0 };
  const port = mention.port === undefined ? otherwise : Number(mention.port);
  if (port === 0) throw new UsageError(`«${text}»: a packet goes to a port; write ${text}:PORT.`);
  return { address: mention.address, port };
}

const endAsData = ({ address, port }: PacketEnd) => ({
  name: printIp(address),
  address: printIp(address),
  port,
});

/** What a director's virtual servers do not see is said: nothing of its way shows why. */
function notePassedBy(
  { ruleset }: DumpedNode,
  { steps }: Trace,
  to: PacketEnd,
  protocol: PacketProtocol,
): void {
  const { ipvs } = ruleset;
  if (ipvs === undefined || ipvs.servers.length === 0 || steps.some(({ stage }) => stage === "ipvs")) return;
  const end = to.port === 0 ? printIp(to.address) : printHostPort(to.address, to.port);
  printNote(`no virtual server takes the packet to ${end} (${protocol}): IPVS passes it by.`);
}

/** `trace --iptables-save`: one packet's way through a node of which only dumps are known. */
export async function traceDump(options: DumpTrace): Promise<void> {
  const { source, destination, protocol, sport, seed, output } = options;
  const [from, to] = [endOf(source, sport, protocol), endOf(destination, 0, protocol)];
  const family = familyOf(from.address);
  if (familyOf(to.address) !== family)
    throw new UsageError("--from and --to are of two families: give two addresses of one.");
  const dumped = loadDump(options);
  const { ruleset } = dumped;
  checkInterface(ruleset, options.in);
  new DiagnosticPrinter().print(ruleset.diagnostics);
  const engine = await loadEngine(dumped, {
    ...(seed === undefined ? {} : { seed }),
    connections: CONNECTIONS,
    fragments: 0,
  });
  const arrival = options.in === undefined ? {} : { in: options.in };
  const { outcomes, trace } = tell(engine, firstPacket(protocol, from, to), arrival, seed === undefined);
  notePassedBy(dumped, trace, to, protocol);
  const undecided = undecidedAt(trace, family, dumped);
  const end = ending(trace, ruleset.node, undecided);
  if (output === "text") {
    const answered = trace.answer === undefined ? [] : [trace.answer.step];
    const way = `${paint("bold", `node ${ruleset.node}`)}\n${printSteps([...trace.steps, ...answered])}`;
    const all =
      outcomes.length < 2
        ? ""
        : `all outcomes\n${printOutcomes(outcomes, ruleset.names, engine.numbering)}\n\n`;
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
