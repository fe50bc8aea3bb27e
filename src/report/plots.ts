import { largestRows, modesOf, rowsOf } from "./analysis.js";
import type { BarChart } from "./bars.js";
import type { ComparisonRow, Cost } from "./comparison.js";
import type { ChartBand, ChartPoint, ChartSeries, LineChart } from "./layout.js";
import { modeName, modeStyle } from "./mode.js";
import { printBytes, printMean, printTime } from "./quantity.js";

type Rows = readonly ComparisonRow[];

/** One question asked of every row. */
interface Measure {
  readonly title: string;
  readonly note: string;
  readonly print: (value: number) => string;
  readonly point: (row: ComparisonRow) => Omit<ChartPoint, "x">;
}

const WHISKERS = "whiskers: lowest and highest round";

const NEW_CONNECTION: Measure = {
  title: "What a new connection costs",
  note: `Median time per packet, every packet a new flow; ${WHISKERS}.`,
  print: printTime,
  point: (row) => costPoint(row.newConnection),
};

const OTHERS: readonly Measure[] = [
  {
    title: "What a packet of a known connection costs",
    note: `Median time per packet; ${WHISKERS}. Compare sizes by it, not modes: see how it was measured.`,
    print: printTime,
    point: (row) => costPoint(row.established),
  },
  {
    title: "Rules or probes walked",
    note: "Per packet of a new connection, on average.",
    print: printMean,
    point: (row) => ({ y: row.walked }),
  },
  {
    title: "Memory of the tables",
    note: "As laid out in the machine's memory; 1 KB = 1,000 B.",
    print: printBytes,
    point: (row) => ({ y: row.tableBytes }),
  },
  {
    title: "Time to compile",
    note: "From the cluster to tables ready to run.",
    print: printTime,
    point: (row) => ({ y: row.compileMs * 1e6 }),
  },
];

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** New-connection cost against Services by mode, with the first and the last Service of iptables as its edges. */
export function newConnectionChart(rows: Rows, size: Size): LineChart {
  const chart = lineChart(NEW_CONNECTION, rows, size);
  const edges = edgeSeries(rows);
  const note = edges.length === 0 ? chart.note : `${chart.note} ${edgeNote(edges)}`;
  return {
    ...chart,
    note,
    series: [...chart.series, ...edges],
    bands: edges.length === 2 ? [edgeBand(rows)] : [],
  };
}

/** Established cost, walked, memory and compile time against Services by mode. */
export function otherCharts(rows: Rows, size: Size): readonly LineChart[] {
  return OTHERS.map((measure) => lineChart(measure, rows, size));
}

/** The same questions at one size (the largest there is), as bars. */
export function barCharts(rows: Rows, width: number): readonly BarChart[] {
  const largest = largestRows(rows);
  return [NEW_CONNECTION, ...OTHERS].map(({ title, note, print, point }) => {
    const bars = largest.map((row) => {
      const { y, low, high } = point(row);
      const bar = { name: modeName(row.mode), style: modeStyle(row.mode, modesOf(rows)), value: y };
      return low === undefined || high === undefined ? bar : { ...bar, low, high };
    });
    return { title, note, print, width, bars };
  });
}

function lineChart(measure: Measure, rows: Rows, size: Size): LineChart {
  const { title, note, print, point } = measure;
  const modes = modesOf(rows);
  const series = modes.map(
    (mode): ChartSeries => ({
      name: modeName(mode),
      style: modeStyle(mode, modes),
      role: "main",
      points: rowsOf(rows, mode).map((row) => ({ x: row.services, ...point(row) })),
    }),
  );
  return { title, note, print, series, xLabel: "Services", ...size };
}

function edgeSeries(rows: Rows): readonly ChartSeries[] {
  const edge = (name: string, cost: (row: ComparisonRow) => Cost | undefined): ChartSeries => ({
    name,
    style: modeStyle("iptables", []),
    role: "edge",
    points: rowsOf(rows, "iptables").flatMap((row) => {
      const found = cost(row);
      return found === undefined ? [] : [{ x: row.services, y: found.p50 }];
    }),
  });
  return [
    edge("last Service", (row) => row.newConnectionLast),
    edge("first Service", (row) => row.newConnectionFirst),
  ].filter((series) => series.points.length > 0);
}

/** Edges and line are of different packets: at small sizes the line need not lie between them. */
function edgeNote(edges: readonly ChartSeries[]): string {
  const band = edges.length === 2 ? "; the band is what lies between these two" : "";
  return `Thin dotted lines: every packet to the ${edges.map(({ name }) => name).join(", or every one to the ")} of iptables mode${band}. The line with marks is of packets to all Services.`;
}

function edgeBand(rows: Rows): ChartBand {
  const points = rowsOf(rows, "iptables").flatMap((row) => {
    const [low, high] = [row.newConnectionFirst?.p50, row.newConnectionLast?.p50];
    return low === undefined || high === undefined || low <= 0 || high <= 0
      ? []
      : [{ x: row.services, low, high }];
  });
  return { style: modeStyle("iptables", []), points };
}

function costPoint(cost: Cost): Omit<ChartPoint, "x"> {
  if (cost.spread === undefined) return { y: cost.p50 };
  return { y: cost.p50, low: cost.spread[0], high: cost.spread[1] };
}
