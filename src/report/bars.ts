import { scaleLinear } from "d3-scale";
import { drawHeading, frame, layOutHeading } from "./frame.js";
import { CHARACTER_PX } from "./labels.js";
import { type Markup, markup } from "./markup.js";
import { seriesColor } from "./palette.js";

export interface Bar {
  readonly name: string;
  readonly style: number;
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
}

export interface BarChart {
  readonly title: string;
  readonly note: string;
  readonly width: number;
  readonly print: (value: number) => string;
  readonly bars: readonly Bar[];
}

const BAR_STEP = 34;
const BAR_PX = 18;

/**
 * Horizontal bars from zero on a linear axis: for one size, where a line has no course. Each has its value beside its
 * name: behind the bar it would stand at the whisker's end and be read as that.
 */
export function drawBarChart(chart: BarChart): Markup {
  const heading = layOutHeading(chart.title, chart.note, chart.width);
  const top = (heading.at(-1)?.y ?? 0) + 14;
  const widest = (texts: readonly string[]) =>
    Math.max(0, ...texts.map((text) => text.length)) * CHARACTER_PX;
  const names = widest(chart.bars.map(({ name }) => name));
  const left = names + 20 + widest(chart.bars.map(({ value }) => chart.print(value)));
  const right = chart.width - 16;
  const highest = Math.max(0, ...chart.bars.flatMap((bar) => [bar.value, bar.high ?? bar.value]));
  const scale = scaleLinear([0, highest > 0 ? highest : 1], [left, right]);
  const bars = chart.bars.map((bar, i) => drawBar(bar, chart, { y: top + i * BAR_STEP, names }, scale));
  const height = top + chart.bars.length * BAR_STEP + 2;
  return frame({ ...chart, height }, markup`${drawHeading(heading)}${bars}`);
}

function drawBar(
  bar: Bar,
  chart: BarChart,
  { y, names }: { readonly y: number; readonly names: number },
  scale: (value: number) => number,
): Markup {
  const [start, end] = [scale(0), scale(bar.value)];
  const middle = y + BAR_PX / 2;
  return markup`<text x="${names}" y="${middle + 4}" text-anchor="end">${bar.name}</text><text x="${start - 8}" y="${middle + 4}" text-anchor="end" font-weight="600">${chart.print(bar.value)}</text><rect x="${start}" y="${y}" width="${Math.max(1, end - start)}" height="${BAR_PX}" style="fill:${seriesColor(bar.style)}"/>${drawSpread(bar, middle, scale)}`;
}

function drawSpread(bar: Bar, middle: number, scale: (value: number) => number): Markup | undefined {
  if (bar.low === undefined || bar.high === undefined) return undefined;
  const [low, high] = [scale(bar.low), scale(bar.high)];
  return markup`<path class="whisker" d="M${low} ${middle - 4}v8M${low} ${middle}H${high}M${high} ${middle - 4}v8" style="stroke:var(--ink)"/>`;
}
