import { type Axis, logAxis } from "./axis.js";
import { type HeadingLine, layOutHeading } from "./frame.js";
import { CHARACTER_PX, placeLabels } from "./labels.js";
import { printShortCount } from "./quantity.js";

export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  /** The ends of the whisker, if there is one. */
  readonly low?: number;
  readonly high?: number;
}

export interface ChartSeries {
  readonly name: string;
  /** Number of its colour, marker and dash. */
  readonly style: number;
  /** Of series that share a style: the number that tells its dash and marker from the others'. */
  readonly variant?: number;
  /** `edge`: a thin dashed line without markers, beside the series it belongs to. */
  readonly role: "main" | "edge";
  readonly points: readonly ChartPoint[];
}

/** A light area between two edges. */
export interface ChartBand {
  readonly style: number;
  readonly points: readonly { readonly x: number; readonly low: number; readonly high: number }[];
}

export interface LineChart {
  readonly title: string;
  /** One sentence under the title: what y is. */
  readonly note: string;
  readonly xLabel: string;
  readonly width: number;
  readonly height: number;
  /** A y value with its unit. */
  readonly print: (value: number) => string;
  readonly series: readonly ChartSeries[];
  readonly bands?: readonly ChartBand[];
}

export interface EndLabel {
  readonly name: string;
  readonly value: string;
  readonly style: number;
  readonly strong: boolean;
  readonly x: number;
  readonly y: number;
  /** The line end it belongs to. */
  readonly fromX: number;
  readonly fromY: number;
}

/** Where everything of a line chart stands, in pixels. */
export interface Layout {
  /** False: no series has a point that log axes can show. */
  readonly drawable: boolean;
  readonly heading: readonly HeadingLine[];
  readonly plot: {
    readonly left: number;
    readonly right: number;
    readonly top: number;
    readonly bottom: number;
  };
  readonly x: Axis;
  readonly y: Axis;
  readonly labels: readonly EndLabel[];
  /** A series' points that can be shown, x ascending. */
  readonly pointsOf: (series: ChartSeries) => readonly ChartPoint[];
}

export const LABEL_GAP = 16;

/** Lays a chart out: the widest tick and end label take their room, the plot gets the rest. */
export function layOut(chart: LineChart): Layout {
  const heading = layOutHeading(chart.title, chart.note, chart.width);
  const series = chart.series.map((each) => ({ series: each, points: shownPoints(each) }));
  const points = series.flatMap((each) => each.points);
  const drawable = points.length > 0;
  const ys = drawable
    ? points.flatMap((point) => [point.y, point.low ?? point.y, point.high ?? point.y])
    : [1];
  const xs = drawable ? points.map((point) => point.x) : [1];
  const [top, bottom] = [(heading.at(-1)?.y ?? 0) + 16, chart.height - 44];
  const y = logAxis(ys, { range: [bottom, top], print: chart.print, atLeast: 10 });
  const plot = {
    left: 14 + Math.max(...y.ticks.map((tick) => tick.label.length)) * CHARACTER_PX,
    right: chart.width - 14 - labelWidth(series, chart),
    top,
    bottom,
  };
  const marks = drawable ? [...new Set(xs)].sort((a, b) => a - b) : [];
  const room = (label: string) => (label.length + 1) * CHARACTER_PX;
  const x = logAxis(xs, { range: [plot.left, plot.right], print: printShortCount, atLeast: 2, room, marks });
  const labels = endLabels(series, chart, plot, x, y);
  return { drawable, heading, plot, x, y, labels, pointsOf: shownPoints };
}

interface Shown {
  readonly series: ChartSeries;
  readonly points: readonly ChartPoint[];
}

function shownPoints(series: ChartSeries): readonly ChartPoint[] {
  const shown = (value: number) => Number.isFinite(value) && value > 0;
  return series.points
    .filter((point) => shown(point.x) && shown(point.y))
    .map((point) => {
      const { x, y, low, high } = point;
      const whisker = low !== undefined && high !== undefined && shown(low) && shown(high);
      return whisker ? { x, y, low, high } : { x, y };
    })
    .sort((a, b) => a.x - b.x);
}

function labelWidth(series: readonly Shown[], chart: LineChart): number {
  const lengths = series.map(({ series: { name }, points }) => {
    const last = points.at(-1);
    return last === undefined ? 0 : name.length + 1 + chart.print(last.y).length;
  });
  return Math.max(0, ...lengths) * CHARACTER_PX;
}

function endLabels(
  series: readonly Shown[],
  chart: LineChart,
  plot: Layout["plot"],
  x: Axis,
  y: Axis,
): readonly EndLabel[] {
  const ends = series.flatMap(({ series: each, points }) => {
    const last = points.at(-1);
    return last === undefined ? [] : [{ each, last }];
  });
  const wanted = ends.map(({ last }) => y.position(last.y));
  const placed = placeLabels(wanted, LABEL_GAP, plot.top, plot.bottom);
  return ends.map(({ each, last }, i) => ({
    name: each.name,
    value: chart.print(last.y),
    style: each.style,
    strong: each.role === "main",
    x: plot.right + 10,
    y: placed[i] ?? 0,
    fromX: x.position(last.x),
    fromY: wanted[i] ?? 0,
  }));
}
