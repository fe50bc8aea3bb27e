import {
  type AssessedConnection,
  type AssessedPacket,
  type Assessment,
  type AssessmentCategory,
  type AssessmentFinding,
  byCategory,
} from "./assessment.js";
import { type Markup, markup } from "./markup.js";
import { modeName } from "./mode.js";
import { printPage } from "./page.js";
import { printCount } from "./quantity.js";
import { listed } from "./wording.js";

/** Names that are told; of more the number. */
const TOLD = 6;

function counted(count: number, one: string): string {
  return `${printCount(count)} ${one}${count === 1 ? "" : "s"}`;
}

function named(names: readonly string[], one: string): string | undefined {
  if (names.length === 0) return undefined;
  const told = names.slice(0, TOLD);
  const rest = names.length - told.length;
  return `${one}${names.length === 1 ? "" : "s"} ${listed([...told, ...(rest > 0 ? [`${rest} more`] : [])])}`;
}

const hostOf = (end: string) => end.slice(0, end.lastIndexOf(":"));

/** `1 s after the same client's to 10.96.0.10:80, which went to 10.244.1.9:8080` */
export function earlierWords(earlier: AssessedConnection, from: string): string {
  const { to, seconds, wentTo, isInUse } = earlier;
  const whose = hostOf(from) === hostOf(earlier.from) ? "the same client" : earlier.from;
  const use = isInUse ? " and is still in use" : "";
  return `${seconds} s after ${whose}'s to ${to}, which went to ${wentTo}${use}`;
}

/** `10.244.1.2:41000 > 10.96.0.10:80 TCP S`, who sends it, what it is sent to, and whence it comes in mode `after`. */
export function packetWords(packet: AssessedPacket, after: Assessment["to"]): string {
  const { from, to, protocol, flags, iface, node, source, place, service, earlier, sentAfter } = packet;
  const way = iface === null ? `made on ${node}` : `by ${iface} of ${node}`;
  const whose = service === "" ? place : `${place} of ${service}`;
  const kind = flags === "" ? protocol : `${protocol} ${flags}`;
  const then = earlier === null ? "" : `, ${earlierWords(earlier, from)}`;
  const other = sentAfter === null ? "" : `; from ${sentAfter.from} in mode ${modeName(after)}`;
  return `${from} > ${to} ${kind}, ${way} (${source} to ${whose})${then}${other}`;
}

/** Where a finding is, of the nodes that were asked: the names of those that differ from others. */
function whereWords(nodes: readonly string[], asked: readonly string[]): string | undefined {
  return asked.length > 1 && nodes.length === asked.length ? "every node" : named(nodes, "node");
}

/** `12 flows; Services shop/web and shop/db; node worker-1`, or `every node` of those `asked` if there are several. */
export function reachWords(
  { flows, services, nodes }: AssessmentFinding,
  { nodes: asked }: Pick<Assessment, "nodes">,
): string {
  const parts = [counted(flows, "flow"), named(services, "Service"), whereWords(nodes, asked)];
  return parts.filter((part) => part !== undefined).join("; ");
}

/** `9 findings: 3 break what is served, 1 opens …`; how many there are of each. */
export function summaryWords({ findings, asked, nodes }: Assessment): string {
  const on = `${counted(asked, "packet")} asked about on ${counted(nodes.length, "node")}`;
  if (findings.length === 0) return `Nothing changes: ${on}, in both modes.`;
  const effects = [...new Set(findings.map(({ effect }) => effect))];
  const counts = effects.map((effect) => {
    return `${effect}: ${findings.filter((finding) => finding.effect === effect).length}`;
  });
  return `${counted(findings.length, "finding")} (${counts.join(", ")}), of ${on}, in both modes.`;
}

function drawFinding(finding: AssessmentFinding, number: number, assessment: Assessment): Markup {
  const { about, advice, effect, example } = finding;
  const { to } = assessment;
  const rows = [
    ["Packet", packetWords(example, to)],
    ["IPVS", `${example.before.verdict}: ${example.before.text}`],
    [modeName(to), `${example.after.verdict}: ${example.after.text}`],
  ].map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`);
  const todo = advice === "" ? undefined : markup`<p>${advice}</p>`;
  return markup`<div class="card"><h4>${number}. <span class="effect ${effect}">${effect}</span> ${about}</h4><p class="note">${reachWords(finding, assessment)}</p><dl class="machine">${rows}</dl>${todo}</div>`;
}

function drawCategory(
  { title, text }: AssessmentCategory,
  findings: readonly AssessmentFinding[],
  before: number,
  assessment: Assessment,
): Markup {
  const intro = text === "" ? undefined : markup`<p>${text}</p>`;
  const drawn = findings.map((finding, i) => drawFinding(finding, before + i + 1, assessment));
  return markup`<h3>${title}</h3>${intro}${drawn}
`;
}

/** What leaving IPVS changes, as one section of a page; its findings are numbered as the text's are. */
export function assessmentSection(
  assessment: Assessment,
  heading = `What leaving IPVS for ${modeName(assessment.to)} changes`,
): Markup {
  let told = 0;
  const categories = byCategory(assessment).map(([category, findings]) => {
    const before = told;
    told += findings.length;
    return drawCategory(category, findings, before, assessment);
  });
  return markup`<section id="assessment"><h2>${heading}</h2><p>${summaryWords(assessment)}</p>
${categories}</section>
`;
}

/** The same as a page of its own; `version`: of packetyard. Every name from outside is escaped. */
export function printAssessmentReport(assessment: Assessment, version: string): string {
  const { to, schedulers, nodes } = assessment;
  const title = `What leaving IPVS for ${modeName(to)} changes`;
  const head = markup`<p class="lead">IPVS (${listed(schedulers)}) on ${counted(nodes.length, "node")}: ${listed(nodes.slice(0, TOLD))}${nodes.length > TOLD ? " and more" : ""}. Every finding shows a packet that was run in both modes, and what each made of it.</p>`;
  return printPage({
    brand: "packetyard assess",
    title,
    heading: title,
    head,
    body: assessmentSection(assessment, "Findings"),
    version,
  });
}
