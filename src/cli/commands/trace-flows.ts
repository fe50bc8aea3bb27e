import { type Engine, routable, rulingOf, unnamedInterface } from "../../index.js";
import { familyOf } from "../../net/ip.js";
import { DiagnosticPrinter } from "../diagnostic-printer.js";
import { type DumpedNode, dumpFiles, loadEngine, ruleAtLine } from "../dump.js";
import { firstPacket, type PacketProtocol } from "../first-packet.js";
import { type Flow, parseFlows } from "../flows.js";
import { checkStdin, readText } from "../input.js";
import { type Entrance, strangeInterfaces } from "../interface.js";
import { findNode, type NodeOptions } from "../node.js";
import { printStructured, printToStdout } from "../output.js";
import { progress } from "../progress.js";
import { printRulings, type RuledFlow, rulingAsLine } from "../rulings.js";

/** What is asked of a node's rules for many flows. */
export interface FlowsTrace extends NodeOptions {
  readonly flows: string;
  /** Of lines that name none. */
  readonly protocol: PacketProtocol;
  /** The source port, where a line does not say it. */
  readonly sport: number;
  readonly output: "text" | "json" | "yaml";
}

/** Each flow finds an empty table, which is copied for it: the least that holds a connection of either family. */
const CONNECTIONS = 8;

/** What becomes of one flow's first packet; `otherwise`: the interface that it enters by where it says none. */
function ask(
  engine: Engine,
  flow: Flow,
  { protocol: usual, sport, in: otherwise }: FlowsTrace,
  node: DumpedNode,
): RuledFlow {
  const { protocol = usual, from, to, iface = otherwise } = flow;
  const frame = firstPacket(protocol, { ...from, port: from.port === 0 ? sport : from.port }, to);
  // The node's own are made on it, whatever interface is said.
  const isOwn = engine.interfaceNumber(frame) === 0;
  const family = familyOf(from.address);
  const arrival = isOwn || iface === undefined ? {} : { in: iface };
  const outcomes = engine.explore(frame, { ...arrival, lends: true });
  const ruling = rulingOf(outcomes, family, engine.numbering);
  return { flow, protocol, ruling, inFile: (rule) => ruleAtLine(node, family, rule?.line) };
}

/** Lines for programs, as octets: text, or the outcomes themselves, would take far more room. */
class Lines {
  readonly #octets: Buffer[] = [];

  add(line: string): void {
    this.#octets.push(Buffer.from(`${line}\n`));
  }

  print(output: "json" | "yaml"): void {
    if (output === "yaml") {
      const data = this.#octets.map((line) => JSON.parse(`${line}`) as unknown);
      printStructured(data, output);
    } else for (const line of this.#octets) printToStdout(line);
  }
}

/** The interfaces that lines, and the option for those that name none, say. */
function entrances(flows: readonly Flow[], file: string, otherwise: string | undefined): readonly Entrance[] {
  const said = flows.flatMap(({ iface }) =>
    iface === undefined ? [] : [{ name: iface, place: { file, field: "iface" } }],
  );
  return otherwise === undefined ? said : [...said, { name: otherwise, place: { field: "--in" } }];
}

/** `trace --flows`: what the rules of one node say of the first packet of each of many flows, as though all were routable. */
export async function traceFlows(options: FlowsTrace): Promise<void> {
  const { flows: path, filename, proxyConfig, protocol } = options;
  checkStdin({ "--flows": path, "-f": filename, "--proxy-config": proxyConfig, ...dumpFiles(options) });
  const listing = readText(path);
  const { flows, diagnostics } = parseFlows(listing, protocol);
  const node = findNode(options);
  const { ruleset } = node;
  const said = entrances(flows, listing.file, options.in);
  const strange = strangeInterfaces(ruleset, said);
  new DiagnosticPrinter().print([...diagnostics, ...ruleset.diagnostics, ...strange]);
  const otherwise = options.in ?? unnamedInterface(ruleset);
  const names = [otherwise, ...said.map(({ name }) => name)];
  const asked = { ...node, ruleset: routable(ruleset, names) };
  const engine = await loadEngine(asked, { connections: CONNECTIONS, fragments: 0 });
  const bar = progress("flows", flows.length);
  const { output } = options;
  const ruled: RuledFlow[] = [];
  const lines = new Lines();
  for (const flow of flows) {
    const one = ask(engine, flow, { ...options, in: otherwise }, node);
    if (output === "text") ruled.push(one);
    else lines.add(rulingAsLine(one));
    bar.tick();
  }
  bar.stop();
  if (output === "text") printToStdout(printRulings(ruled));
  else lines.print(output);
}
