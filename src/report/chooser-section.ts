import { type BarChart, drawBarChart } from "./bars.js";
import { drawLineChart } from "./chart.js";
import { schedulerFindings } from "./chooser-findings.js";
import { costCell, slopeCell } from "./chooser-table.js";
import { type Chooser, choosersOf, destinationsOf } from "./choosers.js";
import type { SchedulerRow } from "./comparison.js";
import type { ChartPoint, ChartSeries, LineChart } from "./layout.js";
import { type Markup, markup } from "./markup.js";
import { seriesColor } from "./palette.js";
import type { Size } from "./plots.js";
import { printAmount, printCount, printTime } from "./quantity.js";
import { unbroken } from "./wording.js";

type Rows = readonly SchedulerRow[];

const TITLE = "What a new connection costs by how its endpoint is chosen";
const NOTE =
  "Median time per packet, every packet a new connection to one Service; whiskers: lowest and highest round.";

const ABOUT = [
  "When a Service's connection begins, one of its endpoints (IPVS: destinations) is chosen. Here one Service has all of them, on one node, and every packet opens a connection to it. As above a packet goes its whole way; so what the ways of choosing have in common is in every number, and IPVS' hooks, rules and own connections are in all of its schedulers'.",
  "Every destination has weight 1, as kube-proxy sets it; but with ovf, which fills one before it takes the next, each has room for all connections. A turn begins without connections and opens 1,024 before the clock is read; then 128 packets at a time are timed, beside the connections of those before.",
];

function pointOf({ destinations, newConnection: { p50, spread } }: SchedulerRow): ChartPoint {
  const point = { x: destinations, y: p50 };
  return spread === undefined ? point : { ...point, low: spread[0], high: spread[1] };
}

/** New-connection cost against destinations, a line a scheduler or mode; schedulers of one manner share a colour. */
export function schedulerChart(rows: Rows, size: Size): LineChart {
  const choosers = choosersOf(rows);
  const series = choosers.map((chooser): ChartSeries => {
    const { label, isScheduler, manner, rows: own } = chooser;
    const line = { name: label, style: manner.style, role: "main", points: own.map(pointOf) } as const;
    const peers = choosers.filter((peer) => peer.isScheduler && peer.manner.title === manner.title);
    return isScheduler ? { ...line, variant: peers.indexOf(chooser) } : line;
  });
  const note = `${NOTE} Schedulers of one manner share a colour; dashes and marks are each one's own among them.`;
  return { title: TITLE, note, print: printTime, series, xLabel: "destinations", ...size };
}

/** The same at one number of destinations. */
function schedulerBars(rows: Rows, width: number): BarChart {
  const bars = choosersOf(rows).flatMap(({ label, manner: { style }, rows: own }) => {
    const points = own.slice(-1).map(pointOf);
    return points.map(({ y, low, high }) => {
      const bar = { name: label, style, value: y };
      return low === undefined || high === undefined ? bar : { ...bar, low, high };
    });
  });
  return { title: TITLE, note: NOTE, width, print: printTime, bars };
}

/** The same picture for wide windows and for narrow ones. */
function drawChart(rows: Rows, wide: Size, narrow: Size): Markup {
  const draw = (size: Size) =>
    destinationsOf(rows).length > 1
      ? drawLineChart(schedulerChart(rows, size))
      : drawBarChart(schedulerBars(rows, size.width));
  return markup`<figure class="card"><div class="wide">${draw(wide)}</div><div class="narrow">${draw(narrow)}</div></figure>`;
}

function drawLine(chooser: Chooser, sizes: readonly number[]): Markup {
  const cells = sizes.map((size) => {
    const spread = chooser.rows.find(({ destinations }) => destinations === size)?.newConnection.spread;
    const range = spread?.map((ns) => printAmount(ns)).join(" – ") ?? "-";
    return markup`<td>${costCell(chooser, size)}</td><td class="range">${range}</td>`;
  });
  const slope = sizes.length > 1 ? markup`<td>${slopeCell(chooser)}</td>` : undefined;
  return markup`<tr><th scope="row">${chooser.label}</th>${cells}${slope}</tr>`;
}

function drawTable(rows: Rows): Markup {
  const sizes = destinationsOf(rows);
  const columns = 1 + 2 * sizes.length + (sizes.length > 1 ? 1 : 0);
  const choosers = choosersOf(rows);
  const bodies = [...new Set(choosers.map(({ manner: { title } }) => title))].map((title) => {
    const own = choosers.filter(({ manner }) => manner.title === title);
    const color = own[0]?.isScheduler === true ? `color:${seriesColor(own[0].manner.style)}` : "";
    return markup`<tbody><tr class="input"><th scope="rowgroup" colspan="${columns}" style="${color}">${title}</th></tr>${own.map((one) => drawLine(one, sizes))}</tbody>`;
  });
  const heads = sizes.map(
    (size) => markup`<th class="group" scope="colgroup" colspan="2">${printCount(size)}</th>`,
  );
  const units = sizes.map(() => markup`<th scope="col">p50</th><th scope="col">low – high</th>`);
  const each = sizes.length > 1 ? markup`<th rowspan="2" scope="col">each more</th>` : undefined;
  return markup`<p class="note">ns of a new connection by the number of destinations: the median, and the lowest and highest round. Each more: what a destination more adds, where the cost grows with them (the slope of the least-squares line).</p><div class="card scroll" role="region" aria-label="What a scheduler costs" tabindex="0"><table><thead><tr><th rowspan="2" scope="col" class="word">scheduler or mode</th>${heads}${each}</tr><tr>${units}</tr></thead>${bodies}</table></div>`;
}

/** What IPVS' schedulers cost beside the other modes, as one section of the page; nothing for no rows. */
export function schedulerSection(rows: Rows, wide: Size, narrow: Size): Markup | undefined {
  if (rows.length === 0) return undefined;
  const sentences = schedulerFindings(rows).map((sentence) => markup`<li>${unbroken(sentence)}</li>`);
  return markup`<section id="schedulers"><h2>What a scheduler costs</h2>${ABOUT.map((text) => markup`<p>${text}</p>`)}<ul class="findings">${sentences}</ul>
${drawChart(rows, wide, narrow)}
${drawTable(rows)}</section>
`;
}
