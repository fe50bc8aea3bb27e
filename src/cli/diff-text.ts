import type { DifferenceGroup, Example } from "../index.js";
import { earlierWords } from "../report/assessment-section.js";
import { paint } from "./paint.js";
import { wrap } from "./wrap.js";

/** What was compared, and what came of it. */
export interface DiffResult {
  /** What tells the sides apart, for people. */
  readonly labels: readonly [string, string];
  readonly nodes: readonly string[];
  /** How many packets were asked about. */
  readonly asked: number;
  readonly groups: readonly DifferenceGroup[];
}

/** Names that are told; of more the number. */
const TOLD = 4;

function listed(names: readonly string[], one: string, many: string): string {
  if (names.length === 0) return "";
  const told = names.slice(0, TOLD).join(", ");
  const more = names.length > TOLD ? ` and ${names.length - TOLD} more` : "";
  return `${names.length === 1 ? one : many} ${told}${more}`;
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

function packetWords({
  from,
  to,
  protocol,
  flags,
  iface,
  node,
  asker,
  place,
  service,
  earlier,
  atB,
}: Example): string {
  const way = iface === undefined ? `made on ${node}` : `by ${iface} of ${node}`;
  const whose = service === "" ? place : `${place} of ${service}`;
  const kind = flags === "" ? protocol : `${protocol} ${flags}`;
  const after = earlier === undefined ? "" : `, ${earlierWords(earlier, from)}`;
  const other = atB === undefined ? "" : `; from ${atB.from} on B`;
  return `${from} > ${to} ${kind}, ${way} (${asker} to ${whose})${after}${other}`;
}

/** What stands behind the topic; a fate speaks for itself, and so does who chooses. */
const CHANGE_WORDS: Readonly<Record<DifferenceGroup["change"], string>> = {
  fate: "",
  endpoints: ": other endpoints",
  masquerade: ": masquerade",
  weights: ": other chances",
  choice: "",
  "accepted by name": ": the rule that accepts it",
};

function printGroup(group: DifferenceGroup, index: number, columns: number): string {
  const { about, change, flows, services, nodes, example } = group;
  const where = [listed(services, "Service", "Services"), listed(nodes, "node", "nodes")].filter(
    (one) => one !== "",
  );
  const lines = [
    ["   ", [counted(flows, "flow"), ...where].join("; ")],
    ["   packet  ", packetWords(example)],
    ["   A       ", example.a],
    ["   B       ", example.b],
  ] as const;
  return [
    paint("bold", wrap(`${index + 1}. `, `${about}${CHANGE_WORDS[change]}`, columns)),
    ...lines.map(([label, text]) => wrap(label, text, columns)),
    "",
  ].join("\n");
}

/** What differs, kind by kind, for people, in lines of so many columns. */
export function printDiff({ labels, nodes, asked, groups }: DiffResult, columns: number): string {
  const on = `${counted(asked, "flow")} on ${counted(nodes.length, "node")}`;
  const heads = `A: ${labels[0]}\nB: ${labels[1]}\n\n`;
  if (groups.length === 0) return `${heads}No flow differs: ${on} asked.\n`;
  const flows = groups.reduce((sum, group) => sum + group.flows, 0);
  const ways = groups.length === 1 ? "one way" : `${groups.length} ways`;
  return `${heads}${groups.map((group, index) => printGroup(group, index, columns)).join("\n")}\n${flows} of ${on} differ, in ${ways}.\n`;
}

const hexOf = (frame: Uint8Array) => Buffer.from(frame).toString("hex");

function exampleAsData({ frame, iface, earlier, asker, a, b, atB, ...example }: Example): unknown {
  return {
    ...example,
    iface: iface ?? null,
    source: asker,
    earlier: earlier ?? null,
    frame: hexOf(frame),
    ...(atB && { atB: { from: atB.from, frame: hexOf(atB.frame) } }),
    a,
    b,
    // Whatever is told was run on both sides.
    run: true,
  };
}

/** The same for programs. */
export function diffAsData({ labels, nodes, asked, groups }: DiffResult): unknown {
  return {
    apiVersion: "packetyard/v1",
    kind: "Diff",
    a: labels[0],
    b: labels[1],
    nodes,
    same: groups.length === 0,
    asked,
    differing: groups.reduce((sum, { flows }) => sum + flows, 0),
    differences: groups.map(({ example, ...group }) => ({ ...group, example: exampleAsData(example) })),
  };
}
