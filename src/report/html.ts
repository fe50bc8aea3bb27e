import { largestRows, modesOf, sizesOf } from "./analysis.js";
import type { Assessment } from "./assessment.js";
import { assessmentSection } from "./assessment-section.js";
import { drawBarChart } from "./bars.js";
import { drawLineChart } from "./chart.js";
import { schedulerSection } from "./chooser-section.js";
import { type Column, columnsOf } from "./columns.js";
import { type Comparison, type ComparisonGroup, type ComparisonRow, groupRows } from "./comparison.js";
import { findings, headline } from "./findings.js";
import { type Markup, markup, trusted } from "./markup.js";
import { measuredSection, type ReportSection, type ReportSource, ruleSection } from "./method.js";
import { modeName, modeStyle } from "./mode.js";
import { printPage } from "./page.js";
import { seriesColor } from "./palette.js";
import { barCharts, newConnectionChart, otherCharts } from "./plots.js";
import { printBytes, printCount, printTime } from "./quantity.js";
import { cellText, cheapestRows, groupsOf } from "./table.js";
import { clusterIPShare, groupTitle, inputName, listed, services, unbroken } from "./wording.js";

const WIDE = { width: 940, height: 470 } as const;
const SMALL = { width: 450, height: 330 } as const;
const PHONE = { width: 450, height: 430 } as const;

/** What follows the method in a report. */
export interface ReportExtras {
  /** Further chapters in plain text (agreement with a kernel). */
  readonly sections?: readonly ReportSection[];
  readonly assessment?: Assessment;
}

/**
 * The comparison as one HTML file that needs nothing else: no script, no font, no request. Every name from
 * outside is escaped.
 */
export function printComparisonReport(comparison: Comparison, extras: ReportExtras = {}): string {
  const { sections = [], assessment } = extras;
  const groups = leadingFirst(groupRows(comparison));
  const rows = groups[0]?.rows ?? [];
  const title = headline(rows);
  const chapters = [measuredSection(), ruleSection(rows), ...sections];
  const head = markup`<p class="lead">${lead(comparison, groups)} These are packetyard's own costs, in memory; a kernel adds its own to every packet (<a href="#rule">what that changes</a>).</p>
${drawTiles(rows)}`;
  const body = markup`${groups.map((group) => drawGroup(group, groups.length > 1))}
${schedulerSection(comparison.schedulers ?? [], WIDE, PHONE)}${assessment === undefined ? undefined : assessmentSection(assessment)}<section class="full"><h2>All numbers</h2>${drawTable(comparison)}</section>
${chapters.map((chapter, i) => drawSection(chapter, i === 1 ? "rule" : undefined))}
${drawMachine(comparison)}`;
  const { packetyard: version } = comparison.machine;
  return printPage({ brand: "packetyard compare", title, heading: unbroken(title), head, body, version });
}

/** The input with the most sizes leads: the page's headline is about it. */
function leadingFirst(groups: readonly ComparisonGroup[]): readonly ComparisonGroup[] {
  return [...groups].sort((a, b) => sizesOf(b.rows).length - sizesOf(a.rows).length);
}

function lead(comparison: Comparison, groups: readonly ComparisonGroup[]): string {
  const inputs = groups.map(({ input, rows }) => {
    const share = clusterIPShare(rows);
    return share === undefined ? inputName(input) : `${inputName(input)} (${share})`;
  });
  const modes = modesOf(comparison.rows).map(modeName).join(", ");
  return `Kubernetes Service proxying measured on ${listed(inputs)}: ${modes}.`;
}

function drawTiles(rows: readonly ComparisonRow[]): Markup {
  const modes = modesOf(rows);
  const tiles = largestRows(rows).map(
    (row) =>
      markup`<div class="tile" style="--series:${seriesColor(modeStyle(row.mode, modes))}"><dt>${modeName(row.mode)}</dt><dd class="big">${printTime(row.newConnection.p50)}</dd><dd class="small">new connection at ${services(row.services)}</dd><dd class="small">established: ${printTime(row.established.p50)}</dd></div>`,
  );
  return markup`<dl class="tiles">${tiles}</dl>`;
}

function drawGroup({ input, rows }: ComparisonGroup, named: boolean): Markup {
  const where = named ? `: ${inputName(input)}` : "";
  const sentences = findings(rows).map((sentence) => markup`<li>${unbroken(sentence)}</li>`);
  const charts = sizesOf(rows).length > 1 ? drawCurves(rows) : drawBars(rows);
  return markup`<section><h2>Findings${where}</h2><ul class="findings">${sentences}</ul></section>
<section><h2>Charts${where}</h2>${charts}</section>
`;
}

