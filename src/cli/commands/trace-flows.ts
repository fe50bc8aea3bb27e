import {
  answerOf,
  type CompileOptions,
  compile,
  Engine,
  type Ruleset,
  routable,
  unnamedInterface,
} from "../../index.js";
import { familyOf } from "../../net/ip.js";
import { type AnsweredFlow, answerAsLine, printAnswers } from "../answers.js";
import { type DumpedNode, type DumpOptions, loadDump, loadEngine, namesDump, ruleAtLine } from "../dump.js";
import { UsageError } from "../errors.js";
import { firstPacket, type PacketProtocol } from "../first-packet.js";
import { type Flow, parseFlows } from "../flows.js";
import { readText, STDIN } from "../input.js";
import { type ClusterOptions, loadCluster } from "../options.js";
import { DiagnosticPrinter, printStructured, printToStdout } from "../output.js";
import { progress } from "../progress.js";
import { type ProxyArguments, proxyOptionsOf } from "../proxy-options.js";

/** What is asked of a node's rules for many flows. */
export interface FlowsTrace extends ClusterOptions, DumpOptions, ProxyArguments {
  readonly flows: string;
  /** Of lines that name none. */
  readonly protocol: PacketProtocol;
  /** The source port, where a line does not say it. */
  readonly sport: number;
  readonly output: "text" | "json" | "yaml";
}

/** Each flow finds an empty table, which is copied for it: the least that holds a connection of either family. */
const CONNECTIONS = 8;

/** A node whose rules are asked; what its dumps say of it, where they do. */
interface Asked {
  readonly ruleset: Ruleset;
  readonly dumped?: DumpedNode;
}

function refuseStdinTwice(options: FlowsTrace): void {
  const asks = Object.values(options)
    .flat()
    .filter((path) => path === STDIN).length;
  if (asks > 1) throw new UsageError("two options ask for stdin (-): give one of them as a file.");
}

function load(options: FlowsTrace): Asked {
  if (namesDump(options)) {
    const dumped = loadDump(options);
    new DiagnosticPrinter().print(dumped.ruleset.diagnostics);
    return { ruleset: dumped.ruleset, dumped };
  }
  const cluster = loadCluster(options);
  const { node } = options;
  const said: CompileOptions = { ...proxyOptionsOf(options), ...(node === undefined ? {} : { node }) };
  const ruleset = compile(cluster, said);
  const printer = new DiagnosticPrinter();
  printer.print(cluster.diagnostics);
  printer.print(ruleset.diagnostics);
  return { ruleset };
}

function engineOf(ruleset: Ruleset, { dumped }: Asked): Promise<Engine> {
  const options = { connections: CONNECTIONS };
  return dumped === undefined ? Engine.load(ruleset, options) : loadEngine({ ...dumped, ruleset }, options);
}

/** What becomes of one flow's first packet; `otherwise`: the interface that it enters by where it says none. */
function ask(
  engine: Engine,
  flow: Flow,
  { protocol: usual, sport, in: otherwise }: FlowsTrace,
  { dumped }: Asked,
): AnsweredFlow {
  const { protocol = usual, from, to, iface = otherwise } = flow;
  const frame = firstPacket(protocol, { ...from, port: from.port === 0 ? sport : from.port }, to);
  // The node's own are made on it, whatever interface is said.
  const isOwn = engine.interfaceNumber(frame) === 0;
  const family = familyOf(from.address);
  const outcomes = engine.explore(frame, isOwn || iface === undefined ? {} : { in: iface });
  const answer = answerOf(outcomes, family, engine.numbering);
  const line = answer.undecided?.line;
  const undecided = dumped && line !== undefined ? ruleAtLine(dumped, family, line) : undefined;
  return { flow, protocol, answer, undecided };
}

function print(answered: readonly AnsweredFlow[], output: FlowsTrace["output"]): void {
  if (output === "text") printToStdout(printAnswers(answered));
  else if (output === "json") printToStdout(answered.map((one) => `${answerAsLine(one)}\n`).join(""));
  else
    printStructured(
      answered.map((one) => JSON.parse(answerAsLine(one)) as unknown),
      output,
    );
}

/** `trace --flows`: what the rules of one node say of the first packet of each of many flows, as though all were routable. */
export async function traceFlows(options: FlowsTrace): Promise<void> {
  refuseStdinTwice(options);
  const { flows, diagnostics } = parseFlows(readText(options.flows), options.protocol);
  new DiagnosticPrinter().print(diagnostics);
  const asked = load(options);
  const otherwise = options.in ?? unnamedInterface(asked.ruleset);
  const interfaces = flows.flatMap(({ iface }) => (iface === undefined ? [] : [iface]));
  const engine = await engineOf(routable(asked.ruleset, [otherwise, ...interfaces]), asked);
  const bar = progress("flows", flows.length);
  const answered: AnsweredFlow[] = [];
  for (const flow of flows) {
    answered.push(ask(engine, flow, { ...options, in: otherwise }, asked));
    bar.tick();
  }
  bar.stop();
  print(answered, options.output);
}
