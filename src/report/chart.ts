import { area, line } from "d3-shape";
import type { Axis, Tick } from "./axis.js";
import { drawHeading, frame } from "./frame.js";
import {
  type ChartBand,
  type ChartPoint,
  type ChartSeries,
  type EndLabel,
  type Layout,
  type LineChart,
  layOut,
} from "./layout.js";
import { type Markup, markup } from "./markup.js";
import { seriesColor, seriesDash, seriesMarker } from "./palette.js";
import { printCount } from "./quantity.js";

/**
 * A log-log line chart as one SVG element: a line a series, whiskers, direct labels at the line ends. Points
 * that are not positive and finite have no place on such axes and are left out.
 */
export function printLineChart(chart: LineChart): string {
  return drawLineChart(chart).source;
}

/** As `printLineChart`, for a page. */
export function drawLineChart(chart: LineChart): Markup {
  const layout = layOut(chart);
  const body = layout.drawable ? drawPlot(chart, layout) : drawNothing(chart);
  return frame(chart, markup`${drawHeading(layout.heading)}${body}`);
}

function drawPlot(chart: LineChart, layout: Layout): Markup {
  const main = chart.series.filter((series) => series.role === "main");
  const edges = chart.series.filter((series) => series.role === "edge");
  return markup`${drawAxes(chart, layout)}${(chart.bands ?? []).map((band) => drawBand(band, layout))}${edges.map(
    (series) => drawLine(series, layout, "edge"),
  )}${main.map((series) => drawLine(series, layout, "line"))}${main.map((series) =>
    drawPoints(series, chart, layout),
  )}${layout.labels.map(drawLabel)}`;
}

function drawAxes(chart: LineChart, { plot, x, y }: Layout): Markup {
  const across = (tick: Tick) =>
    markup`<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${tick.position}" y2="${tick.position}"/><text class="muted" x="${plot.left - 8}" y="${tick.position + 4}" text-anchor="end">${tick.label}</text>`;
  const up = (tick: Tick) =>
    markup`<line class="grid" x1="${tick.position}" x2="${tick.position}" y1="${plot.bottom}" y2="${plot.bottom + 5}"/><text class="muted" x="${tick.position}" y="${plot.bottom + 19}" text-anchor="middle">${tick.label}</text>`;
  return markup`${y.ticks.map(across)}<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${plot.bottom}" y2="${plot.bottom}"/>${x.ticks.map(up)}<text class="muted" x="${(plot.left + plot.right) / 2}" y="${plot.bottom + 37}" text-anchor="middle">${chart.xLabel}</text>`;
}

function drawBand(band: ChartBand, { x, y }: Layout): Markup {
  const path = area<ChartBand["points"][number]>(
    (point) => x.position(point.x),
    (point) => y.position(point.low),
    (point) => y.position(point.high),
  )([...band.points]);
  return markup`<path class="band" d="${path ?? ""}" style="fill:${seriesColor(band.style)}"/>`;
}

function drawLine(series: ChartSeries, layout: Layout, kind: "line" | "edge"): Markup {
  const points = layout.pointsOf(series);
  const path = line<ChartPoint>(
    (point) => layout.x.position(point.x),
    (point) => layout.y.position(point.y),
  )([...points]);
  const dash =
    kind === "line" ? markup` stroke-dasharray="${seriesDash(series.style, series.variant)}"` : undefined;
  return markup`<path class="${kind}" d="${path ?? ""}"${dash} style="stroke:${seriesColor(series.style)}"/>`;
}

function drawPoints(series: ChartSeries, chart: LineChart, layout: Layout): Markup {
  const color = seriesColor(series.style);
  return markup`${layout.pointsOf(series).map((point) => {
    const at = [layout.x.position(point.x), layout.y.position(point.y)] as const;
    return markup`<g><title>${describe(series, point, chart)}</title>${drawWhisker(point, layout.x, layout.y, color)}<path class="marker" transform="translate(${at[0]} ${at[1]})" d="${seriesMarker(series.style + (series.variant ?? 0), 64)}" style="fill:${color}"/></g>`;
  })}`;
}

function drawWhisker(point: ChartPoint, x: Axis, y: Axis, color: string): Markup | undefined {
  if (point.low === undefined || point.high === undefined) return undefined;
  const at = x.position(point.x);
  const [bottom, top] = [y.position(point.low), y.position(point.high)];
  return markup`<path class="whisker" d="M${at - 4} ${top}h8M${at} ${top}V${bottom}M${at - 4} ${bottom}h8" style="stroke:${color}"/>`;
}

function drawLabel(label: EndLabel): Markup {
  const color = seriesColor(label.style);
  const leader = markup`<path class="leader" d="M${label.fromX} ${label.fromY}L${label.x - 4} ${label.y}" style="stroke:${color}"/>`;
  const weight = label.strong ? "600" : "400";
  return markup`${leader}<text x="${label.x}" y="${label.y + 4}" style="fill:${color}"><tspan font-weight="${weight}">${label.name}</tspan> ${label.value}</text>`;
}

function describe(series: ChartSeries, point: ChartPoint, chart: LineChart): string {
  const spread =
    point.low === undefined || point.high === undefined
      ? ""
      : ` (${chart.print(point.low)} to ${chart.print(point.high)})`;
  return `${series.name}, ${printCount(point.x)} ${chart.xLabel}: ${chart.print(point.y)}${spread}`;
}

function drawNothing(chart: LineChart): Markup {
  return markup`<text class="muted" x="${chart.width / 2}" y="${chart.height / 2}" text-anchor="middle">nothing to draw: no positive values</text>`;
}