function drawCurves(rows: readonly ComparisonRow[]): Markup {
  const wide = drawLineChart(newConnectionChart(rows, WIDE));
  const narrow = drawLineChart(newConnectionChart(rows, PHONE));
  const others = otherCharts(rows, SMALL).map(
    (chart) => markup`<figure class="card">${drawLineChart(chart)}</figure>`,
  );
  return markup`<figure class="card"><div class="wide">${wide}</div><div class="narrow">${narrow}</div></figure><div class="charts">${others}</div>`;
}

function drawBars(rows: readonly ComparisonRow[]): Markup {
  const figures = barCharts(rows, SMALL.width).map(
    (chart) => markup`<figure class="card">${drawBarChart(chart)}</figure>`,
  );
  return markup`<div class="charts">${figures}</div>`;
}

function drawTable(comparison: Comparison): Markup {
  // The rounds stand with the machine.
  const columns = columnsOf(comparison).filter((column) => column.name !== "rounds");
  const best = cheapestRows(comparison);
  const bodies = groupRows(comparison).map((group, _, groups) => {
    const lines = group.rows.map((row, i) => {
      const starts = group.rows[i - 1]?.services !== row.services;
      const cells = columns.map((column) => drawCell(column, row, best.has(row)));
      return markup`<tr${starts ? trusted(' class="first"') : undefined}>${cells}</tr>`;
    });
    return markup`<tbody>${drawGroupTitle(groupTitle(group, groups.length), columns.length)}${lines}</tbody>`;
  });
  const bold =
    best.size === 0
      ? ""
      : " Bold: the cheapest new connection of its size, where the rounds can tell it from the next.";
  return markup`<p class="note">In the order measured; times per packet, medians over rounds.${bold} First, last: every packet to the first or the last Service.</p><div class="card scroll" role="region" aria-label="All numbers" tabindex="0"><table><thead>${drawHeader(columns)}</thead>${bodies}</table></div>`;
}

function drawGroupTitle(title: string | undefined, span: number): Markup | undefined {
  if (title === undefined) return undefined;
  return markup`<tr class="input"><th scope="rowgroup" colspan="${span}">${title}</th></tr>`;
}

function drawHeader(columns: readonly Column[]): Markup {
  const groups = groupsOf(columns);
  const upper = columns.map((column, i) => {
    const group = groups.find(({ start }) => start === i);
    if (group !== undefined)
      return markup`<th class="group" scope="colgroup" colspan="${group.end - group.start}">${group.title}</th>`;
    if (column.group !== undefined) return undefined;
    const unit = column.unit === undefined ? undefined : markup`<span class="unit">${column.unit}</span>`;
    return markup`<th rowspan="2" scope="col" class="${wordClass(column)}">${column.title}${unit}</th>`;
  });
  const lower = columns
    .filter((column) => column.group !== undefined)
    .map((column) => markup`<th scope="col">${column.title}</th>`);
  return markup`<tr>${upper}</tr><tr>${lower}</tr>`;
}

function drawCell(column: Column, row: ComparisonRow, best: boolean): Markup {
  if (column.name === "mode") return markup`<th scope="row">${modeName(row.mode)}</th>`;
  const emphasis = best && column.name === "new_connection_p50_ns" ? "best" : wordClass(column);
  return markup`<td class="${emphasis}">${cellText(column, row)}</td>`;
}

function wordClass(column: Column): string {
  return column.name === "mode" ? "word" : "";
}

function drawSection({ heading, paragraphs, sources = [] }: ReportSection, id: string | undefined): Markup {
  const anchor = id === undefined ? undefined : markup` id="${id}"`;
  return markup`<section${anchor}><h2>${heading}</h2>${paragraphs.map((each) => markup`<p>${unbroken(each)}</p>`)}${drawSources(sources)}</section>
`;
}

function drawSources(sources: readonly ReportSource[]): Markup | undefined {
  if (sources.length === 0) return undefined;
  const items = sources.map(({ title, address }) =>
    address === undefined
      ? markup`<li>${title}</li>`
      : markup`<li>${title}: <a href="${address}">${address}</a></li>`,
  );
  return markup`<p>Published curves:</p><ul class="findings">${items}</ul>`;
}

function drawMachine({ machine, seed, measuredAt, rows }: Comparison): Markup {
  const memory = machine.memoryBytes === undefined ? [] : [["Memory", printBytes(machine.memoryBytes)]];
  const rounds = rows[0]?.rounds === undefined ? [] : [["Rounds", printCount(rows[0].rounds)]];
  const facts = [
    ["Processor", `${machine.cpu}, ${machine.cores} ${machine.cores === 1 ? "core" : "cores"}`],
    ...memory,
    ["System", machine.os],
    ["Node", `${machine.node} (V8 ${machine.v8})`],
    ["packetyard", machine.packetyard],
    ["Seed", String(seed)],
    ...rounds,
    ...(measuredAt === undefined ? [] : [["Measured", measuredAt]]),
  ];
  const list = facts.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`);
  return markup`<section><h2>The machine</h2><dl class="machine card">${list}</dl></section>`;
}
