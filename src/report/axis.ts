import { scaleLinear, scaleLog } from "d3-scale";

export interface Tick {
  readonly value: number;
  readonly position: number;
  readonly label: string;
}

/** A logarithmic axis: where a value stands, in pixels, and the marks to draw. */
export interface Axis {
  readonly position: (value: number) => number;
  readonly ticks: readonly Tick[];
}

export interface AxisOptions {
  /** Pixels of the lowest and of the highest value; they may fall (SVG counts downward). */
  readonly range: readonly [number, number];
  readonly print: (value: number) => string;
  /** The axis spans at least this factor, so that noise around a constant looks like a constant. */
  readonly atLeast: number;
  /** Values to mark instead of round ones, if their labels have room: pixels a label needs. */
  readonly marks?: { readonly values: readonly number[]; readonly room: (label: string) => number };
}

const MARGIN = 0.06;

/** A log axis over `values`, strictly monotone. Throws unless there is one and all are positive and finite. */
export function logAxis(values: readonly number[], options: AxisOptions): Axis {
  const domain = domainOf(values, options.atLeast);
  const scale = scaleLog(domain, options.range);
  const position = (value: number) => scale(value);
  const tickAt = (value: number) => ({ value, position: position(value), label: options.print(value) });
  const marks = (options.marks?.values ?? []).map(tickAt);
  const ticks = haveRoom(marks, options.marks?.room) ? marks : tickValues(domain).map(tickAt);
  return { position, ticks };
}

/** Whether there are marks and each label, centred under its mark, is clear of the next. */
function haveRoom(marks: readonly Tick[], room: (label: string) => number = () => 0): boolean {
  const clear = marks.every((mark, i) => {
    const next = marks[i + 1];
    if (next === undefined) return true;
    return Math.abs(next.position - mark.position) >= (room(mark.label) + room(next.label)) / 2;
  });
  return marks.length > 0 && clear;
}

function domainOf(values: readonly number[], atLeast: number): readonly [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (!(low > 0 && low <= high && high < Number.POSITIVE_INFINITY))
    throw new RangeError(`A log axis from ${low} to ${high}: leave out what is not positive and finite.`);
  const missing = Math.max(0, Math.log(atLeast) - Math.log(high / low));
  const padding = missing / 2 + MARGIN * (Math.log(high / low) + missing);
  return [low / Math.exp(padding), high * Math.exp(padding)];
}

/** Powers of ten; where that is fewer than two marks, ever finer steps. */
function tickValues(domain: readonly [number, number]): readonly number[] {
  const [low, high] = domain;
  for (const steps of [[1], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
    const ticks = multiplesWithin(steps, low, high);
    if (ticks.length >= 2) return ticks;
  }
  return scaleLinear(domain, [0, 1]).ticks(4);
}

function multiplesWithin(steps: readonly number[], low: number, high: number): readonly number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++)
    for (const step of steps) {
      // Number("2e-1"), not 2 * 10 ** -1: no 0.30000000000000004 on an axis.
      const value = Number(`${step}e${power}`);
      if (value >= low && value <= high) ticks.push(value);
    }
  return ticks;
}
